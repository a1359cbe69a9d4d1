"""Snapshots of versions with SnapStart: one each, taken when the version is prepared, taken anew when it was lost.

They live in this server's sandboxes, so a server that starts has none: who knows the versions has them prepared again.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function, Reason
from lampion.domain.packaging import IMAGE
from lampion.domain.snap_start import OptimizationStatus
from lampion.environments.environment import Environment
from lampion.environments.host import Restore
from lampion.environments.provision import Provisioner
from lampion.environments.session import OfferedCredentials
from lampion.environments.snapshot_taking import NotTaken, SnapshotTaking, Taken
from lampion.sandbox.driver import Sandbox

_MOST_LOSSES: Final = 3

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Kept:
    """A version's snapshot, and of what exactly it was taken."""

    function: Function
    taken: Taken
    losses: int = 0
    is_being_replaced: bool = False


class VersionSnapshots:
    """Every environment comes from here: a copy of its version's snapshot when there is one, else a new one."""

    def __init__(self, provisioner: Provisioner, taking: SnapshotTaking | None) -> None:
        """`taking` is None when the driver can't take any."""
        self._provisioner = provisioner
        self._taking = taking
        self._kept: dict[tuple[FunctionKey, str], _Kept] = {}
        self._being_taken: list[Function] = []
        self._wanted: dict[tuple[FunctionKey, str], object] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def prepare(self, function: Function) -> Reason | None:
        """Have a snapshot of this version, in place of one of an earlier function of its name; there on return.

        None also when none can be taken: then its environments do a full Init. A Reason when its own Init failed.
        """
        return await self._prepare(function, losses=0)

    def discard(self, key: FunctionKey, version: str | None) -> None:
        """That version, or with None the function with all of them, is gone. Environments that run aren't concerned."""
        for identity in [known for known in self._wanted if known[0] == key and version in (None, known[1])]:
            del self._wanted[identity]
            self._drop(identity)

    def has(self, function: Function) -> bool:
        """Whether environments of this version start from a snapshot."""
        return self._usable(function) is not None

    def optimization_status(self, function: Function) -> OptimizationStatus:
        return OptimizationStatus.ON if self.has(function) else OptimizationStatus.OFF

    def environment(self, function: Function, *, ahead: bool = False) -> Environment:
        """A new environment, not started (environments.pool.EnvironmentFactory)."""
        kept = self._usable(function)
        return self._provisioner.environment(function, None if kept is None else self._restore(kept), ahead=ahead)

    def packages_in_use(self) -> frozenset[str]:
        """Names all stored code that snapshots have mounted, those too that are being taken."""
        functions = [*self._being_taken, *(kept.function for kept in self._kept.values())]
        return frozenset().union(*(function.code_in_use for function in functions))

    async def close(self) -> None:
        """Give all of them up."""
        self._is_closed = True
        for identity in tuple(self._kept):
            self._drop(identity)
        while self._chores:
            await asyncio.wait(self._chores)

    async def _prepare(self, function: Function, losses: int) -> Reason | None:
        identity = (function.key, function.version)
        if self._taking is None or self._is_closed or function.configuration.package_type == IMAGE:
            return None
        mark = self._wanted[identity] = object()
        self._being_taken.append(function)
        try:
            result = await self._taking.take(function)
        finally:
            self._being_taken.remove(function)
        if isinstance(result, Taken):
            if self._wanted.get(identity) is mark and not self._is_closed:
                self._drop(identity)
                self._kept[identity] = _Kept(function, result, losses)
            else:  # discarded, or prepared once more, meanwhile
                await result.snapshot.close()
            return None
        self._drop(identity)
        if isinstance(result, NotTaken):
            _LOG.warning("no snapshot of %s: %s", function.key.qualified_arn(function.version), result.why)
            return None
        return result

    def _usable(self, function: Function) -> _Kept | None:
        kept = self._kept.get((function.key, function.version))
        if kept is None or not _is_the_same(kept.function, function):
            return None
        if kept.taken.snapshot.is_usable:
            return kept
        self._replace(kept)
        return None

    def _replace(self, kept: _Kept) -> None:
        """Its process has died: one that does so again and again isn't worth it."""
        if kept.is_being_replaced or self._is_closed or kept.losses >= _MOST_LOSSES:
            return
        kept.is_being_replaced = True
        _LOG.warning("the snapshot of %s was lost", kept.function.key.qualified_arn(kept.function.version))
        self._do(self._prepare_again(kept))

    async def _prepare_again(self, kept: _Kept) -> None:
        try:
            failure = await self._prepare(kept.function, kept.losses + 1)
        except Exception:
            _LOG.exception("no snapshot of %s", kept.function.key.qualified_arn(kept.function.version))
            return
        if failure is not None:
            _LOG.warning("no snapshot any more: %s", failure.text)

    def _restore(self, kept: _Kept) -> Restore:
        async def launch() -> tuple[Sandbox, OfferedCredentials]:
            taken = kept.taken
            return await self._provisioner.copy(kept.function, taken.snapshot, taken.spec, taken.authorization_token)

        return Restore(launch)

    def _drop(self, identity: tuple[FunctionKey, str]) -> None:
        kept = self._kept.pop(identity, None)
        if kept is not None:
            self._do(kept.taken.snapshot.close())

    def _do(self, chore: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


def _is_the_same(one: Function, other: Function) -> bool:
    return one.configuration == other.configuration and one.package == other.package
