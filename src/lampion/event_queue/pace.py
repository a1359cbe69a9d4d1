"""How fast one queue is worked off: a window that grows while all goes well, and a pause when nothing goes. Pure.

The back-off is Lambda's for throttled events and system errors: from 1 second to 5 minutes, doubling.
"""

from dataclasses import dataclass
from typing import Final

LEAST_PAUSE_SECONDS: Final = 1.0
MOST_PAUSE_SECONDS: Final = 300.0
_FIRST_WINDOW: Final = 8.0


@dataclass(slots=True)
class Pace:
    """At most `window` entries of a queue run at once, `most` at the most."""

    most: float
    window: float = _FIRST_WINDOW
    _is_probing: bool = False  # after a refusal the window grows slowly, for the limit is near
    _pause_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.window = min(self.window, self.most)

    def allows(self, running: int) -> bool:
        """Whether one more may run beside those."""
        return running + 1 <= self.window

    def went_well(self) -> None:
        """One has run: the window doubles in a round of them, or grows by one after it was found too wide."""
        self._pause_seconds = 0.0
        self.window = min(self.most, self.window + (1 / self.window if self._is_probing else 1))

    def was_refused(self, running: int) -> float:
        """There was no room beside `running` others: seconds to wait before the next try; 0 to wait for one of them."""
        self._is_probing = True
        if running:
            self.window = min(self.window, float(running))
            return 0.0
        return self.failed()

    def failed(self) -> float:
        """It can't be done now: seconds to wait before the next try, which is with one entry alone."""
        self.window = 1.0
        self._pause_seconds = min(MOST_PAUSE_SECONDS, max(LEAST_PAUSE_SECONDS, self._pause_seconds * 2))
        return self._pause_seconds
