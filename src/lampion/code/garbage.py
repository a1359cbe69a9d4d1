"""Removes blobs, unpacked packages and images that nobody has: at the start, and some time after each deletion."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from lampion.clock.clock import Clock
from lampion.code.blobs import Blobs
from lampion.code.packages import Packages
from lampion.store.errors import StoreError
from lampion.store.functions import Functions

GRACE_SECONDS: Final = 300.0
"""Younger blobs and packages used since are kept: they may be wanted by what is just happening."""
_DELAY_SECONDS: Final = 10.0
"""Deletions come in bursts: one collection for all of them."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collected:
    """How many of each kind were removed."""

    packages: int
    blobs: int
    images: int = 0


class UnusedImages(Protocol):
    """Removes what of images is in no repository and no function's."""

    async def sweep(self, in_use: Set[str]) -> int:
        """`in_use`: names of code that is in use, images by their digests among it. How much went."""


class GarbageCollector:
    """`also_in_use` names packages that running environments still have mounted."""

    def __init__(
        self,
        functions: Functions,
        blobs: Blobs,
        packages: Packages,
        clock: Clock,
        *,
        also_in_use: Callable[[], Collection[str]] = frozenset,
        images: UnusedImages | None = None,
    ) -> None:
        self._functions = functions
        self._blobs = blobs
        self._packages = packages
        self._clock = clock
        self._also_in_use = also_in_use
        self._images = images
        self._held: Counter[str] = Counter()
        self._wanted = asyncio.Event()

    @contextmanager
    def hold(self, sha256: str) -> Iterator[None]:
        """Keep that package meanwhile: it is stored, but the function that will refer to it isn't."""
        self._held[sha256] += 1
        try:
            yield
        finally:
            self._held[sha256] -= 1
            self._held += Counter()  # forget those at zero

    def nudge(self) -> None:
        """Something was deleted: collect before long."""
        self._wanted.set()

    async def run(self) -> None:
        """Collect now and after each nudge, until cancelled. What goes wrong is logged and tried again later."""
        while True:
            try:
                await self.collect()
            except (OSError, StoreError) as error:
                _LOG.warning("unused code could not be removed: %s", error)
            await self._wanted.wait()
            await self._clock.sleep(_DELAY_SECONDS)
            self._wanted.clear()

    async def collect(self, *, grace_seconds: float = GRACE_SECONDS) -> Collected:
        """Remove what nothing refers to."""
        # Order matters: what is held or mounted is noted before asking the store, and what arrives later is young.
        older_than = self._clock.now() - grace_seconds
        live = frozenset(self._held) | frozenset(self._also_in_use())
        live |= await self._functions.packages_in_use()
        return Collected(
            packages=await self._packages.sweep(live, unused_seconds=grace_seconds),
            blobs=await self._blobs.sweep(live, older_than_epoch_seconds=older_than),
            images=0 if self._images is None else await self._images.sweep(live),
        )
