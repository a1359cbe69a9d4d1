"""Snapshots of a function over any driver: what the composition root puts together, without store and API."""

import json
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import lampion
from lampion.clock.clock import Clock, SystemClock
from lampion.clock.rng import SystemRng
from lampion.code.architectures import DEFAULT_ARCHITECTURE, HOST_ARCHITECTURE
from lampion.code.interpreters import Interpreter, RuntimeBase
from lampion.domain.function import AttachedLayer, DeploymentPackage, Function
from lampion.domain.key_problems import KeyUnusable
from lampion.environments.environment import Environment
from lampion.environments.file_systems import FileSystems
from lampion.environments.lent_keys import ASKED_LIFETIME_SECONDS
from lampion.environments.log_rate import USUAL_RATE
from lampion.environments.provision import Provisioner
from lampion.environments.reach import Reach
from lampion.environments.server_access import ServerAccess
from lampion.environments.snapshot_taking import SnapshotTaking
from lampion.environments.snapshots import VersionSnapshots
from lampion.function_logs.journal import LogGroup
from lampion.identity.session_keys import SessionKey, SessionKeys
from lampion.runtime_api.door import RuntimeApiServer
from lampion.sandbox.driver import Driver
from lampion.sandbox.snapshots import snapshotting
from lampion.sandbox.spec import NetworkMode
from tests.component.environments.stage import FUNCTION, Lines, invocation

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


class Streams:
    """Log streams that keep what they get, in the order of opening."""

    def __init__(self) -> None:
        self.opened: list[Lines] = []

    def open_stream(self, group: LogGroup, stream: str) -> Lines:
        self.opened.append(Lines())
        return self.opened[-1]


@dataclass
class Trees:
    """The unpacked package is this directory, and the layers are that other one; or a key is of no use, and why."""

    directory: Path
    opt: Path | None = None
    refusal: KeyUnusable | None = None

    async def prepare_package(self, package: DeploymentPackage, base: RuntimeBase | None) -> Path:
        await self.check_package(package)
        return self.directory

    async def check_package(self, package: DeploymentPackage) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def prepare_layers(self, layers: Sequence[AttachedLayer], base: RuntimeBase | None) -> Path:
        assert self.opt is not None, "the function has no layers"
        return self.opt


class RuntimeTrees:
    """The runtime as it is in the source tree."""

    async def prepare(self, interpreter: Interpreter) -> Path:
        return Path(lampion.__file__).parent / "runtimes" / "python"


class NoDoors:
    """Nobody serves a gateway here."""

    def open(self, listener: socket.socket) -> "NoDoors":
        listener.close()
        return self

    async def close(self) -> None:
        pass


class NoRoles:
    """No role is here, and every key counts."""

    async def role_id(self, account_id: str, role_arn: str) -> str:
        return ""

    async def counts(self, session: SessionKey) -> bool:
        return True


@dataclass(frozen=True)
class ThisPython:
    """The interpreter of the tests, under whichever name, and a layer of packages if there is one."""

    layer: Path | None = None

    async def find(self, runtime: str, architecture: str) -> Interpreter:
        prefix = Path(sys.base_prefix)
        executable = prefix / "bin" / f"python{VERSION}"
        inside = f"/var/lang/bin/python{VERSION}"
        layer = () if self.layer is None else ((self.layer, "/opt/python"),)
        mounts = ((prefix, "/var/lang"), *layer)
        own = HOST_ARCHITECTURE if architecture == DEFAULT_ARCHITECTURE else architecture
        return Interpreter("python3.12", VERSION, executable, prefix, inside, mounts, architecture=own)

    def version_label(self, identifier: str) -> str:
        return "python:3.12.v1"

    def version_arn(self, function: Function) -> str | None:
        return "arn"


class AsTheyAre:
    """Functions whose variables aren't encrypted; or a key that is of no use, and why."""

    refusal: KeyUnusable | None = None

    async def opened(self, function: Function) -> Function:
        if self.refusal is not None:
            raise self.refusal
        return function


@dataclass(frozen=True)
class SnapshotStage:
    """A function's version, and where its environments come from."""

    function: Function
    driver: Driver
    snapshots: VersionSnapshots
    streams: Streams
    variables: AsTheyAre
    trees: Trees

    @asynccontextmanager
    async def environment(self) -> AsyncIterator[Environment]:
        """A started one."""
        environment = self.snapshots.environment(self.function)
        try:
            await environment.start()
            yield environment
        finally:
            await environment.stop()

    async def answer(self, event: Any = None) -> Any:
        """What a new environment answers."""
        async with self.environment() as environment:
            return json.loads((await environment.invoke(invocation(event))).payload)


@asynccontextmanager
async def snapshot_stage(
    driver: Driver,
    task: Path,
    clock: Clock | None = None,
    layer: Path | None = None,
    opt: Path | None = None,
    key_seconds: float = ASKED_LIFETIME_SECONDS,
    **configuration: Any,
) -> AsyncIterator[SnapshotStage]:
    """`opt` is what a function with layers finds there."""
    clock = clock or SystemClock()
    changes = {"runtime": "python3.12", "handler": "app.handler", **configuration}
    function = replace(FUNCTION, version="7", configuration=replace(FUNCTION.configuration, **changes))
    streams, server, python, variables = Streams(), RuntimeApiServer(clock), ThisPython(layer), AsTheyAre()
    trees = Trees(task, opt)
    provisioner = Provisioner(
        most_memory_mib=1024,
        driver=driver,
        packages=trees,
        images=cast("Any", None),
        image_architectures=cast("Any", None),
        runtime_files=RuntimeTrees(),
        variables=variables,
        access=ServerAccess(
            SessionKeys(SystemRng(), clock), NoDoors(), NoRoles(), clock, asked_lifetime_seconds=key_seconds
        ),
        file_systems=FileSystems({}, clock),
        reach=Reach(NetworkMode.GATEWAY, {}),
        interpreters=python,
        labels=python,
        runtime_server=server,
        logs=streams,  # type: ignore[arg-type]
        clock=clock,
        rng=SystemRng(),
        log_rate=USUAL_RATE,
    )
    able = snapshotting(driver)
    taking = None if able is None else SnapshotTaking(able, provisioner, server, clock)
    snapshots = VersionSnapshots(provisioner, taking)
    try:
        yield SnapshotStage(function, driver, snapshots, streams, variables, trees)
    finally:
        await snapshots.close()
        await driver.close()
