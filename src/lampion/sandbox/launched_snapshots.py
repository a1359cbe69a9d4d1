"""Snapshots that are held by a launcher (launcher/snapshot), for the driver whose launcher it is."""

import os
import socket
from collections.abc import Callable
from typing import Final, Protocol

from lampion.sandbox.beginnings import Beginning
from lampion.sandbox.delegating import Delegating
from lampion.sandbox.driver import Finding, Sandbox, SandboxError
from lampion.sandbox.launcher.build import LAUNCHER
from lampion.sandbox.launcher.connection import LauncherConnection, Listeners
from lampion.sandbox.launcher.description import Identity
from lampion.sandbox.prepared import Preparation, PreparedSandbox
from lampion.sandbox.spec import Limits, Mount, SandboxSpec

STUB_INSIDE: Final = "/var/lampion/process-1"
"""Where environments find the program of their process 1 (launcher/snapshot/snapshot.h)."""


class Sandboxes(Protocol):
    """What the driver does with every sandbox (namespace.NamespaceDriver)."""

    async def specialised(self, spec: SandboxSpec, prepared: PreparedSandbox) -> Sandbox: ...

    def running(self, spec: SandboxSpec, prepared: PreparedSandbox, listeners: Listeners) -> Sandbox: ...


def finding(*, is_root: bool, has_user_namespaces: bool) -> Finding | None:
    """Why no snapshot can be taken on this machine, if so."""
    effect = "SnapStart's versions do a full Init at each cold start"
    if not is_root:
        return Finding("snapshots", effect, "run the server as root: only root may copy a process past its filter")
    if not has_user_namespaces:
        return Finding("snapshots", effect, "sysctl user.max_user_namespaces=65536")
    return None


class LaunchedSnapshots:
    """Makes origins, and holds the snapshots taken of them."""

    def __init__(self, preparation: Preparation, sandboxes: Sandboxes) -> None:
        self._preparation = preparation
        self._sandboxes = sandboxes

    def finding(self) -> Finding | None:
        beginnings = self._preparation.beginnings
        return finding(is_root=os.geteuid() == 0, has_user_namespaces=beginnings.has_user_namespaces)

    async def start_origin(self, spec: SandboxSpec) -> "LaunchedOrigin":
        missing = self.finding()
        if missing is not None:
            raise SandboxError(f"no snapshots: {missing.mend}")
        if spec.network.leaves_host:
            raise SandboxError("a snapshot's network doesn't leave this machine")
        beginning = self._preparation.beginnings.begin_origin(spec.limits)
        prepared = self._preparation.watch(beginning)
        complete = _with_stub(spec)
        return LaunchedOrigin(await self._sandboxes.specialised(complete, prepared), self, prepared, beginning.identity)

    async def copy(
        self, origin: Identity, requests: socket.socket, spec: SandboxSpec
    ) -> tuple[Sandbox, PreparedSandbox]:
        """See `Snapshot.start`."""
        prepared = self._preparation.watch(self._begin_copy(origin, requests, spec.limits))
        try:
            listeners = await prepared.connection.prepared()
            await prepared.connection.running()
        except BaseException:
            await self._preparation.abandon(prepared)
            raise
        return self._sandboxes.running(spec, prepared, listeners), prepared

    def _begin_copy(self, origin: Identity, requests: socket.socket, limits: Limits) -> Beginning:
        try:
            return self._preparation.beginnings.begin_copy(origin, requests, limits)
        except OSError as error:
            raise SandboxError(f"the snapshot can't be asked: {error.strerror}") from error


class LaunchedOrigin(Delegating):
    """A sandbox that can become a snapshot."""

    def __init__(
        self, sandbox: Sandbox, snapshots: LaunchedSnapshots, prepared: PreparedSandbox, identity: Identity
    ) -> None:
        super().__init__(sandbox)
        self._snapshots = snapshots
        self._connection = prepared.connection
        self._identity = identity

    async def seal(self, proceed: Callable[[], None]) -> "LaunchedSnapshot":
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                await self._connection.watching(theirs)
            proceed()
            await self._connection.sealed()
        except BaseException:
            ours.close()
            await self._sandbox.stop(0)
            raise
        return LaunchedSnapshot(self._snapshots, self._connection, self._identity, ours)


class LaunchedSnapshot:
    """A process that is held. Its sandbox lasts as long as a copy does: their processes are below its process 1."""

    def __init__(
        self, snapshots: LaunchedSnapshots, connection: LauncherConnection, identity: Identity, requests: socket.socket
    ) -> None:
        self._snapshots = snapshots
        self._connection = connection
        self._identity = identity
        self._requests = requests
        self._copies: set[LauncherConnection] = set()
        self._is_closed = False

    @property
    def is_usable(self) -> bool:
        return not self._is_closed and not self._connection.is_over and not self._connection.has_lost_function

    async def start(self, spec: SandboxSpec) -> Sandbox:
        if not self.is_usable:
            raise SandboxError("the snapshot has gone")
        sandbox, prepared = await self._snapshots.copy(self._identity, self._requests, spec)
        self._copies.add(prepared.connection)
        prepared.connection.when_ended(lambda: self._forget(prepared.connection))
        return sandbox

    async def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._requests.close()
            self._end_when_unused()
        if not self._copies:
            await self._connection.ended()

    def _forget(self, copy: LauncherConnection) -> None:
        self._copies.discard(copy)
        self._end_when_unused()

    def _end_when_unused(self) -> None:
        if self._is_closed and not self._copies:
            self._connection.kill()


def _with_stub(spec: SandboxSpec) -> SandboxSpec:
    return SandboxSpec(
        sandbox_id=spec.sandbox_id,
        argv=spec.argv,
        environ=spec.environ,
        working_directory=spec.working_directory,
        mounts=(*spec.mounts, Mount(LAUNCHER, STUB_INSIDE)),
        limits=spec.limits,
        network=spec.network,
    )
