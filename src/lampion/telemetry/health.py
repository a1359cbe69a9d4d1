"""What is wrong with the server now: rooms report a named problem and its end. Knows no room and no HTTP."""

import logging
import threading
from collections.abc import Sequence
from typing import Protocol

import msgspec

_log = logging.getLogger(__name__)


class Clock(Protocol):
    """Tells the time, from any thread."""

    def now(self) -> float: ...


class Problem(msgspec.Struct, frozen=True):
    """`name` is public; `reason` is for who runs the server and holds no secret and no path. `since`: epoch seconds."""

    name: str
    reason: str
    since: float


class Health:
    """Problems by name. Every method may be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._problems: dict[str, Problem] = {}
        self._lock = threading.Lock()

    def failing(self, name: str, reason: str) -> None:
        """There is a problem; said again, it has another reason and is as old as before."""
        with self._lock:
            known = self._problems.get(name)
            since = self._clock.now() if known is None else known.since
            self._problems[name] = Problem(name, reason, since)
        if known is None or known.reason != reason:
            _log.error("failing: %s: %s", name, reason)

    def well(self, name: str) -> None:
        """The problem is over, if there was one."""
        if name not in self._problems:  # the common case costs no lock
            return
        with self._lock:
            known = self._problems.pop(name, None)
        if known is not None:
            _log.warning("well again after %.1f s: %s", self._clock.now() - known.since, name)

    @property
    def problems(self) -> Sequence[Problem]:
        """What is failing, the oldest first."""
        with self._lock:
            return sorted(self._problems.values(), key=lambda problem: problem.since)
