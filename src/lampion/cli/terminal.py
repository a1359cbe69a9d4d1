"""What a person's terminal may be sent: control characters made visible, colour only where it is wanted."""

import os
import re
import sys
from typing import Final, TextIO

# C0 (but tab), DEL, C1, and the marks that reorder text: each can make a terminal show what isn't there.
_UNSAFE: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_DIM: Final = "\x1b[2m"
_RESET: Final = "\x1b[0m"


def escape_controls(text: str) -> str:
    """`text` with characters that a terminal would act on written as \\x1b or \\u202e."""
    return _UNSAFE.sub(lambda found: _escape(ord(found[0])), text)


def _escape(code_point: int) -> str:
    return f"\\x{code_point:02x}" if code_point <= 0xFF else f"\\u{code_point:04x}"


def wants_colour(stream: TextIO) -> bool:
    """A terminal, and nobody said NO_COLOR (no-color.org: set and not empty)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def dim(text: str, stream: TextIO) -> str:
    return f"{_DIM}{text}{_RESET}" if wants_colour(stream) else text


def shown(text: str, stream: TextIO) -> str:
    """`text` as it may be written to `stream`: escaped for a terminal, untouched for a file or pipe."""
    return escape_controls(text) if stream.isatty() else text


def write_payload(payload: bytes) -> None:
    """Exactly these bytes on stdout; a final newline only for a person's eyes."""
    sys.stdout.flush()
    out = sys.stdout.buffer
    out.write(payload)
    if sys.stdout.isatty() and not payload.endswith(b"\n"):
        out.write(b"\n")
    out.flush()
