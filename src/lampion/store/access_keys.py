"""Access keys: who signs with which secret."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key pair and the account it acts for. The secret never shows in a repr."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    account_id: str
    is_root: bool


class AccessKeys(Protocol):
    """Every write returns only after it is durable."""

    async def get(self, access_key_id: str) -> AccessKey | None: ...

    async def root(self, account_id: str) -> AccessKey | None:
        """The account's root key, if one was made."""

    async def insert(self, key: AccessKey) -> None:
        """Raises functions.AlreadyExists when the id is taken or the account has a root key already."""
