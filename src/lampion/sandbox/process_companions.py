"""The children that run beside the main one in a sandbox of the `process` driver. Knows nothing of how one is made."""

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Final

from lampion.sandbox.companions import CompanionProcesses, NotStarted, companion_processes
from lampion.sandbox.driver import Exit
from lampion.sandbox.process_family import signal_group

_ERROR_NUMBERS: Final = {os.strerror(number): number for number in errno.errorcode}
_UNKNOWN_ERROR: Final = 5  # EIO: it failed in some other way than by the exec

Spawn = Callable[[str], Awaitable[tuple[asyncio.subprocess.Process, str]]]
"""Makes the child of one program; with it, why it couldn't be executed, or nothing."""


class ChildrenBeside:
    """Those of one sandbox (companions.Orders). The main child waits at a gate, a pipe, until it may begin."""

    def __init__(self, programs: tuple[str, ...]) -> None:
        self._programs = programs
        self.processes: CompanionProcesses
        self.processes, self.output = companion_processes(programs, self)
        self.gate, self._open_end = os.pipe()
        self._main: asyncio.subprocess.Process | None = None
        self._children: dict[int, asyncio.subprocess.Process] = {}
        self._watches: set[asyncio.Task[None]] = set()

    async def start(self, main: asyncio.subprocess.Process, spawn: Spawn) -> None:
        """Start the companions, one after the other; `main` has been made and waits."""
        self._main = main
        self._close_theirs(self.gate)
        for number, program in enumerate(self._programs, 1):
            child, problem = await spawn(program)
            if problem:
                self.processes.ended(number, not_started(problem))
            self._children[number] = child
            watch = asyncio.get_running_loop().create_task(self._watch(number, child))
            self._watches.add(watch)
        self._close_theirs(self.output)

    def start_main(self) -> None:
        if self._open_end >= 0:
            with contextlib.suppress(BrokenPipeError):  # it has been killed
                os.write(self._open_end, b"\0")
            self._close_gate()

    def terminate_main(self) -> None:
        if self._main is not None and self._main.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._main.send_signal(signal.SIGTERM)

    def end_process(self, number: int) -> None:
        child = self._main if number == 0 else self._children.get(number)
        if child is not None and child.returncode is None:
            signal_group(child.pid, signal.SIGKILL)

    def signal_all(self, number: signal.Signals) -> None:
        """To the groups of the companions; the main child isn't among them."""
        for child in self._children.values():
            if child.returncode is None:
                signal_group(child.pid, number)

    async def ended(self) -> None:
        """Until every companion has."""
        while self._watches:
            await asyncio.wait(self._watches)
            self._watches = {watch for watch in self._watches if not watch.done()}
        self._close_gate()

    def abandon(self) -> None:
        """The sandbox isn't to be: kill what there is and close what is open."""
        self.signal_all(signal.SIGKILL)
        self._close_gate()
        for descriptor in (self.gate, self.output):
            self._close_theirs(descriptor)
        self.processes.close()

    async def _watch(self, number: int, child: asyncio.subprocess.Process) -> None:
        self.processes.ended(number, exit_of(await child.wait()))

    def _close_theirs(self, descriptor: int) -> None:
        if descriptor >= 0:
            os.close(descriptor)
        if descriptor == self.gate:
            self.gate = -1
        if descriptor == self.output:
            self.output = -1

    def _close_gate(self) -> None:
        if self._open_end >= 0:
            os.close(self._open_end)
            self._open_end = -1


def exit_of(code: int) -> Exit:
    return Exit(code) if code >= 0 else Exit(None, -code)


def not_started(problem: str) -> NotStarted:
    """From the words of the trampoline, which end with the system's own."""
    return NotStarted(_ERROR_NUMBERS.get(problem.rpartition(": ")[2], _UNKNOWN_ERROR))
