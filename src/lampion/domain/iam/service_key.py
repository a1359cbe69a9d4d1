"""Keys that stand for a service of AWS: a program of the operator's, such as an S3 server, calls as that service.

AWS has no such keys: its services need none.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from lampion.domain.principal import is_principal

KEYS_MAX: Final = 100
_SHORT: Final = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceKey:
    """A key of the account that made it: good for its functions only. The secret never shows in a repr."""

    account_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    service: str
    created_epoch_seconds: int


def service_name(text: str) -> str:
    """The principal that `text` names: `s3.amazonaws.com`, or `s3` for short. Raises ValueError."""
    name = f"{text}.amazonaws.com" if _SHORT.fullmatch(text) else text
    if not is_principal("Service", name):
        raise ValueError(f"{text} is not the name of a service, such as s3.amazonaws.com")
    return name


def check_room_for_service_key(existing: int) -> None:
    """Raises ValueError."""
    if existing >= KEYS_MAX:
        raise ValueError(f"an account has at most {KEYS_MAX} keys of services")
