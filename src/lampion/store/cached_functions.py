"""A bounded read-through cache in front of Functions: an invoke finds its function without leaving the event loop.

Coherent because this process alone writes the database, and every write passes here or through CachedResources.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from typing import Any, Final, TypeVar

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import Function
from lampion.store.functions import Functions

_CAPACITY: Final = 10_000

T = TypeVar("T")


class CachedFunctions:
    """Functions, with the `capacity` most recently used ones at hand."""

    def __init__(self, functions: Functions, *, capacity: int = _CAPACITY) -> None:
        self._functions = functions
        self._capacity = capacity
        self._cached: OrderedDict[tuple[FunctionKey, str], Function] = OrderedDict()
        self._versions: dict[FunctionKey, set[str]] = {}  # of what is cached
        self._write_steps = 0

    def get_cached(self, key: FunctionKey, version: str = LATEST) -> Function | None:
        """The function when it is at hand; None says nothing about whether it exists."""
        place = (key, version)
        function = self._cached.get(place)
        if function is not None:
            self._cached.move_to_end(place)
        return function

    async def get(self, key: FunctionKey, version: str = LATEST) -> Function | None:
        cached = self.get_cached(key, version)
        if cached is not None:
            return cached
        before = self._write_steps
        function = await self._functions.get(key, version)
        # A write that began or ended meanwhile may have made this value old: then it is answered but not kept.
        if function is not None and before == self._write_steps:
            self._keep(function)
        return function

    async def insert(self, function: Function, *, published: Function | None = None) -> None:
        await self._write(function.key, self._functions.insert(function, published=published))

    async def replace(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        write = self._functions.replace(function, expected_revision_id=expected_revision_id, published=published)
        await self._write(function.key, write)

    async def page(self, account_id: str, region: str, *, after: str | None, limit: int) -> Sequence[Function]:
        return await self._functions.page(account_id, region, after=after, limit=limit)

    async def page_with_versions(
        self, account_id: str, region: str, *, after: tuple[str, int] | None, limit: int
    ) -> Sequence[Function]:
        return await self._functions.page_with_versions(account_id, region, after=after, limit=limit)

    async def versions(self, key: FunctionKey, *, after: int | None, limit: int) -> Sequence[Function]:
        return await self._functions.versions(key, after=after, limit=limit)

    async def unsettled(self) -> Sequence[Function]:
        return await self._functions.unsettled()

    async def unsettled_of(self, key: FunctionKey) -> Sequence[Function]:
        return await self._functions.unsettled_of(key)

    async def snap_started(self) -> Sequence[Function]:
        return await self._functions.snap_started()

    async def with_plain_environment(self) -> Sequence[Function]:
        return await self._functions.with_plain_environment()

    async def packages_in_use(self) -> frozenset[str]:
        return await self._functions.packages_in_use()

    async def _write(self, key: FunctionKey, write: Coroutine[Any, Any, T]) -> T:
        """Run `write` to its end even when the caller gives up: the value must be forgotten after it took effect."""
        self.forget(key)
        task = asyncio.ensure_future(write)
        task.add_done_callback(lambda done: self._forget_after(key, done))
        return await asyncio.shield(task)

    def _forget_after(self, key: FunctionKey, done: "asyncio.Future[T]") -> None:
        self.forget(key)
        if not done.cancelled():
            done.exception()  # seen: the caller may be gone

    def forget(self, key: FunctionKey) -> None:
        """The function and its versions, one of which was just written or deleted."""
        self._write_steps += 1
        for version in self._versions.pop(key, ()):
            del self._cached[key, version]

    def _keep(self, function: Function) -> None:
        place = (function.key, function.version)
        self._cached[place] = function
        self._cached.move_to_end(place)
        self._versions.setdefault(function.key, set()).add(function.version)
        if len(self._cached) > self._capacity:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        (key, version), _ = self._cached.popitem(last=False)
        versions = self._versions[key]
        versions.remove(version)
        if not versions:
            del self._versions[key]
