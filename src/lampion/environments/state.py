"""The lifecycle of an execution environment as a table. Pure: illegal moves are errors that name both ends."""

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Phase(StrEnum):
    """Where an environment stands (Lambda developer guide, "execution environment lifecycle")."""

    INIT = "Init"
    RESTORE = "Restore"
    INIT_FAILED = "InitFailed"
    IDLE = "Idle"
    INVOKE = "Invoke"
    SHUTDOWN = "Shutdown"
    GONE = "Gone"


class Step(StrEnum):
    """What can happen to an environment."""

    READY = "ready"
    NO_SNAPSHOT = "no snapshot"
    INIT_FAILED = "init failed"
    INVOKE = "invoke"
    ANSWERED = "answered"
    STOP = "stop"
    ENDED = "ended"


class IllegalStep(Exception):
    """A step that the lifecycle doesn't have; a bug on the platform's side."""

    def __init__(self, phase: Phase, step: Step) -> None:
        super().__init__(f"an environment in phase {phase} can't take step {step!r}")
        self.phase = phase
        self.step = step


_NEXT: Final = MappingProxyType(
    {
        (Phase.INIT, Step.READY): Phase.IDLE,
        (Phase.INIT, Step.INIT_FAILED): Phase.INIT_FAILED,
        (Phase.INIT, Step.STOP): Phase.SHUTDOWN,
        (Phase.RESTORE, Step.READY): Phase.IDLE,
        (Phase.RESTORE, Step.NO_SNAPSHOT): Phase.INIT,  # it has gone meanwhile: as if there had never been one
        (Phase.RESTORE, Step.STOP): Phase.SHUTDOWN,
        (Phase.INIT_FAILED, Step.INVOKE): Phase.INVOKE,  # Lambda repeats a failed Init inside the first invocation
        (Phase.INIT_FAILED, Step.STOP): Phase.SHUTDOWN,
        (Phase.IDLE, Step.INVOKE): Phase.INVOKE,
        (Phase.IDLE, Step.STOP): Phase.SHUTDOWN,
        (Phase.INVOKE, Step.ANSWERED): Phase.IDLE,
        (Phase.INVOKE, Step.STOP): Phase.SHUTDOWN,
        (Phase.SHUTDOWN, Step.ENDED): Phase.GONE,
    }
)


def advance(phase: Phase, step: Step) -> Phase:
    """The phase that follows. Raises IllegalStep."""
    following = _NEXT.get((phase, step))
    if following is None:
        raise IllegalStep(phase, step)
    return following
