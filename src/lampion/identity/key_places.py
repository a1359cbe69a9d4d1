"""Where a master key can be: what such a place does, a file, and a variable. A KMS elsewhere: see external_kms.

The master key itself passes through here, so that nothing here has a repr that shows more than the place's name.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lampion.store.kms import MasterKeyCheck
from lampion.store.master_key_file import make_master_key, read_master_key


@dataclass(frozen=True, slots=True)
class Made:
    """A master key, and what a KMS elsewhere needs to make it again."""

    key: bytes = field(repr=False)
    sealed_key: bytes = field(default=b"", repr=False)


class KeyPlace(Protocol):
    """Holds a master key, or can."""

    @property
    def name(self) -> str:
        """As `lampion master-key` tells it."""

    @property
    def told(self) -> str:
        """As messages name it."""

    @property
    def is_made_at_start(self) -> bool:
        """Whether the key is made, when there is none, at the start already, and not at its first use."""

    async def read(self, check: MasterKeyCheck | None) -> bytes | None:
        """The key; None where there is none. `check` is what the store knows of it. Raises MasterKeyUnusable."""

    async def make(self, installation: str, random: bytes) -> Made:
        """The key that is there, or else a new one, durably there. Raises MasterKeyUnusable."""


class FilePlace:
    """See store.master_key_file."""

    is_made_at_start = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = f"file:{path}"
        self.told = str(path)

    async def read(self, check: MasterKeyCheck | None) -> bytes | None:
        return await asyncio.to_thread(read_master_key, self._path)

    async def make(self, installation: str, random: bytes) -> Made:
        return Made(await asyncio.to_thread(self._made, random))

    def _made(self, random: bytes) -> bytes:
        return read_master_key(self._path) or make_master_key(self._path, random)


class VariablePlace:
    """The key was given with the settings."""

    is_made_at_start = False
    name = "env"

    def __init__(self, key: bytes, variable: str) -> None:
        self._key = key
        self.told = variable

    async def read(self, check: MasterKeyCheck | None) -> bytes | None:
        return self._key

    async def make(self, installation: str, random: bytes) -> Made:
        return Made(self._key)
