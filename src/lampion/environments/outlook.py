"""What a request may expect that joins the line for an environment, and whether it had better not. Pure.

A line that has just formed takes everybody: for bursts it is there. One that goes on tells how fast it moves. Who won't
get through it in time is refused at once, before waiting in vain; and so is who would make a long line longer, for that
serves nobody sooner: it makes all wait, and goes on when the overload is over.
"""

from dataclasses import dataclass
from typing import Final

from lampion.domain.errors import TooManyRequestsException

JUDGED_SECONDS: Final = 1.0
"""A line must have been watched for so long; what goes on for longer than that isn't a burst."""
DOUBT: Final = 2.0
"""So many times the limit must the wait be that is expected: invocations don't all take the same."""
SHORT_SECONDS: Final = 0.5
"""No line is too long that is through in this time."""
FEW: Final = 50
ROUNDS: Final = 4
"""Nor is one of a few requests, or of a few for each environment at work: so many do callers make who wait for answers
before they ask again."""
MEASURED_SECONDS: Final = 4.0


@dataclass(slots=True)
class Outlook:
    """Of one line, from when it forms until it is empty. `served` counts who got an environment."""

    served: float = 0.0
    _since: float | None = None  # monotonic, in seconds; what was before the first was served tells of cold starts only

    def is_poor(self, ahead: int, at_work: int, now: float, limit_seconds: float) -> bool:
        """For one more request behind `ahead` others, which `at_work` environments serve, and which may wait for
        `limit_seconds`. Asked of each that comes."""
        if self._since is None:
            if self.served:
                self.served, self._since = 0.0, now
            return False
        measured_seconds = now - self._since
        if not self.served or measured_seconds < JUDGED_SECONDS:
            return False
        wait_seconds = (ahead + 1) * measured_seconds / self.served
        if measured_seconds > 2 * MEASURED_SECONDS:  # as if it had been the same in the latest half of it
            self.served *= MEASURED_SECONDS / measured_seconds
            self._since = now - MEASURED_SECONDS
        if wait_seconds > DOUBT * limit_seconds:
            return True
        return wait_seconds > SHORT_SECONDS and ahead >= max(FEW, ROUNDS * at_work)


def no_room() -> TooManyRequestsException:
    """The answer for one that isn't to wait, or has waited in vain."""
    return TooManyRequestsException("Rate Exceeded.", Reason="ConcurrentInvocationLimitExceeded", retryAfterSeconds="1")
