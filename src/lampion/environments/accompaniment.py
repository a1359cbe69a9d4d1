"""The extensions of one running sandbox: their processes from the first to the last, and the Shutdown phase."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import PurePosixPath

from lampion.clock.clock import Clock
from lampion.domain import limits
from lampion.environments.extension_flow import ExtensionFlow, Shutdown, ShutdownReason
from lampion.environments.extensions import Event
from lampion.environments.session import RuntimeSession
from lampion.sandbox.companions import CompanionProcesses, ProcessEnd
from lampion.sandbox.driver import Sandbox


def accompany(processes: CompanionProcesses, session: RuntimeSession, on_end: Callable[[], object]) -> None:
    """The sandbox's companions are external extensions: the runtime starts when all have registered, and the end of
    any process is the session's; then `on_end` is called.
    """
    flow = session.expect_extensions(_name_of(program) for program in processes.programs)
    flow.on_registered = processes.start_main

    def hear(end: ProcessEnd) -> None:
        ending = flow.ended(None if end.program is None else _name_of(end.program), end.how)
        if session.ended is None and not flow.is_shutting_down:
            session.end(ending)
            on_end()

    processes.follow(hear)


async def shut_down(sandbox: Sandbox, session: RuntimeSession, reason: ShutdownReason, clock: Clock) -> None:
    """Give the runtime and the extensions their time to end; what hasn't ended then is the caller's to kill.

    Developer guide, "Understanding the Lambda execution environment lifecycle", "Shutdown phase": the runtime gets a
    SIGTERM first, then extensions the event; without extensions there is no time at all.
    """
    flow = session.extensions
    if flow is None or not len(flow.extensions):
        return
    flow.is_shutting_down = True
    sandbox.thaw()
    processes = sandbox.processes
    if processes is None:
        await sandbox.stop(limits.INTERNAL_SHUTDOWN_SECONDS)
        return
    deadline = clock.monotonic() + limits.EXTERNAL_SHUTDOWN_SECONDS
    deadline_epoch_ms = int((clock.now() + limits.EXTERNAL_SHUTDOWN_SECONDS) * 1000)
    await _end_runtime(processes, flow, clock)
    names = {_name_of(program): program for program in processes.programs}
    told = {extension.name for extension in flow.extensions.subscribed(Event.SHUTDOWN)}
    for name in names.keys() - told:
        processes.kill(names[name])
    flow.shut_down(Shutdown(reason, deadline_epoch_ms))
    await _until(flow, lambda: names.keys() <= flow.over, deadline - clock.monotonic(), clock)


async def _end_runtime(processes: CompanionProcesses, flow: ExtensionFlow, clock: Clock) -> None:
    seconds = limits.INTERNAL_SHUTDOWN_SECONDS if flow.extensions.has_internal else limits.RUNTIME_SHUTDOWN_SECONDS
    processes.terminate_main()
    await _until(flow, lambda: None in flow.over, seconds, clock)
    processes.kill(None)


async def _until(flow: ExtensionFlow, condition: Callable[[], bool], seconds: float, clock: Clock) -> None:
    """At most so long: each end of a process is a reason to look again."""
    ended = asyncio.Event()
    flow.on_end = ended.set
    with contextlib.suppress(TimeoutError):
        async with clock.deadline(max(0.0, seconds)):
            while not condition():
                ended.clear()
                await ended.wait()


def _name_of(program: str) -> str:
    return PurePosixPath(program).name
