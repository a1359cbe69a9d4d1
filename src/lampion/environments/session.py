"""Where an invocation meets the runtime that serves it: one session per running sandbox.

The runtime's side is called by the Runtime API door, the other by the environment. No I/O, no clock.
"""

import asyncio
from collections.abc import Callable

from lampion.environments.endings import Answer, Dispatch, Ending, ResponseTooLarge, TimedOut
from lampion.sandbox.driver import Exit


class UnknownRequest(Exception):
    """The runtime answers an invocation that isn't its current one."""


class IllegalCall(Exception):
    """The runtime makes a call out of order, such as `next` before it has answered."""


class RuntimeSession:
    """The runtime of one sandbox, from its start to its end."""

    def __init__(self) -> None:
        self.initialized: asyncio.Future[Ending | None] = asyncio.get_running_loop().create_future()
        self._waiting: Callable[[Dispatch], None] | None = None
        self._undelivered: Dispatch | None = None
        self._current: Dispatch | None = None
        self._ending: asyncio.Future[Ending] | None = None
        self._end: Ending | None = None

    # -- the runtime's side --

    def next(self, deliver: Callable[[Dispatch], None]) -> None:
        """The runtime is ready; `deliver` gets the next invocation, now or later. Raises IllegalCall."""
        if self._current is not None or self._waiting is not None:
            raise IllegalCall("next", "an invocation is in progress or another next is waiting")
        if not self.initialized.done():
            self.initialized.set_result(None)
        dispatch, self._undelivered = self._undelivered, None
        if dispatch is None:
            self._waiting = deliver
        else:
            self._deliver(dispatch, deliver)

    def abandon_next(self, deliver: Callable[[Dispatch], None]) -> None:
        """The connection of a waiting `next` is gone."""
        if self._waiting is deliver:
            self._waiting = None

    def answer(self, request_id: str, ending: Answer | ResponseTooLarge) -> None:
        """The runtime is done with `request_id`. Raises UnknownRequest."""
        current, ending_future = self._current, self._ending
        if current is None or ending_future is None or current.invocation.request_id != request_id:
            raise UnknownRequest(request_id)
        self._current = None
        if not ending_future.done():
            ending_future.set_result(ending)

    def fail_init(self, answer: Answer) -> None:
        """The runtime can't initialize and says why. Raises IllegalCall once it has been ready."""
        if self.initialized.done():
            raise IllegalCall("init/error", "initialization is over")
        self.initialized.set_result(answer)

    @property
    def is_waiting(self) -> bool:
        """Whether the runtime has asked for an invocation and there is none."""
        return self._waiting is not None

    def knows(self, request_id: str) -> bool:
        """Whether `request_id` is the invocation that the runtime has in hand."""
        return self._current is not None and self._current.invocation.request_id == request_id

    # -- the environment's side --

    def dispatch(self, dispatch: Dispatch) -> asyncio.Future[Ending]:
        """Hand an invocation over, now if the runtime waits, else as soon as it asks; the future is its ending."""
        self._ending = asyncio.get_running_loop().create_future()
        if self._end is not None:
            self._ending.set_result(self._end)
            return self._ending
        deliver, self._waiting = self._waiting, None
        if deliver is None:
            self._undelivered = dispatch
        else:
            self._deliver(dispatch, deliver)
        return self._ending

    def end(self, ending: TimedOut | Exit) -> None:
        """The sandbox ended or must end; whoever waits for initialization or an answer learns it."""
        self._end = ending
        if not self.initialized.done():
            self.initialized.set_result(ending)
        if self._ending is not None and not self._ending.done():
            self._ending.set_result(ending)

    def _deliver(self, dispatch: Dispatch, deliver: Callable[[Dispatch], None]) -> None:
        self._current = dispatch
        deliver(dispatch)
