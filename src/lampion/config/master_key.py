"""The master key itself, given in a variable instead of a file."""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

from lampion.config.problem import SettingError

VARIABLE: Final = "LAMPION_MASTER_KEY"
_BYTES: Final = 32


def master_key_from(environ: Mapping[str, str]) -> bytes | None:
    """None where there is none. Raises SettingError, which doesn't show it."""
    text = environ.get(VARIABLE)
    if text is None:
        return None
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _BYTES:
        raise SettingError(
            VARIABLE, "(not shown)", f"isn't {_BYTES} bytes in base64", "Make one: openssl rand -base64 32"
        )
    return key
