"""Ids of access keys: they hold the account, so that a key is found by its id alone. Pure.

20 upper-case letters and digits, as AWS's: a prefix of four, and 80 bits, of which half are the account.
"""

import base64
import binascii
from functools import lru_cache
from typing import Final

USER_PREFIX: Final = "LKIA"
"""Long-term key of Lampion, as AWS's own begin with AKIA; never mistaken for one of AWS."""
SESSION_PREFIX: Final = "ASIA"
"""As AWS's: SDKs tell temporary keys by it."""
SERVICE_PREFIX: Final = "LSIA"
"""Of a key that stands for a service."""
RANDOM_BYTES: Final = 5

_ACCOUNT_BYTES: Final = 5
_PREFIX_CHARACTERS: Final = 4
_ACCOUNTS: Final = 10**12


def key_id(prefix: str, account_id: str, random: bytes) -> str:
    """`random`: RANDOM_BYTES of them."""
    return prefix + base64.b32encode(int(account_id).to_bytes(_ACCOUNT_BYTES) + random).decode()


@lru_cache(maxsize=1024)
def account_of(access_key_id: str) -> str | None:
    """The account of a key that can be one of this server's; None for any other."""
    try:
        raw = base64.b32decode(access_key_id[_PREFIX_CHARACTERS:])
    except (binascii.Error, ValueError):
        return None
    number = int.from_bytes(raw[:_ACCOUNT_BYTES])
    return f"{number:012}" if len(raw) == _ACCOUNT_BYTES + RANDOM_BYTES and number < _ACCOUNTS else None
