"""Sandboxes that wait for a function, on the event loop. Knows no function."""

import asyncio
import contextlib
import socket
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock
from lampion.sandbox.beginnings import Beginning, Beginnings
from lampion.sandbox.cgroup_host import remove_cgroups, sweep_cgroups
from lampion.sandbox.cgroups import CgroupPlan
from lampion.sandbox.driver import SandboxError
from lampion.sandbox.launcher.connection import LauncherConnection
from lampion.sandbox.launcher.daemon import Launched
from lampion.sandbox.launcher.description import Worker
from lampion.sandbox.spec import Limits, Mount

USUAL_LIMITS: Final = Limits(memory_mib=0, cpu_cores=0)
"""Sandboxes are prepared with these: what a process inherits is the same for all, and most have a /tmp of this size."""


@dataclass(frozen=True, slots=True)
class PreparedSandbox:
    """One that waits. Whoever holds it specialises it or abandons it, and closes its pipes."""

    connection: LauncherConnection
    launched: Launched
    plan: CgroupPlan

    @property
    def pipes(self) -> tuple[int, int]:
        """Of output and telemetry."""
        return self.launched.output, self.launched.telemetry


class Preparation:
    """Makes prepared sandboxes, and sees to the end of each."""

    def __init__(self, beginnings: Beginnings, clock: Clock, cgroup_parent: str) -> None:
        self.beginnings = beginnings
        self._clock = clock
        self._parent = cgroup_parent
        self._live: set[LauncherConnection] = set()
        self._chores: set[asyncio.Task[None]] = set()

    def prepare(
        self,
        mounts: tuple[Mount, ...],
        limits: Limits,
        worker: Worker | None = None,
        zygote: socket.socket | None = None,
        *,
        as_server: bool = False,
        root: Path | None = None,
    ) -> PreparedSandbox:
        """Begin to make one, which may be specialised at once. Raises SandboxError; then nothing is left.

        See `Beginnings.begin` of `as_server` and `root`.
        """
        return self.watch(self.beginnings.begin(mounts, limits, worker, as_server=as_server, root=root))

    def watch(self, beginning: Beginning) -> PreparedSandbox:
        """See to the end of a sandbox that has begun."""

        def forget(is_clean: bool) -> None:
            self._live.discard(connection)
            self.beginnings.give_back(beginning.identity)
            if not is_clean:
                self._do(self._remove_leftovers(beginning.plan))

        connection = LauncherConnection(beginning.launched, forget)
        self._live.add(connection)
        return PreparedSandbox(connection, beginning.launched, beginning.plan)

    async def abandon(self, prepared: PreparedSandbox) -> None:
        """Nobody wants it any more: kill what there is and wait until it has gone, whoever is cancelled meanwhile."""
        prepared.launched.close_pipes()
        prepared.connection.kill()

        async def see_off() -> None:
            await prepared.connection.ended()
            with contextlib.suppress(SandboxError):
                (await prepared.connection.prepared()).close()

        await asyncio.shield(self._do(see_off()))

    async def sweep(self) -> int:
        """See `Driver.sweep`."""
        return await sweep_cgroups(self.beginnings.layout, self._parent, self._clock)

    async def close(self) -> None:
        """End everything that was made."""
        live = list(self._live)
        for connection in live:
            connection.kill()
        for connection in live:
            await connection.ended()
        while self._chores:
            await asyncio.wait(self._chores)
        self.beginnings.close()

    async def _remove_leftovers(self, plan: CgroupPlan) -> None:
        await remove_cgroups([cgroup.path for cgroup in plan.cgroups if not cgroup.is_shared], self._clock)

    def _do(self, chore: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task
