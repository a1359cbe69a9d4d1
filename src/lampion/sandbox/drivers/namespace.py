"""Linux namespaces and control groups through the launcher: the sandbox for functions nobody needs to trust."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock
from lampion.sandbox.cgroup_host import owner_name, probe_cgroups, remove_cgroup, remove_owner, sweep_cgroups
from lampion.sandbox.cgroups import CgroupPlan, Layout, cpu_quota, plan_cgroups
from lampion.sandbox.doctor import examine
from lampion.sandbox.driver import Capabilities, Exit, SandboxError
from lampion.sandbox.host_view import host_entries, sandbox_entries
from lampion.sandbox.launcher.build import ensure_launcher
from lampion.sandbox.launcher.connection import LauncherConnection
from lampion.sandbox.launcher.description import Identity, describe
from lampion.sandbox.launcher.process import spawn
from lampion.sandbox.spec import SandboxSpec
from lampion.sandbox.user_ids import UserIds

# The ids that AWS gives; what an ordinary user's own id is called inside.
_USER_ID: Final = 993
_GROUP_ID: Final = 990


class NamespaceSandbox:
    """One sandbox of this driver."""

    def __init__(
        self,
        spec: SandboxSpec,
        connection: LauncherConnection,
        clock: Clock,
        runtime_api: socket.socket,
        pipes: tuple[int, int],
        set_quota: Callable[[], None],
        peak_file: Path | None,
    ) -> None:
        self.sandbox_id = spec.sandbox_id
        self.runtime_api = runtime_api
        self.output, self.telemetry = pipes
        self._connection = connection
        self._clock = clock
        self._set_quota = set_quota
        self._peak_bytes = 0
        self._peak = -1
        if peak_file is not None:
            with contextlib.suppress(OSError):  # it has ended already
                self._peak = os.open(peak_file, os.O_RDONLY | os.O_CLOEXEC)

    async def wait(self) -> Exit:
        ended = await self._connection.ended()
        self._peak_bytes = max(self._peak_bytes, ended.peak_bytes)
        self.release()
        return ended.exit

    async def stop(self, grace_seconds: float) -> Exit:
        if grace_seconds > 0 and not self._connection.is_over:
            self._connection.terminate()
            with contextlib.suppress(TimeoutError):
                async with self._clock.deadline(grace_seconds):
                    return await self.wait()
        self._connection.kill()
        return await self.wait()

    def limit_cpu(self) -> None:
        self._set_quota()

    def max_memory_bytes(self) -> int:
        if self._peak >= 0:
            try:
                self._peak_bytes = max(self._peak_bytes, int(os.pread(self._peak, 32, 0)))
            except OSError:
                return self._peak_bytes  # the cgroup has gone: the last value stands
        return self._peak_bytes

    def release(self) -> None:
        """Close the descriptor behind `max_memory_bytes`; its last value stays."""
        if self._peak >= 0:
            self.max_memory_bytes()
            os.close(self._peak)
            self._peak = -1


class NamespaceDriver:
    """Each sandbox: its own mount, process, IPC, host name, network and cgroup namespaces, its own user, its limits."""

    name = "namespace"

    def __init__(self, clock: Clock, cgroup_parent: str = "lampion") -> None:
        self._clock = clock
        self._parent = cgroup_parent
        self._owner = owner_name()
        self._is_root = os.geteuid() == 0
        self._user_ids = UserIds()
        self._running: dict[str, LauncherConnection] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._capabilities: Capabilities | None = None

        self._layout: Layout | None = None
        self._launcher: Path | None = None
        self._host_entries = host_entries()

    def capabilities(self) -> Capabilities:
        if self._capabilities is None:
            self._capabilities = examine(self._parent)
        return self._capabilities

    async def start(self, spec: SandboxSpec) -> NamespaceSandbox:
        launcher, layout = self._prepare()
        if spec.sandbox_id in self._running:
            raise SandboxError(f"a sandbox {spec.sandbox_id} is running already")
        plan = plan_cgroups(layout, self._parent, self._owner, spec.sandbox_id, spec.limits)
        identity = self._take_identity()
        try:
            launched = spawn(launcher, self._describe(spec, identity, plan))
        except BaseException:
            self._give_back(identity)
            raise

        def forget(is_clean: bool) -> None:
            self._running.pop(spec.sandbox_id, None)
            self._give_back(identity)
            if not is_clean:
                self._remove_leftovers(plan)

        connection = LauncherConnection(launched, self._clock, forget)
        self._running[spec.sandbox_id] = connection
        try:
            runtime_api = await connection.running()
        except BaseException:
            launched.close_pipes()
            await self._abandon(connection)
            raise
        pipes = (launched.output, launched.telemetry)

        def set_quota() -> None:
            self._limit_cpu(plan, spec.limits.cpu_cores)

        return NamespaceSandbox(spec, connection, self._clock, runtime_api, pipes, set_quota, plan.peak_file)

    async def sweep(self) -> int:
        _, layout = self._prepare()
        return await sweep_cgroups(layout, self._parent, self._clock)

    async def close(self) -> None:
        running = list(self._running.values())
        for connection in running:
            connection.kill()
        for connection in running:
            await connection.ended()
        while self._chores:
            await asyncio.gather(*self._chores)
        if self._layout is not None:
            remove_owner(self._layout, self._parent, self._owner)
        self._user_ids.close()

    def _prepare(self) -> tuple[Path, Layout]:
        if self._launcher is None or self._layout is None:
            self._launcher = ensure_launcher()
            self._layout = probe_cgroups(self._parent).layout
        return self._launcher, self._layout

    def _take_identity(self) -> Identity:
        if not self._is_root:
            return Identity(_USER_ID, _GROUP_ID, has_user_namespace=True)
        user_id = self._user_ids.take()
        return Identity(user_id, user_id, has_user_namespace=False)

    def _give_back(self, identity: Identity) -> None:
        if not identity.has_user_namespace:
            self._user_ids.give_back(identity.user_id)

    def _describe(self, spec: SandboxSpec, identity: Identity, plan: CgroupPlan) -> bytes:
        own_entries = sandbox_entries(identity.user_id, identity.group_id, spec.mounts)
        return describe(
            argv=spec.argv,
            environ=spec.environ,
            working_directory=spec.working_directory,
            limits=spec.limits,
            identity=identity,
            entries=(*self._host_entries, *own_entries),
            cgroups=plan,
        )

    def _limit_cpu(self, plan: CgroupPlan, cores: float) -> None:
        if plan.cpu_file is None or self._layout is None:
            return
        quota = cpu_quota(cores, self._layout.controllers["cpu"].version)
        with contextlib.suppress(FileNotFoundError):  # it has ended
            plan.cpu_file.write_text(quota)

    async def _abandon(self, connection: LauncherConnection) -> None:
        """The start has failed or was cancelled: kill what there is and wait until it has gone."""
        connection.kill()

        async def see_off() -> None:
            await connection.ended()
            with contextlib.suppress(SandboxError):
                (await connection.running()).close()

        await asyncio.shield(self._do(see_off()))

    def _remove_leftovers(self, plan: CgroupPlan) -> None:
        async def remove() -> None:
            for cgroup in plan.cgroups:
                if not cgroup.is_shared:
                    await remove_cgroup(cgroup.path, self._clock)

        self._do(remove())

    def _do(self, chore: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task
