"""What a system has to offer to be measured."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.measure.process_tree import ProcessTree
from benchmarks.systems.endpoint import Endpoint


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


@dataclass(frozen=True, slots=True)
class Running:
    """A started system. `first_answer_seconds` makes something new and times its first answer."""

    warm: WarmFunction | None = None
    first_answer_seconds: Callable[[], float] | None = None


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
