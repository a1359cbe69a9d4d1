"""Containers through an OCI runtime that the settings name: crun, runc, or one that stands further off the kernel."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock
from lampion.sandbox.cgroups import cpu_quota
from lampion.sandbox.companions import CompanionProcesses
from lampion.sandbox.cpu_files import set_quota, set_weight
from lampion.sandbox.driver import Capabilities, DirectoryRefused, Exit, SandboxError
from lampion.sandbox.launcher.connection import LauncherConnection, Listeners
from lampion.sandbox.loopback import connect
from lampion.sandbox.oci.cgroup_files import CgroupFiles, find_cgroup_files
from lampion.sandbox.oci.containers import Begun, Containers, removal_command
from lampion.sandbox.oci.trial import choose_containers
from lampion.sandbox.spec import SandboxSpec, Template

_REMOVAL_SECONDS: Final = 60.0


class OciSandbox:
    """One container."""

    def __init__(
        self,
        spec: SandboxSpec,
        begun: Begun,
        connection: LauncherConnection,
        clock: Clock,
        listeners: Listeners,
    ) -> None:
        self.sandbox_id = spec.sandbox_id
        self.runtime_api = listeners.runtime_api
        self.gateway = listeners.gateway if spec.network.has_gateway else None
        if self.gateway is None:
            listeners.gateway.close()  # nobody listens there any more
        self.output, self.telemetry = begun.launched.output, begun.launched.telemetry
        self._connection = connection
        self._clock = clock
        self._cpu_cores = spec.limits.cpu_cores
        self.processes = connection.processes
        self._peak_bytes = 0
        self._process = 0
        self._files = CgroupFiles()
        with contextlib.suppress(OSError, ValueError):  # it has ended already
            self._process = int((begun.bundle / "pid").read_text())
            self._files = find_cgroup_files(Path(f"/proc/{self._process}/cgroup").read_text(), begun.cgroup_name)

    async def wait(self) -> Exit:
        ended = await self._connection.ended()
        self._peak_bytes = max(self._peak_bytes, ended.peak_bytes)
        return ended.exit

    async def stop(self, grace_seconds: float) -> Exit:
        if grace_seconds > 0 and not self._connection.is_over:
            self.thaw()
            self._connection.terminate()
            with contextlib.suppress(TimeoutError):
                async with self._clock.deadline(grace_seconds):
                    return await self.wait()
        self._connection.kill()
        return await self.wait()

    async def connect(self, port: int) -> socket.socket:
        return await connect(await self._connection.new_socket(), port)

    def limit_cpu(self) -> None:
        # Not by the runtime's `update`: that would be a process, where this is one write to the same file.
        set_quota(self._files.cpu_file, cpu_quota(self._cpu_cores, self._files.cpu_version))

    def give_way(self, *, to_others: bool) -> None:
        set_weight(self._files.weight_file, gives_way=to_others)

    def freeze(self) -> None:
        # Signals that process 1 sends: a frozen cgroup of version 1 would outlast the SIGKILL at the end.
        self._connection.stop_all()

    def thaw(self) -> None:
        self._connection.continue_all()

    def max_memory_bytes(self) -> int:
        """Of the cgroup; where it has none, of the function's process alone."""
        if not self._connection.is_over:
            with contextlib.suppress(OSError, ValueError):
                self._peak_bytes = max(self._peak_bytes, self._measure())
        return self._peak_bytes

    def _measure(self) -> int:
        if self._files.peak_file is not None:
            return int(self._files.peak_file.read_text())
        process = Path(f"/proc/{self._process}")
        children = (process / "task" / str(self._process) / "children").read_text().split()
        status = Path(f"/proc/{children[0]}/status") if children else process / "status"
        peak = status.read_text().partition("VmHWM:")[2].split()
        return int(peak[0]) * 1024 if peak else 0


class OciDriver:
    """Each sandbox is a container of its own, with a keeper process; nothing is prepared in advance."""

    name = "oci"

    def __init__(self, clock: Clock, command: tuple[str, ...], cgroup_parent: str = "lampion") -> None:
        """`command`: the runtime's name or path, and options for it."""
        self._clock = clock
        self._command = command
        self._parent = cgroup_parent
        self._capabilities: Capabilities | None = None
        self._made: Containers | None = None
        self._live: set[LauncherConnection] = set()
        self._chores: set[asyncio.Task[None]] = set()

    def capabilities(self) -> Capabilities:
        self._examine()
        assert self._capabilities is not None
        return self._capabilities

    def expect(self, template: Template) -> None:
        """A container can't be given to a function later."""

    async def start(self, spec: SandboxSpec) -> OciSandbox:
        if spec.shared is not None:
            raise DirectoryRefused(f"the sandbox driver {self.name} gives functions no file system")
        if spec.network.leaves_host:
            raise SandboxError("the OCI driver gives functions no network beyond this server")
        begun, connection = self._begin(spec)
        try:
            listeners = await connection.prepared()
            await connection.running()
        except BaseException:
            await self._abandon(begun, connection)
            raise
        return OciSandbox(spec, begun, connection, self._clock, listeners)

    async def sweep(self) -> int:
        containers, found = self._examine(), 0
        for owner in containers.dead_owners():
            bundles = containers.bundles_in(owner)
            await self._remove(bundles)
            containers.forget(owner)
            found += len(bundles)
        return found

    async def close(self) -> None:
        live = list(self._live)
        for connection in live:
            connection.kill()
        for connection in live:
            await connection.ended()
        while self._chores:
            await asyncio.wait(self._chores)
        if self._made is not None:
            self._made.close()

    def _examine(self) -> Containers:
        if self._made is None:
            self._capabilities, self._made = choose_containers(self._command, self._parent)
        return self._made

    def _begin(self, spec: SandboxSpec) -> tuple[Begun, LauncherConnection]:
        if spec.companions is None:
            begun = self._examine().begin(spec)
            return begun, self._connect(begun)
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        try:
            begun = self._examine().begin(spec, write_end)
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        connection = self._connect(begun)
        connection.processes = CompanionProcesses(spec.companions.programs, read_end, connection)
        return begun, connection

    def _connect(self, begun: Begun) -> LauncherConnection:
        def forget(_is_clean: bool) -> None:
            self._live.discard(connection)
            self._do(self._see_off(begun))

        connection = LauncherConnection(begun.launched, forget)
        self._live.add(connection)
        return connection

    async def _see_off(self, begun: Begun) -> None:
        containers = self._examine()
        await asyncio.to_thread(begun.keeper.wait)
        await self._remove(containers.remains_of(begun))
        containers.give_back(begun)

    async def _remove(self, bundles: list[Path]) -> None:
        if not bundles:
            return
        process = await asyncio.create_subprocess_exec(
            *removal_command(bundles),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            start_new_session=True,
        )
        try:
            async with self._clock.deadline(_REMOVAL_SECONDS):
                await process.wait()
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _abandon(self, begun: Begun, connection: LauncherConnection) -> None:
        begun.launched.close_pipes()
        if connection.processes is not None:
            connection.processes.close()
        connection.kill()

        async def see_off() -> None:
            await connection.ended()
            with contextlib.suppress(SandboxError):
                (await connection.prepared()).close()

        await asyncio.shield(self._do(see_off()))

    def _do(self, chore: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task
