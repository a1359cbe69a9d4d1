"""One execution environment: Init, invocations one at a time, Shutdown.

It knows no pool and no HTTP; what it needs of the host comes as a `Host`.
"""

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, NoReturn, Protocol

from lampion.clock.clock import Clock
from lampion.domain import limits
from lampion.domain.errors import SnapStartException, SnapStartTimeoutException
from lampion.domain.function import Function
from lampion.domain.invocation import Invocation, Outcome
from lampion.environments.courtesy import Courtesy
from lampion.environments.endings import Answer, Answered, Dispatch, Ending, TimedOut, Truncated
from lampion.environments.environ import ON_DEMAND, PROVISIONED
from lampion.environments.failures import Failure, failure_of
from lampion.environments.image_program import LaunchFailed
from lampion.environments.narrator import Narrator
from lampion.environments.response_stream import ResponseStream
from lampion.environments.running import OpenRuntime, Running
from lampion.environments.session import OfferedCredentials, RuntimeSession, Start
from lampion.environments.state import Phase, Step, advance
from lampion.function_logs.platform_lines import InitSummary, RestoreDurations, RestoreSummary, RunSummary
from lampion.sandbox.driver import Sandbox, SandboxError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_LOG = logging.getLogger(__name__)
_FREEZE_RETRY_SECONDS = 0.001
_EXIT_GRACE_SECONDS = 0.5  # between the end of a process's connection and the news of its own
_SHUTDOWN_GRACE_SECONDS = 0.0  # Lambda gives a runtime without extensions no time to shut down


class RuntimeServer(Protocol):
    """Serves the Runtime API of one session on one listening socket, until closed."""

    async def open(self, listener: socket.socket, session: RuntimeSession) -> OpenRuntime: ...


class Launch(Protocol):
    """Starts this environment's sandbox: a fresh one at every call. Raises sandbox.driver.SandboxError."""

    async def __call__(self) -> Sandbox: ...


class Release(Protocol):
    """Takes back what a sandbox was lent at its launch, when it has ended."""

    async def __call__(self, sandbox: Sandbox) -> None: ...


@dataclass(frozen=True, slots=True)
class Restore:
    """How an environment starts from a snapshot instead of Init.

    `launch` gives the copy and what it may ask for; it raises SandboxError when the snapshot has gone.
    """

    launch: "Callable[[], Awaitable[tuple[Sandbox, OfferedCredentials]]]"


class Environment:
    """Runs one version of one function, in one sandbox at a time."""

    def __init__(
        self,
        function: Function,
        *,
        launch: Launch,
        release: Release,
        runtime_server: RuntimeServer,
        narrator: Narrator,
        clock: Clock,
        restore: Restore | None = None,
        ahead: bool = False,
    ) -> None:
        """One that is made `ahead` of invocations, not for one, is provisioned concurrency."""
        self.function = function
        self._initialization_type = PROVISIONED if ahead else ON_DEMAND
        self.phase = Phase.INIT if restore is None else Phase.RESTORE
        self._restore = restore
        self._restore_durations: RestoreDurations | None = None
        self.idle_since = 0.0
        self.used_bytes = 0  # the most memory that its sandbox has had, as far as that is known
        self.on_idle_exit: Callable[[Environment], object] = _nobody_cares
        self.on_launched: Callable[[Environment], object] = _nobody_cares
        self._launch = launch
        self._release = release
        self._runtime_server = runtime_server
        self._narrator = narrator
        self._clock = clock
        self._running: Running | None = None
        self.courtesy: Courtesy | None = None  # of the latest sandbox; before there is one, of its predecessor
        self._init_ms: float | None = None
        self._unwritten: tuple[Invocation, float, Failure | None] | None = None
        self.is_frozen = False
        self._timeout_seconds = float(function.configuration.timeout_seconds)
        self.memory_mib = function.configuration.memory_mib

    def __repr__(self) -> str:
        return f"<Environment {self.function.key.name}:{self.function.version} {self.phase}>"

    @property
    def is_reusable(self) -> bool:
        """Whether another invocation may be given to it."""
        return self.phase is Phase.IDLE

    async def start(self) -> None:
        """The Init phase, or Restore. A function that fails Init leaves the environment in INIT_FAILED; see `invoke`.

        Raises SandboxError when the platform can't provide a sandbox, SnapStartException and
        SnapStartTimeoutException when the function fails Restore: then the environment has ended.
        """
        if self._restore is not None and await self._restored(self._restore):
            return
        self._narrator.init_start(self._initialization_type)
        started = self._clock.monotonic()
        ending = await self._initialize(self._init_limit_seconds)
        if ending is None:
            assert self._running is not None
            self.used_bytes = self._running.sandbox.max_memory_bytes()
            self._init_ms = (self._clock.monotonic() - started) * 1000
            self._step(Step.READY)
            self.idle_since = self._clock.monotonic()
            return
        await self._report_init(ending, phase="init", started=started, request_id="")
        self._step(Step.INIT_FAILED)

    async def invoke(self, invocation: Invocation, stream: ResponseStream | None = None) -> Outcome:
        """One invocation, to its end whatever happens; never raises for what the function does.

        A function that streams writes to `stream`, and its outcome has no payload; without one its pieces are gathered.
        After a failed Init, Init is repeated first, within the invocation's time, as Lambda does.
        Raises SandboxError when the platform can't provide a sandbox for that.
        """
        self._write_report()
        needs_init = self.phase is Phase.INIT_FAILED
        self._step(Step.INVOKE)
        started = self._clock.monotonic()
        remaining_seconds = self._timeout_seconds
        self._narrator.begin(wants_log=invocation.wants_log)
        failed_init = await self._initialize_again(invocation, started) if needs_init else None
        if failed_init is not None:
            self._narrator.start(invocation.request_id, invocation.tenant_id, self._clock.now())
            return await self._end_with(invocation, failed_init, started, during_init=True)
        if needs_init:
            remaining_seconds -= self._clock.monotonic() - started
        running = self._running
        assert running is not None
        if self.is_frozen:
            self.is_frozen = False
            running.sandbox.thaw()
        now = self._clock.now()
        answered = running.session.dispatch(Dispatch(invocation, int((now + remaining_seconds) * 1000), stream))
        # The function needn't wait for this; what it writes is read on one of the event loop's next turns.
        self._narrator.start(invocation.request_id, invocation.tenant_id, now)
        running.courtesy.begin(remaining_seconds, running.late)
        try:
            ending = await answered
            if isinstance(ending, Truncated):
                ending = await self._exit_of(running) or ending
        finally:
            running.courtesy.end()
        if isinstance(ending, Answer):
            return self._go_on_after(invocation, ending, started)
        return await self._end_with(invocation, ending, started)

    def freeze(self) -> None:
        """Between invocations nothing of the function runs: not at all, once its runtime waits for the next one.

        A runtime that doesn't ask for it is given time to, at most the function's timeout, as on Lambda.
        """
        running = self._running
        if self.phase is not Phase.IDLE or self.is_frozen or running is None:
            return
        self._write_report()
        idle_seconds = self._clock.monotonic() - self.idle_since
        if running.session.is_waiting or idle_seconds >= self._timeout_seconds:
            self.is_frozen = True
            running.sandbox.freeze()
        else:
            self._clock.call_later(max(idle_seconds, _FREEZE_RETRY_SECONDS), self.freeze)

    async def stop(self) -> None:
        """The Shutdown phase: end the sandbox and give everything back. Idempotent."""
        if self.phase in (Phase.SHUTDOWN, Phase.GONE):
            return
        self._step(Step.STOP)
        await self._end_sandbox()
        self._narrator.close()
        self._step(Step.ENDED)

    # -- Init --

    @property
    def _init_limit_seconds(self) -> float:
        """Developer guide, "Understanding the Lambda execution environment lifecycle": ahead of invocations it may
        take as long as one of them, or longer."""
        if self._initialization_type == PROVISIONED:
            return max(limits.AHEAD_INIT_SECONDS, self._timeout_seconds)
        return limits.INIT_SECONDS

    async def _initialize(self, limit_seconds: float) -> Ending | None:
        """Start a sandbox and wait for its runtime; None when it is ready, else why not (sandbox still there)."""
        try:
            sandbox = await self._launch()
        except LaunchFailed as failed:
            self._narrator.launch_failed(failed.line)
            return failed.ending
        return await self._serve(sandbox, RuntimeSession(), limit_seconds)

    async def _serve(self, sandbox: Sandbox, session: RuntimeSession, limit_seconds: float) -> Ending | None:
        self.on_launched(self)
        try:
            runtime = await self._runtime_server.open(sandbox.runtime_api, session)
        except BaseException:
            await sandbox.stop(0)
            await self._release(sandbox)
            raise
        self._narrator.attach(sandbox)
        watcher = asyncio.create_task(self._watch(sandbox, session))
        courtesy = self.courtesy = Courtesy(sandbox, self._clock, self.courtesy)
        running = self._running = Running(sandbox, session, runtime, watcher, courtesy)
        courtesy.begin(limit_seconds, running.late)
        try:
            ending = await session.initialized
        finally:
            courtesy.end()
        if ending is None:
            sandbox.limit_cpu()
        return ending

    async def _restored(self, restore: Restore) -> bool:
        """Start from the snapshot; False when it has gone meanwhile, and the environment is to do an Init."""
        started = self._clock.monotonic()
        try:
            sandbox, credentials = await restore.launch()
        except SandboxError as error:
            _LOG.warning("%r does an Init: %s", self, error)
            self._step(Step.NO_SNAPSHOT)
            return False
        copied = self._clock.monotonic()
        self._narrator.restore_start()
        session = RuntimeSession(Start.RESTORE, credentials)
        ending = await self._serve(sandbox, session, limits.RESTORE_SECONDS)
        now = self._clock.monotonic()
        duration_ms = (now - started) * 1000
        if ending is not None:
            await self._fail_restore(ending, duration_ms)
        self._narrator.restore_report(RestoreSummary(duration_ms, "success", None))
        self._restore_durations = RestoreDurations(duration_ms, ceil((now - copied) * 1000))
        self._step(Step.READY)
        self.idle_since = now
        return True

    async def _fail_restore(self, ending: Ending, duration_ms: float) -> NoReturn:
        await self._end_sandbox()
        failure = failure_of(ending, "", self._timeout_seconds)
        assert failure is not None
        is_late = isinstance(ending, TimedOut)
        status, error_type = ("timeout", None) if is_late else ("error", failure.error_type)
        self._narrator.restore_report(RestoreSummary(duration_ms, status, error_type))
        await self.stop()
        if is_late:
            raise SnapStartTimeoutException("Lambda couldn't restore the snapshot within the timeout limit.")
        raise SnapStartException(
            "The afterRestore() runtime hook encountered an error."
            " For more information, check the Amazon CloudWatch logs."
        )

    async def _initialize_again(self, invocation: Invocation, started: float) -> Ending | None:
        ending = await self._initialize(self._timeout_seconds)
        if ending is not None:
            await self._report_init(ending, phase="invoke", started=started, request_id=invocation.request_id)
        return ending

    async def _report_init(self, ending: Ending, *, phase: str, started: float, request_id: str) -> None:
        duration_ms = (self._clock.monotonic() - started) * 1000
        await self._end_sandbox()
        failure = failure_of(ending, request_id, self._timeout_seconds)
        assert failure is not None
        error_type = None if isinstance(ending, TimedOut) else failure.error_type
        status = failure.status or "error"
        self._narrator.init_report(InitSummary(duration_ms, phase, status, error_type, self._initialization_type))

    # -- the end of an invocation --

    def _go_on_after(self, invocation: Invocation, answer: Answer, started: float) -> Outcome:
        """The usual end: the runtime answered, and waits for more.

        Its caller needn't wait for the report, which is written on the event loop's next turn: before anything that
        somebody who has the answer can ask for, and before anything else is done with the environment.
        """
        now = self._clock.monotonic()
        duration_ms = (now - started) * 1000
        failure = failure_of(answer, invocation.request_id, self._timeout_seconds)
        self._unwritten = (invocation, duration_ms, failure)
        if invocation.wants_log:
            self._write_report()
        else:
            asyncio.get_running_loop().call_soon(self._write_report)
        self._step(Step.ANSWERED)
        self.idle_since = now
        return self._outcome(answer, failure, duration_ms)

    def _write_report(self) -> None:
        """Of an invocation that has been answered, if it isn't written yet."""
        if self._unwritten is not None:
            unwritten, self._unwritten = self._unwritten, None
            self._measure_memory()
            self._report(*unwritten)

    def _measure_memory(self) -> None:
        self.used_bytes = 0 if self._running is None else self._running.sandbox.max_memory_bytes()

    async def _end_with(
        self, invocation: Invocation, ending: Ending | Answered, started: float, *, during_init: bool = False
    ) -> Outcome:
        """The environment can't be used any more."""
        last = ending.end if isinstance(ending, Answered) else ending
        is_late = isinstance(last, TimedOut)
        duration_ms = (self._timeout_seconds if is_late else self._clock.monotonic() - started) * 1000
        failure = failure_of(last, invocation.request_id, self._timeout_seconds)
        self._measure_memory()
        await self._end_sandbox()
        self._report(invocation, duration_ms, failure, during_init=during_init)
        await self.stop()
        if isinstance(ending, Answered):  # the answer stands, whatever came after it
            ending = ending.answer
            failure = failure_of(ending, invocation.request_id, self._timeout_seconds)
        return self._outcome(ending, failure, duration_ms)

    def _report(
        self, invocation: Invocation, duration_ms: float, failure: Failure | None, *, during_init: bool = False
    ) -> None:
        init_ms, self._init_ms = self._init_ms, None
        restore, self._restore_durations = self._restore_durations, None
        status = "" if failure is None else failure.status or ("error" if during_init else "")
        error_type = failure.error_type if failure is not None and status == "error" else None
        summary = RunSummary(duration_ms, init_ms, self.used_bytes, status, error_type, restore)
        self._narrator.finish(invocation.request_id, summary, invocation.tenant_id)

    def _outcome(self, ending: Ending, failure: Failure | None, duration_ms: float) -> Outcome:
        return Outcome(
            payload=ending.payload if failure is None and isinstance(ending, Answer) else _payload(failure),
            executed_version=self.function.version,
            function_error=None if failure is None else "Unhandled",
            error_type=None if failure is None else failure.error_type,
            log_tail=self._narrator.tail(),
            duration_ms=duration_ms,
        )

    # -- the sandbox --

    async def _watch(self, sandbox: Sandbox, session: RuntimeSession) -> None:
        session.end(await sandbox.wait())
        if self.phase is Phase.IDLE:
            self.on_idle_exit(self)

    async def _exit_of(self, running: Running) -> Ending | None:
        """Why a runtime broke off: mostly because its process has ended, which is about to be known."""
        with contextlib.suppress(TimeoutError):
            async with self._clock.deadline(_EXIT_GRACE_SECONDS):
                await asyncio.shield(running.watcher)
        return running.session.ended

    async def _end_sandbox(self) -> None:
        self._write_report()
        running, self._running = self._running, None
        if running is None:
            return
        running.courtesy.close()
        try:
            await running.sandbox.stop(_SHUTDOWN_GRACE_SECONDS)
        finally:
            await self._release(running.sandbox)
        await running.runtime.close()
        self._narrator.detach()
        with contextlib.suppress(asyncio.CancelledError):
            running.watcher.cancel()
            await running.watcher

    def _step(self, step: Step) -> None:
        self.phase = advance(self.phase, step)


def _nobody_cares(environment: Environment) -> None:
    pass


def _payload(failure: Failure | None) -> bytes:
    return b"" if failure is None else failure.payload
