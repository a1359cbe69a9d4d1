"""What a view of Lampion's own is asked. Views answer JSON and know neither HTTP nor signatures."""

import re
from collections.abc import Mapping
from typing import Protocol

import msgspec


class Asked(msgspec.Struct, frozen=True):
    """Who asks about what: `about` is the part of the path that names it, still percent-encoded; may be empty."""

    account_id: str
    region: str
    method: str
    about: str = ""
    query: str = ""
    body: bytes = b""


class View(Protocol):
    """`path` has one group, what is asked about; `methods` tells how many bytes of a body each takes."""

    @property
    def path(self) -> re.Pattern[str]: ...

    @property
    def methods(self) -> Mapping[str, int]: ...

    async def answer(self, asked: Asked) -> bytes:
        """JSON. Raises ValueError, with words for the caller, for what can't be meant, and domain.errors.ApiError."""
