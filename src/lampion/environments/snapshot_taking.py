"""Takes one snapshot of a version: its Init, in a sandbox and with a log stream of its own, up to the sealing."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from lampion.clock.clock import Clock
from lampion.domain import limits
from lampion.domain.function import Function, Reason
from lampion.domain.key_problems import KeyUnusable, cannot_start
from lampion.environments.endings import Answer, Ending, ExtensionEnded, TimedOut
from lampion.environments.extensions import TooManyExtensions
from lampion.environments.failures import failure_of
from lampion.environments.host import RuntimeServer
from lampion.environments.narrator import Narrator
from lampion.environments.provision import ExternalExtensions, Provisioner
from lampion.environments.session import RuntimeSession, Start
from lampion.function_logs.platform_facts import InitSummary
from lampion.sandbox.driver import SandboxError
from lampion.sandbox.snapshots import Snapshot, SnapshotOrigin, SnapshotRefused, Snapshotting
from lampion.sandbox.spec import SandboxSpec

_TIMED_OUT = Reason("The function's initialization took longer than it may.", "FunctionError.InitTimeout")


@dataclass(frozen=True, slots=True)
class Taken:
    """`authorization_token` is in the snapshot: with it, each of its environments asks for its own credentials."""

    snapshot: Snapshot
    spec: SandboxSpec
    authorization_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The function is well, but no snapshot can be taken of it."""

    why: str


class SnapshotTaking:
    """Runs Init and seals."""

    def __init__(
        self, driver: Snapshotting, provisioner: Provisioner, runtime_server: RuntimeServer, clock: Clock
    ) -> None:
        self._driver = driver
        self._provisioner = provisioner
        self._runtime_server = runtime_server
        self._clock = clock

    async def take(self, function: Function) -> Taken | NotTaken | Reason:
        """A Reason when the function's Init failed."""
        narrator = self._provisioner.narrator(function)
        token = self._provisioner.authorization_token()
        try:
            narrator.init_start("snap-start")
            try:
                origin, spec, offered = await self._provisioner.origin(function, self._driver, token)
                session = self._provisioner.session(function, Start.SNAPSHOT, offered)
                result = await self._initialize(function, origin, session, narrator)
            except (SandboxError, SnapshotRefused) as error:
                result = NotTaken(str(error))
            except TooManyExtensions as error:
                result = Reason(f"The function has {len(error.names)} extensions.", "FunctionError.TooManyExtensions")
            except KeyUnusable as unusable:
                result = cannot_start(unusable)
            except ExternalExtensions as error:
                result = await self._try_init(function) or NotTaken(str(error))
            if isinstance(result, NotTaken):
                narrator.remark(f"SnapStart is off for this version: {result.why}. Its environments do a full Init.")
        finally:
            narrator.close()
        return result if isinstance(result, NotTaken | Reason) else Taken(result, spec, token)

    async def _try_init(self, function: Function) -> Reason | None:
        """Whether its Init fails, of a function that no snapshot can be taken of: that is known now, as on AWS."""
        environment = self._provisioner.environment(function, ahead=True)
        try:
            await environment.start()
            failed = environment.failed_init
        finally:
            await environment.stop()
        return None if failed is None else _reason_of(failed)

    async def _initialize(
        self, function: Function, origin: SnapshotOrigin, session: RuntimeSession, narrator: Narrator
    ) -> Snapshot | NotTaken | Reason:
        started = self._clock.monotonic()
        narrator.attach(origin)
        narrator.admit(session, origin)
        runtime = await self._runtime_server.open(origin.runtime_api, session)
        watcher = asyncio.create_task(self._watch(origin, session))
        seconds = limits.init_seconds(function.configuration.timeout_seconds, is_ahead=True)
        timer = self._clock.call_later(seconds, lambda: session.end(TimedOut()))
        is_sealed = False
        try:
            ending = await session.initialized
            duration_ms = (self._clock.monotonic() - started) * 1000
            if ending is not None:
                return _failed(ending, duration_ms, narrator)
            narrator.init_report(InitSummary(duration_ms, "init", "success", None, "snap-start"))
            if session.extensions is not None:
                return NotTaken("it has extensions, which would wait for a server that isn't theirs")
            if not session.waits_for_snapshot:
                return NotTaken("its runtime doesn't ask for a snapshot")
            snapshot = await origin.seal(session.proceed_to_snapshot)
            is_sealed = True
            return snapshot
        finally:
            timer.cancel()
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
            if not is_sealed:
                await origin.stop(0)
            await self._provisioner.release(origin)
            await runtime.close()
            await narrator.dismiss()
            narrator.detach()

    async def _watch(self, origin: SnapshotOrigin, session: RuntimeSession) -> None:
        session.end(await origin.wait())


def _failed(ending: Ending, duration_ms: float, narrator: Narrator) -> Reason:
    failure = failure_of(ending, "", 0.0)
    assert failure is not None
    is_late = isinstance(ending, TimedOut)
    status, error_type = ("timeout", None) if is_late else ("error", failure.error_type)
    narrator.init_report(InitSummary(duration_ms, "init", status, error_type, "snap-start"))
    return _reason_of(ending)


def _reason_of(ending: Ending) -> Reason:
    if isinstance(ending, TimedOut):
        return _TIMED_OUT
    failure = failure_of(ending, "", 0.0)
    assert failure is not None
    said = ending.payload if isinstance(ending, Answer) else failure.payload
    whose = "Extension" if isinstance(ending, ExtensionEnded) else "Runtime"
    return Reason(
        f"The function's initialization failed: {said.decode(errors='replace')}", f"FunctionError.{whose}InitError"
    )
