"""Where an invocation meets the runtime that serves it: one session per running sandbox.

The runtime's side is called by the Runtime API door, the other by the environment. No I/O, no clock.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from lampion.environments.endings import Answer, Answered, Dispatch, Ending, ResponseTooLarge, TimedOut, Truncated
from lampion.environments.environ import SessionCredentials
from lampion.environments.response_stream import ResponseStream
from lampion.sandbox.driver import Exit


class UnknownRequest(Exception):
    """The runtime answers an invocation that isn't its current one."""


class IllegalCall(Exception):
    """The runtime makes a call out of order, such as `next` before it has answered."""


class Start(Enum):
    """How a runtime comes to its first invocation."""

    INIT = auto()
    SNAPSHOT = auto()  # it never does: it is initialized for a snapshot to be taken
    RESTORE = auto()


@dataclass(frozen=True, slots=True)
class OfferedCredentials:
    """Keys for a runtime that asks for them with the token, and how long they may be used without asking again."""

    authorization_token: str = field(repr=False)
    credentials: SessionCredentials
    lifetime_seconds: float = 6 * 3600.0


class RuntimeSession:
    """The runtime of one sandbox, from its start to its end."""

    def __init__(self, start: Start = Start.INIT, credentials: OfferedCredentials | None = None) -> None:
        self.credentials = credentials
        self._start = start
        self._proceed: Callable[[], None] | None = None
        self._loop = asyncio.get_running_loop()  # asked once: it costs a system call
        self.initialized: asyncio.Future[Ending | None] = self._loop.create_future()
        self._waiting: Callable[[Dispatch], None] | None = None
        self._undelivered: Dispatch | None = None
        self._current: Dispatch | None = None
        self._ending: asyncio.Future[Ending | Answered] | None = None
        self._streamed: Answer | None = None
        self._end: TimedOut | Exit | None = None

    # -- the runtime's side --

    def next(self, deliver: Callable[[Dispatch], None]) -> None:
        """The runtime is ready; `deliver` gets the next invocation, now or later. Raises IllegalCall."""
        if self._current is not None or self._waiting is not None:
            raise IllegalCall("next", "an invocation is in progress or another next is waiting")
        if not self.initialized.done():
            self.initialized.set_result(None)
        if self._streamed is not None:
            self._settle(self._streamed)
        dispatch, self._undelivered = self._undelivered, None
        if dispatch is None:
            self._waiting = deliver
        else:
            self._deliver(dispatch, deliver)

    def abandon_next(self, deliver: Callable[[Dispatch], None]) -> None:
        """The connection of a waiting `next` is gone."""
        if self._waiting is deliver:
            self._waiting = None

    def answer(self, request_id: str, ending: Answer | ResponseTooLarge | Truncated) -> None:
        """The runtime is done with `request_id`. Raises UnknownRequest."""
        if not self.knows(request_id):
            raise UnknownRequest(request_id)
        self._current = None
        self._settle(ending)

    def answer_streamed(self, request_id: str, answer: Answer) -> None:
        """All of a stream came, but its function may go on: the invocation ends when the runtime asks for the next.

        On AWS too, what a function does after the end of its stream belongs to the invocation. So it is with the answer
        of a runtime that is about to end. Raises UnknownRequest.
        """
        if not self.knows(request_id):
            raise UnknownRequest(request_id)
        self._current = None
        self._streamed = answer

    def stream_of(self, request_id: str) -> ResponseStream | None:
        """Where an answer in pieces goes; None when its caller wants it whole. Raises UnknownRequest."""
        if self._current is None or not self.knows(request_id):
            raise UnknownRequest(request_id)
        return self._current.stream

    def fail_init(self, answer: Answer) -> None:
        """The runtime can't initialize and says why. Raises IllegalCall once it has been ready."""
        if self.initialized.done():
            raise IllegalCall("init/error", "initialization is over")
        self.initialized.set_result(answer)

    @property
    def is_waiting(self) -> bool:
        """Whether the runtime has asked for an invocation and there is none."""
        return self._waiting is not None

    def restore_next(self, proceed: Callable[[], None]) -> None:
        """The runtime is ready for its snapshot; `proceed` tells it to go on to it. Raises IllegalCall."""
        if self._start is not Start.SNAPSHOT or self.initialized.done():
            raise IllegalCall("restore/next", "no snapshot is to be taken now")
        self._proceed = proceed
        self.initialized.set_result(None)

    def fail_restore(self, answer: Answer) -> None:
        """The runtime was restored but can't go on, and says why. Raises IllegalCall at any other time."""
        if self._start is not Start.RESTORE or self.initialized.done():
            raise IllegalCall("restore/error", "nothing is being restored")
        self.initialized.set_result(answer)

    def knows(self, request_id: str) -> bool:
        """Whether `request_id` is the invocation that the runtime has in hand."""
        return self._current is not None and self._current.invocation.request_id == request_id

    # -- the environment's side --

    @property
    def waits_for_snapshot(self) -> bool:
        return self._proceed is not None

    def proceed_to_snapshot(self) -> None:
        """Once, while it waits for it."""
        assert self._proceed is not None
        self._proceed()

    def dispatch(self, dispatch: Dispatch) -> asyncio.Future[Ending | Answered]:
        """Hand an invocation over, now if the runtime waits, else as soon as it asks; the future is its ending."""
        self._ending = self._loop.create_future()
        if self._end is not None:
            self._ending.set_result(self._end)
            return self._ending
        deliver, self._waiting = self._waiting, None
        if deliver is None:
            self._undelivered = dispatch
        else:
            self._deliver(dispatch, deliver)
        return self._ending

    @property
    def ended(self) -> TimedOut | Exit | None:
        """How the sandbox ended, or why it must."""
        return self._end

    def end(self, ending: TimedOut | Exit) -> None:
        """The sandbox ended or must end; whoever waits for initialization or an answer learns it."""
        self._end = ending
        if not self.initialized.done():
            self.initialized.set_result(ending)
        self._settle(ending if self._streamed is None else Answered(self._streamed, ending))

    def _settle(self, ending: Ending | Answered) -> None:
        self._streamed = None
        if self._ending is not None and not self._ending.done():
            self._ending.set_result(ending)

    def _deliver(self, dispatch: Dispatch, deliver: Callable[[Dispatch], None]) -> None:
        self._current = dispatch
        deliver(dispatch)
