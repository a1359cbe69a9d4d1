"""Names of groups and streams as names of files: any name becomes one path component that can't leave its directory."""

from hashlib import sha256
from typing import Final
from urllib.parse import quote

_PLAIN_MAX: Final = 150  # file systems end at 255 bytes; cursor and suffix need room beside the name
_KEPT_OF_LONG: Final = 60


def file_name(name: str) -> str:
    """A file name for `name`: different names give different ones, none is ".", ".." or empty.

    Only letters, digits, "_", "-" and "%" occur in it, and "~" in front of what a shortened or empty name ends with.
    """
    raw = name.encode("utf-8", "surrogatepass")
    encoded = quote(raw, safe="").replace(".", "%2E").replace("~", "%7E")
    if not encoded:
        return "~empty"
    if len(encoded) <= _PLAIN_MAX:
        return encoded
    return f"{encoded[:_KEPT_OF_LONG]}~{sha256(raw).hexdigest()}"
