"""One execution environment: Init, invocations one at a time, Shutdown.

It knows no pool and no HTTP; what it needs of the host comes as a `Host`.
"""

import asyncio
import contextlib
import logging
from math import ceil
from typing import TYPE_CHECKING, NoReturn

from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.domain import limits
from lampion.domain.function import Function
from lampion.domain.invocation import Invocation, Outcome
from lampion.environments.accompaniment import accompany, shut_down
from lampion.environments.asking import RuntimeGone, asks_again, exit_of
from lampion.environments.courtesy import Courtesy
from lampion.environments.endings import Answer, Answered, CannotStart, Dispatch, Ending, Finished, TimedOut, Truncated
from lampion.environments.environ import ON_DEMAND, PROVISIONED
from lampion.environments.extension_flow import ShutdownReason, shutdown_reason, too_many
from lampion.environments.extensions import TooManyExtensions
from lampion.environments.failures import Failure
from lampion.environments.host import Launch, Release, Restore, RuntimeServer
from lampion.environments.narrator import Narrator
from lampion.environments.reporting import Reporting
from lampion.environments.response_stream import ResponseStream
from lampion.environments.running import Running
from lampion.environments.session import RuntimeSession, Start
from lampion.environments.state import Phase, Step, advance
from lampion.function_logs.platform_facts import RestoreDurations, RestoreSummary
from lampion.sandbox.driver import Sandbox, SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lampion.environments.lent_keys import LentKeys

_LOG = logging.getLogger(__name__)
_FREEZE_RETRY_SECONDS = 0.001


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
        rng: Rng,
        restore: Restore | None = None,
        ahead: bool = False,
    ) -> None:
        """One that is made `ahead` of invocations, not for one, is provisioned concurrency."""
        self.function = function
        self._initialization_type = PROVISIONED if ahead else ON_DEMAND
        self.phase = Phase.INIT if restore is None else Phase.RESTORE
        self._restore = restore
        self.idle_since = 0.0
        self.used_bytes = 0  # the most memory that its sandbox has had, as far as that is known
        self.on_idle_exit: Callable[[Environment], object] = _nobody_cares
        self.on_launched: Callable[[Environment], object] = _nobody_cares
        self._launch = launch
        self._release = release
        self._runtime_server = runtime_server
        self._narrator = narrator
        self._reporting = Reporting(function, narrator, self._initialization_type)
        self._clock = clock
        self._rng = rng
        self._running: Running | None = None
        self.failed_init: Ending | None = None
        self.finishing: asyncio.Future[Finished] | None = None  # while extensions work on after the answer
        self.courtesy: Courtesy | None = None  # of the latest sandbox; before there is one, of its predecessor
        self._unwritten: tuple[Invocation, float, Failure | None] | None = None
        self.keys: LentKeys | None = None  # of its sandbox
        self.is_frozen = self.is_spent = False  # spent: it ends with the work that it has
        self._timeout_seconds = float(function.configuration.timeout_seconds)
        self.memory_mib = function.configuration.memory_mib

    def __repr__(self) -> str:
        return f"<Environment {self.function.key.name}:{self.function.version} {self.phase}>"

    @property
    def is_reusable(self) -> bool:
        """Whether another invocation may be given to it."""
        return self.phase is Phase.IDLE and not self.is_spent

    async def start(self) -> None:
        """The Init phase, or Restore. A function that fails Init leaves the environment in INIT_FAILED; see `invoke`.

        Raises SandboxError when the platform can't provide a sandbox, SnapStartException and
        SnapStartTimeoutException when the function fails Restore: then the environment has ended.
        """
        if self._restore is not None and await self._restored(self._restore):
            return
        self._narrator.init_start(self._initialization_type)
        started = self._clock.monotonic()
        seconds = limits.init_seconds(self._timeout_seconds, is_ahead=self._initialization_type == PROVISIONED)
        ending = await self._initialize(seconds)
        if ending is None:
            assert self._running is not None
            self.used_bytes = self._running.sandbox.max_memory_bytes()
            self._reporting.init_went_well((self._clock.monotonic() - started) * 1000, None)
            self._step(Step.READY)
            self.idle_since = self._clock.monotonic()
            return
        self.failed_init = ending
        await self._report_init(ending, started)
        self._step(Step.INIT_FAILED)

    async def invoke(self, invocation: Invocation, stream: ResponseStream | None = None) -> Outcome:
        """One invocation, to its end whatever happens; never raises for what the function does.

        A function that streams writes to `stream`, and its outcome has no payload; without one its pieces are gathered.
        After a failed Init, Init is repeated first, within the invocation's time, as Lambda does.
        Raises SandboxError when the platform can't provide a sandbox for that, and RuntimeGone, after which the
        environment has ended.
        """
        self._write_report()
        needs_init = self.phase is Phase.INIT_FAILED
        if not needs_init and (self._running is None or not self._running.session.is_waiting):
            await self._let_it_ask()
        self._step(Step.INVOKE)
        started = self._clock.monotonic()
        remaining_seconds = self._timeout_seconds
        self._narrator.begin(wants_log=invocation.wants_log)
        failed_init = await self._initialize_again(invocation, started) if needs_init else None
        if failed_init is not None:
            self._narrator.start(invocation, self._clock.now())
            return await self._end_with(invocation, failed_init, started, during_init=True)
        if needs_init:
            remaining_seconds -= self._clock.monotonic() - started
        running = self._running
        assert running is not None
        if self.is_frozen:
            self.is_frozen = False
            running.sandbox.thaw()
            self._narrator.resume()
        now = self._clock.now()
        answered = running.session.dispatch(Dispatch(invocation, int((now + remaining_seconds) * 1000), stream))
        # The function needn't wait for this; what it writes is read on one of the event loop's next turns.
        self._narrator.start(invocation, now)
        running.courtesy.begin(remaining_seconds, running.late)
        try:
            ending = await answered
            if isinstance(ending, Truncated):
                ending = await exit_of(running.session, self._clock) or ending
        finally:
            running.courtesy.end()
        if not isinstance(ending, Answer):
            return await self._end_with(invocation, ending, started)
        if running.session.extensions is None:
            return self._go_on_after(invocation, ending, started)
        return await self._finish_after(running, invocation, ending, started)

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
            self._narrator.pause()
        else:
            self._clock.call_later(max(idle_seconds, _FREEZE_RETRY_SECONDS), self.freeze)

    async def stop(self) -> None:
        """The Shutdown phase: end the sandbox and give everything back. Idempotent."""
        if self.phase in (Phase.SHUTDOWN, Phase.GONE):
            return
        self._step(Step.STOP)
        await self._end_sandbox(ShutdownReason.SPINDOWN)
        self._narrator.close()
        self._step(Step.ENDED)

    async def _let_it_ask(self) -> None:
        """Within the function's timeout, which began with its answer. Raises RuntimeGone."""
        left_seconds = self._timeout_seconds - (self._clock.monotonic() - self.idle_since)
        if self._running is None or not await asks_again(self._running.session, self._clock, left_seconds):
            await self.stop()
            raise RuntimeGone

    # -- Init --

    async def _initialize(self, limit_seconds: float, invocation: Invocation | None = None) -> Ending | None:
        """Start a sandbox and wait for its runtime; None when it is ready, else why not (a sandbox still there)."""
        try:
            sandbox = await self._launch()
        except (CannotStart, TooManyExtensions) as error:
            self.on_launched(self)
            if isinstance(error, CannotStart):
                extensions, ending = None, error.ending
            else:
                extensions, ending = too_many(error, self._rng.uuid4)
            self._reporting.initialized(extensions, ending, invocation)
            return ending
        session = RuntimeSession(self.function, self._rng.uuid4)
        failed = await self._serve(sandbox, session, limit_seconds)
        flow = session.extensions
        self._reporting.initialized(None if flow is None else flow.extensions, failed, invocation)
        return failed

    async def _serve(self, sandbox: Sandbox, session: RuntimeSession, limit_seconds: float) -> Ending | None:
        self.on_launched(self)
        if sandbox.processes is not None:
            accompany(sandbox.processes, session, self._retire_if_idle)
        self._narrator.admit(session, sandbox)
        try:
            runtime = await self._runtime_server.open(sandbox.runtime_api, session)
        except BaseException:
            await sandbox.stop(0)
            await self._release(sandbox)
            await self._narrator.dismiss()
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
            self._narrator.close_subscriptions(session)
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
        session = RuntimeSession(self.function, self._rng.uuid4, Start.RESTORE, credentials)
        ending = await self._serve(sandbox, session, limits.RESTORE_SECONDS)
        now = self._clock.monotonic()
        duration_ms = (now - started) * 1000
        if ending is not None:
            await self._fail_restore(ending, duration_ms)
        self._narrator.restore_report(RestoreSummary(duration_ms, "success", None))
        self._reporting.restore = RestoreDurations(duration_ms, ceil((now - copied) * 1000))
        self._step(Step.READY)
        self.idle_since = now
        return True

    async def _fail_restore(self, ending: Ending, duration_ms: float) -> NoReturn:
        await self._end_sandbox(shutdown_reason(ending))
        error = self._reporting.restore_failed(ending, duration_ms)
        await self.stop()
        raise error

    async def _initialize_again(self, invocation: Invocation, started: float) -> Ending | None:
        self._narrator.init_repeated(self._initialization_type)
        ending = await self._initialize(self._timeout_seconds, invocation)
        if ending is not None:
            await self._report_init(ending, started, invocation)
        else:
            self._reporting.init_went_well((self._clock.monotonic() - started) * 1000, invocation)
        return ending

    async def _report_init(self, ending: Ending, started: float, invocation: Invocation | None = None) -> None:
        duration_ms = (self._clock.monotonic() - started) * 1000
        await self._end_sandbox(shutdown_reason(ending))
        self._reporting.init_failed(ending, duration_ms, invocation)

    # -- the end of an invocation --

    def _go_on_after(self, invocation: Invocation, answer: Answer, started: float) -> Outcome:
        """The usual end: the runtime answered, and waits for more.

        Its caller needn't wait for the report, which is written on the event loop's next turn: before anything that
        somebody who has the answer can ask for, and before anything else is done with the environment.
        """
        now = self._clock.monotonic()
        duration_ms = (now - started) * 1000
        failure = self._reporting.failure_of(answer, invocation)
        self._unwritten = (invocation, duration_ms, failure)
        if invocation.wants_log:
            self._write_report()
        else:
            asyncio.get_running_loop().call_soon(self._write_report)
        self._step(Step.ANSWERED)
        self.idle_since = now
        return self._reporting.outcome(answer, failure, duration_ms)

    async def _finish_after(self, running: Running, invocation: Invocation, answer: Answer, started: float) -> Outcome:
        """The runtime answered, and its extensions may go on; only who wants the log waits for them: it has all."""
        runtime_ms = (self._clock.monotonic() - started) * 1000
        failure = self._reporting.failure_of(answer, invocation)
        running.courtesy.begin(max(0.0, self._timeout_seconds - runtime_ms / 1000), running.late)
        finish = self._finish(running, invocation, failure, started, runtime_ms)
        finishing = self.finishing = asyncio.create_task(finish)
        duration_ms = (await asyncio.shield(finishing)).duration_ms if invocation.wants_log else runtime_ms
        return self._reporting.outcome(answer, failure, duration_ms)

    async def _finish(
        self, running: Running, invocation: Invocation, failure: Failure | None, started: float, runtime_ms: float
    ) -> Finished:
        """Until the runtime and all extensions wait for more, within the function's timeout; else this is the end."""
        try:
            end = await running.session.completed()
            running.courtesy.end()
            now = self._clock.monotonic()
            duration_ms = (now - started) * 1000
            self._measure_memory()
            if end is None:
                self._step(Step.ANSWERED)
                self.idle_since = now
            else:
                failure = self._reporting.failure_of(end, invocation)
                self._reporting.foretell(invocation, duration_ms, failure, self.used_bytes, runtime_ms=runtime_ms)
                await self._end_sandbox(shutdown_reason(end))
            self._reporting.report(invocation, duration_ms, failure, self.used_bytes, runtime_ms=runtime_ms)
            if end is not None:
                await self.stop()
            return Finished(duration_ms, duration_ms - runtime_ms)
        finally:
            self.finishing = None

    def _write_report(self) -> None:
        """Of an invocation that has been answered, if it isn't written yet."""
        if self._unwritten is not None:
            unwritten, self._unwritten = self._unwritten, None
            self._measure_memory()
            self._reporting.report(*unwritten, self.used_bytes)

    def _measure_memory(self) -> None:
        self.used_bytes = 0 if self._running is None else self._running.sandbox.max_memory_bytes()

    async def _end_with(
        self, invocation: Invocation, ending: Ending | Answered, started: float, *, during_init: bool = False
    ) -> Outcome:
        """The environment can't be used any more."""
        last = ending.end if isinstance(ending, Answered) else ending
        is_late = isinstance(last, TimedOut)
        duration_ms = (self._timeout_seconds if is_late else self._clock.monotonic() - started) * 1000
        failure = self._reporting.failure_of(last, invocation)
        self._measure_memory()
        self._reporting.foretell(invocation, duration_ms, failure, self.used_bytes, during_init=during_init)
        await self._end_sandbox(shutdown_reason(last))
        self._reporting.report(invocation, duration_ms, failure, self.used_bytes, during_init=during_init)
        await self.stop()
        if isinstance(ending, Answered):  # the answer stands, whatever came after it
            ending = ending.answer
            failure = self._reporting.failure_of(ending, invocation)
        return self._reporting.outcome(ending, failure, duration_ms)

    # -- the sandbox --

    async def _watch(self, sandbox: Sandbox, session: RuntimeSession) -> None:
        session.end(await sandbox.wait())
        self._retire_if_idle()

    def _retire_if_idle(self) -> None:
        if self.phase is Phase.IDLE:
            self.on_idle_exit(self)

    async def _end_sandbox(self, reason: ShutdownReason) -> None:
        self._write_report()
        running, self._running = self._running, None
        if running is None:
            return
        running.courtesy.close()
        self._narrator.hurry()
        try:
            await shut_down(running.sandbox, running.session, reason, self._clock)
            await running.sandbox.stop(0)
        finally:
            await self._release(running.sandbox)
        await running.runtime.close()
        await self._narrator.dismiss()
        self._narrator.detach()
        with contextlib.suppress(asyncio.CancelledError):
            running.watcher.cancel()
            await running.watcher

    def _step(self, step: Step) -> None:
        self.phase = advance(self.phase, step)


def _nobody_cares(environment: Environment) -> None:
    pass
