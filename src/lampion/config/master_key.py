"""Where the master key is: in a file, with a KMS elsewhere, or given itself in a variable."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lampion.config.problem import SettingError
from lampion.config.values import parse_file

VARIABLE: Final = "LAMPION_MASTER_KEY"
NEW_VARIABLE: Final = "LAMPION_NEW_MASTER_KEY"
"""What `lampion master-key move --to env` moves to."""
IN_VARIABLE: Final = "env"
_BYTES: Final = 32
_KMS_KEY: Final = re.compile(r"[a-zA-Z0-9:/_-]{1,2048}")


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A key of a KMS that isn't this server's: its id, its ARN, or an alias."""

    key_id: str

    def __str__(self) -> str:
        return f"kms:{self.key_id}"

    @property
    def arn_parts(self) -> tuple[str, str] | None:
        """Partition and region of an ARN; None for what is none."""
        parts = self.key_id.split(":")
        return (parts[1], parts[3]) if len(parts) == 6 and parts[0] == "arn" and parts[2] == "kms" else None


def parse_master_key(text: str) -> Path | KmsKey | None:
    """`FILE`, `file:FILE` or `kms:KEY`; an empty text is none."""
    kind, _, named = text.partition(":")
    if kind != "kms":
        return parse_file(named if kind == "file" else text)
    if not _KMS_KEY.fullmatch(named):
        raise ValueError("names no key of KMS; Give its ARN: kms:arn:aws:kms:REGION:ACCOUNT:key/ID.")
    return KmsKey(named)


def master_key_from(environ: Mapping[str, str], variable: str = VARIABLE) -> bytes | None:
    """None where there is none. Raises SettingError, which doesn't show it."""
    text = environ.get(variable)
    if text is None:
        return None
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _BYTES:
        raise SettingError(
            variable, "(not shown)", f"isn't {_BYTES} bytes in base64", "Make one: openssl rand -base64 32"
        )
    return key
