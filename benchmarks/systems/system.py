"""What a system has to offer to be measured."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from benchmarks.measure.process_tree import ProcessTree
from benchmarks.systems.endpoint import Endpoint, InvokeRequest


@dataclass(frozen=True, slots=True)
class Scratch:
    """Where a system may keep files while it is measured (removed afterwards), and the fd that takes what it prints."""

    directory: Path
    output: int


@dataclass(frozen=True, slots=True)
class WarmFunction:
    """A function that is there and has answered once."""

    endpoint: Endpoint
    function_name: str
    processes: ProcessTree


FirstAnswer = Callable[[], float]
"""Makes something answer that never has, and returns how many seconds that took."""


class FirstAnswers(Protocol):
    """What a system can be asked for the first time."""

    def __call__(self, count: int) -> Mapping[str, Sequence[FirstAnswer]]:
        """`count` of each kind, ready to be asked. The name of a kind is added to the system's; "" adds nothing."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Events that were said to be accepted. Wrong are answers that said something else, and events that are lost."""

    events: int
    wrong_answers: int
    events_per_second: float
    p50_microseconds: float
    p99_microseconds: float
    cpu_seconds: float

    def with_lost(self, count: int) -> "Intake":
        return replace(self, wrong_answers=self.wrong_answers + count)


EventIntake = Callable[[int], Intake]
"""Takes events in for that many seconds."""


@dataclass(frozen=True, slots=True)
class Drained:
    """Events that ran to their ends. Wrong are those that ended otherwise than well, or not just once."""

    events: int
    wrong_answers: int
    events_per_second: float
    cpu_seconds: float
    pss_mib: float


@dataclass(frozen=True, slots=True)
class Running:
    """A started system: a warm function, what can be asked for the first time, and requests to new functions.

    `new_functions` makes that many Active functions, none of which has an environment. `absent` are kinds of first
    answers that this system doesn't offer here, and why. `take_events` puts load on its intake of events, `drain` makes
    it run that many events; `function_of` makes a function of a source in Python.
    `new_by_runtime` is as `new_functions`, of every runtime that runs here; its requests ask for the log.
    """

    warm: WarmFunction | None = None
    first_answers: FirstAnswers | None = None
    new_functions: Callable[[int], Sequence[InvokeRequest]] | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    take_events: EventIntake | None = None
    drain: Callable[[int], Drained] | None = None
    function_of: Callable[[str], WarmFunction] | None = None
    new_by_runtime: Callable[[int], Mapping[str, Sequence[InvokeRequest]]] | None = None


def alone(first_answer: FirstAnswer) -> FirstAnswers:
    """Of a system that has one kind of first answers, each of which makes what it asks."""
    return lambda count: {"": [first_answer] * count}


class System(Protocol):
    """One system of the comparison."""

    name: str
    workloads: frozenset[str]
    """The workloads it can take part in."""

    def missing(self) -> str | None:
        """What has to be installed first; None when it can be started."""

    def versions(self) -> Mapping[str, str]:
        """The versions of its parts, by name."""

    def running(self, scratch: Scratch) -> AbstractContextManager[Running]:
        """Started and ready inside the block, and ended with all its processes after it.

        Raises DidNotStart.
        """
