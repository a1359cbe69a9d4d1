"""Which images are in use: by functions, and by the repositories that have them."""

from collections.abc import Set
from typing import Final

from lampion.clock.clock import Clock
from lampion.code.images.store import Images
from lampion.store.repositories import pushed_digests
from lampion.store.resources import Resources

GRACE_SECONDS: Final = 3600.0
"""A push brings layers first and their manifest last: so long a push may take."""


class ImageGarbage:
    """Removes images that nobody has (code.garbage.UnusedImages)."""

    def __init__(
        self, images: Images, resources: Resources, clock: Clock, *, grace_seconds: float = GRACE_SECONDS
    ) -> None:
        self._images = images
        self._resources = resources
        self._clock = clock
        self._grace_seconds = grace_seconds

    async def sweep(self, in_use: Set[str]) -> int:
        older_than = self._clock.now() - self._grace_seconds
        live = {f"sha256:{name}" for name in in_use if len(name) == 64} | await self._resources.read(pushed_digests)
        return await self._images.sweep(live, older_than_epoch_seconds=older_than, unused_seconds=self._grace_seconds)
