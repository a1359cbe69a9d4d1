"""Linux namespaces and control groups through the launcher: the sandbox for functions nobody needs to trust."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock
from lampion.sandbox.beginnings import Beginnings
from lampion.sandbox.cgroup_host import owner_name
from lampion.sandbox.cgroups import cpu_quota, limit_settings
from lampion.sandbox.companions import companion_processes
from lampion.sandbox.cpu_files import set_quota, set_weight
from lampion.sandbox.doctor import examine
from lampion.sandbox.driver import Capabilities, DirectoryRefused, Exit, Finding, ProgramError, SandboxError
from lampion.sandbox.freezer import CgroupFreezer, Freezer, SignalFreezer
from lampion.sandbox.host_view import Entry, EntryKind, mount_entries
from lampion.sandbox.launched_snapshots import LaunchedOrigin, LaunchedSnapshots
from lampion.sandbox.launcher.connection import LauncherConnection, Listeners
from lampion.sandbox.launcher.description import GATEWAY_VARIABLES, describe_special
from lampion.sandbox.loopback import connect
from lampion.sandbox.network.egress import Egress
from lampion.sandbox.network.firewall import can_change_firewall, sweep_tables, table_name
from lampion.sandbox.network.router import Outside
from lampion.sandbox.prepared import USUAL_LIMITS, Preparation, PreparedSandbox
from lampion.sandbox.spec import Companions, SandboxSpec, SharedDirectory, Template, WorkerStart
from lampion.sandbox.stock import Stock

DEFAULT_STOCK: Final = 4

_LOG = logging.getLogger(__name__)


class NamespaceSandbox:
    """One sandbox of this driver."""

    def __init__(
        self,
        spec: SandboxSpec,
        prepared: PreparedSandbox,
        clock: Clock,
        listeners: Listeners,
        set_quota: Callable[[], None],
    ) -> None:
        self.sandbox_id = spec.sandbox_id
        self.runtime_api = listeners.runtime_api
        self.gateway = listeners.gateway if spec.network.has_gateway else None
        if self.gateway is None:
            listeners.gateway.close()  # nobody listens there any more
        self.output, self.telemetry = prepared.pipes
        self._connection = prepared.connection
        self.processes = prepared.connection.processes
        self._clock = clock
        self._set_quota = set_quota
        self._freezer: Freezer
        if prepared.plan.freeze_file is None:
            self._freezer = SignalFreezer(self._connection.stop_all, self._connection.continue_all)
        else:
            self._freezer = CgroupFreezer(prepared.plan.freeze_file)
        self._weight_file = prepared.plan.weight_file
        self._peak_bytes = 0
        self._peak = -1
        if prepared.plan.peak_file is not None:
            with contextlib.suppress(OSError):  # it has ended already
                self._peak = os.open(prepared.plan.peak_file, os.O_RDONLY | os.O_CLOEXEC)

    async def wait(self) -> Exit:
        ended = await self._connection.ended()
        self._peak_bytes = max(self._peak_bytes, ended.peak_bytes)
        self.release()
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
        self._set_quota()

    def give_way(self, *, to_others: bool) -> None:
        set_weight(self._weight_file, gives_way=to_others)

    def freeze(self) -> None:
        self._freezer.freeze()

    def thaw(self) -> None:
        self._freezer.thaw()

    def max_memory_bytes(self) -> int:
        if self._peak >= 0:
            try:
                self._peak_bytes = max(self._peak_bytes, int(os.pread(self._peak, 32, 0)))
            except OSError:
                return self._peak_bytes  # the cgroup has gone: the last value stands
        return self._peak_bytes

    def release(self) -> None:
        """Close the descriptors of its cgroups; the last value of `max_memory_bytes` stays."""
        self._freezer.close()
        if self._peak >= 0:
            self.max_memory_bytes()
            os.close(self._peak)
            self._peak = -1


class NamespaceDriver:
    """Each sandbox: its own namespaces of every kind, its own user, its limits. Some are prepared in advance.

    In the directory `scratch`, on a disk, lies what functions write to /tmp; without it that is memory of theirs.
    """

    name = "namespace"

    def __init__(
        self,
        clock: Clock,
        cgroup_parent: str = "lampion",
        stock: int = DEFAULT_STOCK,
        scratch: Path | None = None,
        outside: Outside | None = None,
    ) -> None:
        """Without `outside`, a sandbox whose network leaves the host is refused."""
        self._clock = clock
        self._parent = cgroup_parent
        self._scratch = scratch
        self._preparation = Preparation(Beginnings(cgroup_parent, scratch), clock, cgroup_parent)
        self._stock = Stock(self._preparation, stock, clock)
        self._egress = None if outside is None else Egress(table_name(cgroup_parent, owner_name()), outside)
        self._snapshots = LaunchedSnapshots(self._preparation, self)
        self._capabilities: Capabilities | None = None

    def capabilities(self) -> Capabilities:
        if self._capabilities is None:
            found, missing = examine(self._parent, self._scratch), self.snapshot_finding()
            self._capabilities = found if missing is None else replace(found, findings=(*found.findings, missing))
        return self._capabilities

    def expect(self, template: Template) -> None:
        self._stock.fill(template)

    async def start(self, spec: SandboxSpec) -> NamespaceSandbox:
        await self._preparation.beginnings.disks.of(spec.limits.tmp_mib)
        if spec.shared is not None:
            return await self._start_sharing(spec, spec.shared)
        if spec.template is not None and spec.companions is None and _inherits_usual_limits(spec):
            try:
                return await self._start(spec, self._stock.take(spec.template, spec.limits), spec.template)
            except ProgramError:
                raise
            except SandboxError as error:
                _LOG.warning("sandbox %s starts the slow way: %s", spec.sandbox_id, error)
        return await self.specialised(spec, self._prepared(spec))

    async def _start_sharing(self, spec: SandboxSpec, shared: SharedDirectory) -> NamespaceSandbox:
        """Only root can let a function act as somebody else; any other server only as itself."""
        if self._preparation.beginnings.is_root:
            return await self.specialised(spec, self._prepared(spec))
        if (shared.user_id, shared.group_id) != (os.geteuid(), os.getegid()):
            raise DirectoryRefused(
                f"only a server that is root can let functions act as user {shared.user_id} and group "
                f"{shared.group_id}; this one is {os.geteuid()} and {os.getegid()}"
            )
        as_launcher_numbers = replace(spec, shared=replace(shared, user_id=0, group_id=0))
        return await self.specialised(as_launcher_numbers, self._prepared(spec, as_server=True))

    def _prepared(self, spec: SandboxSpec, *, as_server: bool = False) -> PreparedSandbox:
        """One of its own, on the root that it wants."""
        return self._preparation.prepare((), spec.limits, as_server=as_server, root=spec.root)

    def snapshot_finding(self) -> Finding | None:
        return self._snapshots.finding()

    async def start_origin(self, spec: SandboxSpec) -> LaunchedOrigin:
        await self._preparation.beginnings.disks.of(spec.limits.tmp_mib)
        return await self._snapshots.start_origin(spec)

    async def sweep(self) -> int:
        if can_change_firewall():
            try:
                await asyncio.to_thread(sweep_tables, self._parent)
            except SandboxError as error:
                _LOG.info("firewall rules of servers that died may be left: %s", error)
        return await self._preparation.sweep()

    async def close(self) -> None:
        await self._stock.close()
        await self._preparation.close()
        if self._egress is not None:
            await self._egress.close()

    async def _start(self, spec: SandboxSpec, prepared: PreparedSandbox, template: Template | None) -> NamespaceSandbox:
        try:
            further = await self._attach(spec, prepared) if spec.network.leaves_host else ()
            special = self._special(spec, prepared, template, further)
            _specialise(prepared.connection, special, spec.companions)
            listeners = await prepared.connection.prepared()
            await prepared.connection.running()
        except BaseException:
            await self._preparation.abandon(prepared)
            if prepared.connection.processes is not None:
                prepared.connection.processes.close()
            raise
        return self.running(spec, prepared, listeners)

    async def specialised(self, spec: SandboxSpec, prepared: PreparedSandbox) -> NamespaceSandbox:
        """Give a sandbox in which no process waits to a function."""
        return await self._start(spec, prepared, None)

    def running(self, spec: SandboxSpec, prepared: PreparedSandbox, listeners: Listeners) -> NamespaceSandbox:
        """A sandbox whose function's process runs."""

        def set_quota() -> None:
            self._limit_cpu(prepared, spec.limits.cpu_cores)

        return NamespaceSandbox(spec, prepared, self._clock, listeners, set_quota)

    async def _attach(self, spec: SandboxSpec, prepared: PreparedSandbox) -> tuple[Entry, ...]:
        """A way out, and the files that tell of it."""
        if self._egress is None:
            raise SandboxError("this server gives sandboxes no way out of the machine")
        egress, listeners = self._egress, await prepared.connection.prepared()
        attachment = await egress.attach(listeners.runtime_api, spec.network)
        prepared.connection.when_ended(lambda: egress.give_back(attachment))
        kind = EntryKind.FILE if spec.root is None else EntryKind.COVER
        return (Entry(kind, "/etc/resolv.conf", attachment.resolver_file),)

    def _special(
        self, spec: SandboxSpec, prepared: PreparedSandbox, template: Template | None, further: tuple[Entry, ...]
    ) -> bytes:
        present = () if template is None else template.mounts
        has_worker = template is not None and template.start is not WorkerStart.NONE
        drivers_own = GATEWAY_VARIABLES if spec.network.has_gateway else {}
        companions = spec.companions
        return describe_special(
            argv=() if has_worker else spec.argv,
            environ={**drivers_own, **spec.environ, **spec.telemetry_variables},
            working_directory=spec.working_directory,
            limits=spec.limits,
            settings=limit_settings(self._preparation.beginnings.layout, prepared.plan, spec.limits),
            entries=(*mount_entries(mount for mount in spec.mounts if mount not in present), *further),
            shared=spec.shared,
            companions=companions and replace(companions, environ={**drivers_own, **companions.environ}),
        )

    def _limit_cpu(self, prepared: PreparedSandbox, cores: float) -> None:
        if prepared.plan.cpu_file is not None:
            version = self._preparation.beginnings.layout.controllers["cpu"].version
            set_quota(prepared.plan.cpu_file, cpu_quota(cores, version))


def _specialise(connection: LauncherConnection, description: bytes, companions: Companions | None) -> None:
    if companions is None:
        connection.specialise(description)
        return
    connection.processes, write_end = companion_processes(companions.programs, connection)
    try:
        connection.specialise(description, write_end)
    finally:
        os.close(write_end)


def _inherits_usual_limits(spec: SandboxSpec) -> bool:
    wanted, usual = spec.limits, USUAL_LIMITS
    return (wanted.max_processes, wanted.max_open_files) == (usual.max_processes, usual.max_open_files)
