"""A bounded read-through cache in front of Resources: an invoke finds an alias without leaving the event loop.

Coherent because this process alone writes the database, and every change passes here. That a resource isn't there is
kept as well: most functions have none of a kind.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import Function
from lampion.store.cached_functions import CachedFunctions
from lampion.store.resources import CodeUse, Kind, Place, Resources, Stored, function_owner

_CAPACITY: Final = 20_000
_ABSENT: Final = object()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class View(Generic[T]):
    """What `read` makes of the resources of some kinds of an account and region. For kinds of which there are few."""

    name: str
    kinds: frozenset[str]
    read: Callable[[Stored, str, str], T]


@dataclass(frozen=True, slots=True)
class Change:
    """Something of these kinds was written or deleted; None means any kind: a function has gone, or a version of it."""

    account_id: str
    region: str
    kinds: frozenset[str] | None

    def touches(self, kinds: frozenset[str]) -> bool:
        return self.kinds is None or not self.kinds.isdisjoint(kinds)


class CachedResources:
    """Resources, with the `capacity` most recently used ones at hand; tells `functions` what a change wrote of them."""

    def __init__(self, resources: Resources, functions: CachedFunctions, *, capacity: int = _CAPACITY) -> None:
        self._resources = resources
        self._functions = functions
        self._capacity = capacity
        self._cached: OrderedDict[tuple[str, Place], Any] = OrderedDict()
        self._seen: dict[tuple[str, str, str], tuple[View[Any], Any]] = {}
        self._found: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._changes = 0
        self._listeners: list[Callable[[Change], object]] = []

    def subscribe(self, listener: Callable[[Change], object]) -> None:
        """Call `listener` after each change, once for each account and region that it touched; it must not wait."""
        self._listeners.append(listener)

    async def get(self, kind: Kind[T], place: Place, *, keeps_absent: bool = True) -> T | None:
        """The resource, or None when there is none.

        `keeps_absent`: whether to remember that, too: not of what any stranger can ask for.
        """
        key = (kind.name, place)
        cached = self._cached.get(key)
        if cached is not None:
            self._cached.move_to_end(key)
            return None if cached is _ABSENT else cached
        before = self._changes
        value = await self._resources.read(lambda stored: stored.get(kind, place))
        if before == self._changes and (keeps_absent or value is not None):  # else what was read may be old already
            self._cached[key] = _ABSENT if value is None else value
            if len(self._cached) > self._capacity:
                self._cached.popitem(last=False)
        return value

    def seen(self, view: View[T], account_id: str, region: str) -> T | None:
        """What `see` answers, if it need not be read."""
        found = self._seen.get((view.name, account_id, region))
        return None if found is None else found[1]

    async def see(self, view: View[T], account_id: str, region: str) -> T:
        """What the view shows; the very same value until one of its kinds changes."""
        cached = self.seen(view, account_id, region)
        if cached is not None:
            return cached
        before = self._changes
        found = await self._resources.read(lambda stored: view.read(stored, account_id, region))
        if before == self._changes:  # as in `get`
            self._seen[view.name, account_id, region] = (view, found)
        return found

    async def find(self, kind: Kind[T], account_id: str, region: str, *, by: str) -> T | None:
        """The resource that is looked for `by`, where no two are alike; at hand until one of the kind changes."""
        place = (kind.name, account_id, region)
        cached = self._found.get(place, {}).get(by)
        if cached is not None:
            return cast("T", cached)
        before = self._changes
        found = await self._resources.read(lambda stored: stored.found(kind, account_id, region, by=by, limit=1))
        if not found:
            return None  # not kept: anybody can ask for what isn't there
        if before == self._changes:  # as in `get`
            self._keep_found(place, by, found[0])
        return found[0]

    async def read(self, work: Callable[[Stored], T]) -> T:
        return await self._resources.read(work)

    async def change(self, work: Callable[[Stored], T]) -> T:
        """See Resources. Runs to its end even when the caller gives up: what changed must be forgotten afterwards."""
        touched = _Touched()
        self._changes += 1
        task = asyncio.ensure_future(self._resources.change(lambda stored: work(_Watched(stored, touched))))
        task.add_done_callback(lambda done: self._forget_after(touched, done))
        return await asyncio.shield(task)

    def _keep_found(self, place: tuple[str, str, str], by: str, value: Any) -> None:
        if sum(len(values) for values in self._found.values()) >= self._capacity:
            self._found.clear()
        self._found.setdefault(place, {})[by] = value

    def _forget_after(self, touched: "_Touched", done: "asyncio.Future[Any]") -> None:
        self._changes += 1
        for key in touched.places:
            self._cached.pop(key, None)
        for whose in touched.owners:
            for key in [one for one in self._cached if _is_owned(one[1], *whose)]:
                del self._cached[key]
        for function in touched.functions:
            self._functions.forget(function)
        for change in touched.changes():
            self._forget_seen(change)
            for listener in self._listeners:
                listener(change)
        if not done.cancelled():
            done.exception()  # seen: the caller may be gone

    def _forget_seen(self, change: Change) -> None:
        where = (change.account_id, change.region)
        for key in [key for key, (view, _) in self._seen.items() if key[1:] == where and change.touches(view.kinds)]:
            del self._seen[key]
        for found in [one for one in self._found if one[1:] == where and change.touches(frozenset((one[0],)))]:
            del self._found[found]


class _Touched:
    """What one change may have changed; an owner with an id, or with None for all it owns."""

    def __init__(self) -> None:
        self.places: set[tuple[str, Place]] = set()
        self.owners: set[tuple[FunctionKey, str | None]] = set()
        self.functions: set[FunctionKey] = set()

    def changes(self) -> Sequence[Change]:
        kinds: dict[tuple[str, str], set[str]] = {}
        for name, place in self.places:
            kinds.setdefault((place.account_id, place.region), set()).add(name)
        whole = {(key.account_id, key.region) for key, _ in self.owners}
        return [Change(*where, None if where in whole else frozenset(kinds[where])) for where in {*kinds, *whole}]


def _is_owned(place: Place, key: FunctionKey, own_id: str | None) -> bool:
    same = (place.account_id, place.region, place.owner) == (key.account_id, key.region, function_owner(key.name))
    return same and own_id in (None, place.id)


class _Watched:
    """See store.resources.Stored; notes what is written."""

    def __init__(self, stored: Stored, touched: _Touched) -> None:
        self._stored = stored
        self._touched = touched
        self.get = stored.get
        self.page = stored.page
        self.found = stored.found
        self.accounts_with = stored.accounts_with

    def put(self, kind: Kind[T], value: T) -> None:
        self._touched.places.add((kind.name, kind.place(value)))
        self._stored.put(kind, value)

    def delete(self, kind: Kind[Any], place: Place) -> bool:
        self._touched.places.add((kind.name, place))
        return self._stored.delete(kind, place)

    def function(self, key: FunctionKey, version: str = LATEST) -> Function | None:
        return self._stored.function(key, version)

    def insert_function(self, function: Function, *, published: Function | None = None) -> None:
        self._touched.functions.add(function.key)
        self._stored.insert_function(function, published=published)

    def replace_function(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        self._touched.functions.add(function.key)
        self._stored.replace_function(function, expected_revision_id=expected_revision_id, published=published)

    def delete_function(self, key: FunctionKey) -> bool:
        self._touched.functions.add(key)
        self._touched.owners.add((key, None))
        return self._stored.delete_function(key)

    def delete_version(self, key: FunctionKey, version: str) -> bool:
        self._touched.functions.add(key)
        self._touched.owners.add((key, version))
        return self._stored.delete_version(key, version)

    def delete_owned(self, key: FunctionKey, own_id: str) -> None:
        self._touched.owners.add((key, own_id))
        self._stored.delete_owned(key, own_id)

    def code_use(self, account_id: str, region: str) -> CodeUse:
        return self._stored.code_use(account_id, region)
