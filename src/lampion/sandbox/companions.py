"""Programs that run in a sandbox beside its main one, from before it (`SandboxSpec.companions`), and how each ends."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lampion.sandbox.driver import Exit


@dataclass(frozen=True, slots=True)
class NotStarted:
    """A program that the system didn't execute; `error_number` is its errno."""

    error_number: int

    @property
    def reason(self) -> str:
        """In the system's words, as Go's programs print them: "permission denied"."""
        words = os.strerror(self.error_number)
        return words[:1].lower() + words[1:]


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """The end of one process: of the companion at the path `program`, or of the main program when that is None."""

    program: str | None
    how: Exit | NotStarted


class Orders(Protocol):
    """What the driver does for `CompanionProcesses`. Processes are numbered, 0 is the main one."""

    def start_main(self) -> None: ...

    def terminate_main(self) -> None: ...

    def end_process(self, number: int) -> None: ...


class CompanionProcesses:
    """The processes of one sandbox that has companions, to whoever uses it.

    The companions run when the sandbox does; the main program starts when `start_main` is called. The sandbox is over
    when all have ended: the end of the main one isn't the sandbox's.
    """

    def __init__(self, programs: tuple[str, ...], output: int, orders: Orders) -> None:
        """`output` is a non-blocking read end of the pipe that companions write to; whoever holds this closes it."""
        self.output = output
        self.programs = programs
        self._orders = orders
        self._over: set[int] = set()
        self._unheard: list[ProcessEnd] = []
        self._listener: Callable[[ProcessEnd], object] | None = None

    def follow(self, listener: Callable[[ProcessEnd], object]) -> None:
        """Call `listener` for the end of each process, at once for those that have ended."""
        self._listener = listener
        unheard, self._unheard = self._unheard, []
        for end in unheard:
            listener(end)

    def start_main(self) -> None:
        """Let the main program begin. Idempotent."""
        self._orders.start_main()

    def terminate_main(self) -> None:
        """SIGTERM to the main program's process."""
        self._orders.terminate_main()

    def kill(self, program: str | None) -> None:
        """SIGKILL to one companion, or to the main program; nothing if it has ended."""
        self._orders.end_process(0 if program is None else self.programs.index(program) + 1)

    def close(self) -> None:
        """Nobody reads what companions write, nor wants to know of their ends."""
        os.close(self.output)

    def ended(self, number: int, how: Exit | NotStarted) -> None:
        """For the driver: that process has. What comes after the first word of it says no more."""
        if number in self._over:
            return
        self._over.add(number)
        end = ProcessEnd(None if number == 0 else self.programs[number - 1], how)
        if self._listener is None:
            self._unheard.append(end)
        else:
            self._listener(end)


def companion_processes(programs: tuple[str, ...], orders: Orders) -> tuple[CompanionProcesses, int]:
    """With the write end of the pipe, which the driver closes once its processes have it."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    return CompanionProcesses(programs, read_end, orders), write_end
