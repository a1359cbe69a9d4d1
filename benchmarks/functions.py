"""The functions under measurement and the event they are given."""

import io
import json
import zipfile
from collections.abc import Mapping
from importlib.metadata import distribution
from typing import Final

EVENT: Final = json.dumps({"message": "good day", "count": 42, "tags": ["a", "b"]}).encode()
"""56 bytes, spelt as Python's json module spells it, so that an echo by any Python runtime is the same 56 bytes."""

LARGER_EVENT: Final = json.dumps({"message": "good day", "text": "0123456789" * 86 + "01234"}).encode()
"""900 bytes, for what is kept."""

ECHO: Final = "def handler(event, context):\n    return event\n"

ECHO_THAT_PRINTS: Final = "def handler(event, context):\n    print('one line')\n    return event\n"
"""For ministack, which waits 50 ms for the first log line of an invoke that prints nothing."""

ECHO_THAT_HOLDS: Final = """
import time

def handler(event, context):
    time.sleep(event.get("hold_seconds", 0))
    return event
"""

ECHO_NODE: Final = "exports.handler = async (event) => event;\n"

ECHO_RUBY: Final = "def handler(event:, context:) = event\n"

ECHO_WITH_BOTO3: Final = "import boto3\n\ndef handler(event, context):\n    return event\n"

MODULE: Final = "app"
HANDLER: Final = f"{MODULE}.handler"

MEMORY_MIB: Final = 1769
"""One whole core: with less, the CPU quota is measured instead of the system."""


def package(source: str, suffix: str = ".py", more: Mapping[str, bytes] | None = None) -> bytes:
    """The deployment package (zip) that holds `source` as the handler's module, and `more` files."""
    return zipped({f"{MODULE}{suffix}": source.encode(), **(more or {})})


def zipped(files: Mapping[str, bytes], mode: int = 0o644) -> bytes:
    """A zip of `files`, whose permissions are `mode`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def boto3_files() -> dict[str, bytes]:
    """boto3 and all that it imports, as installed beside us, without the descriptions of AWS's services."""
    files: dict[str, bytes] = {}
    for name in ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"):
        for file in distribution(name).files or ():
            path = file.as_posix()
            if path.endswith(".py") and not path.startswith(("..", "/")):
                files[path] = file.read_binary()
    return files
