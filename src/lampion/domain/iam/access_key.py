"""Access keys of users. Pure."""

from dataclasses import dataclass, field
from typing import Final

from lampion.domain.iam.errors import LimitExceededException, NoSuchEntityException

KEYS_MAX: Final = 2
ACTIVE, INACTIVE = "Active", "Inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserKey:
    """A key of the user that has the unique id `user_id`. The secret never shows in a repr."""

    account_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    user_id: str
    status: str = ACTIVE
    created_epoch_seconds: int


def key_missing(access_key_id: str) -> NoSuchEntityException:
    return NoSuchEntityException(f"The Access Key with id {access_key_id} cannot be found.")


def check_room_for_key(existing: int) -> None:
    """Raises LimitExceededException."""
    if existing >= KEYS_MAX:
        raise LimitExceededException(f"Cannot exceed quota for AccessKeysPerUser: {KEYS_MAX}")
