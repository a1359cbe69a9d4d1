"""The functions under measurement and the event they are given."""

import io
import json
import zipfile
from typing import Final

EVENT: Final = json.dumps({"message": "good day", "count": 42, "tags": ["a", "b"]}).encode()
"""56 bytes, spelt as Python's json module spells it, so that an echo by any Python runtime is the same 56 bytes."""

ECHO: Final = "def handler(event, context):\n    return event\n"

ECHO_THAT_PRINTS: Final = "def handler(event, context):\n    print('one line')\n    return event\n"
"""For ministack, which waits 50 ms for the first log line of an invoke that prints nothing."""

MODULE: Final = "app"
HANDLER: Final = f"{MODULE}.handler"

MEMORY_MIB: Final = 1769
"""One whole core: with less, the CPU quota is measured instead of the system."""


def package(source: str) -> bytes:
    """The deployment package (zip) that holds `source` as the handler's module."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(f"{MODULE}.py")
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, source)
    return buffer.getvalue()
