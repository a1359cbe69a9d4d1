"""Where an invocation meets the runtime that serves it: one session per running sandbox.

The runtime's side is called by the Runtime API door, the other by the environment. No I/O, no clock.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from lampion.domain.function import Function
from lampion.environments.endings import Answer, Answered, Dispatch, End, Ending, ResponseTooLarge, Truncated
from lampion.environments.environ import SessionCredentials
from lampion.environments.extension_flow import ExtensionFlow
from lampion.environments.extensions import Extensions
from lampion.environments.response_stream import ResponseStream

if TYPE_CHECKING:
    from lampion.function_telemetry.subscribers import Subscribers


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
    """Keys for a runtime that asks for them with the token: those of now, and for how many seconds they are good."""

    authorization_token: str = field(repr=False)
    current: Callable[[], tuple[SessionCredentials, float]]


class Watch(Protocol):
    """Wants to know what a runtime does, of an environment that others are told of."""

    def answer_begins(self) -> None: ...

    def answered(self, size_bytes: int) -> None: ...

    def runtime_waits(self) -> None:
        """It has asked for an invocation and there is none."""


class RuntimeSession:
    """The runtime of one sandbox, from its start to its end; and its extensions, once there are some."""

    def __init__(
        self,
        function: Function,
        new_identifier: Callable[[], str],
        start: Start = Start.INIT,
        credentials: OfferedCredentials | None = None,
    ) -> None:
        self.function = function
        self.new_identifier = new_identifier
        self.extensions: ExtensionFlow | None = None
        self.subscribers: Subscribers | None = None  # where extensions subscribe; nobody can without
        self.watch: Watch | None = None
        self.credentials = credentials
        self._start = start
        self._proceed: Callable[[], None] | None = None
        self._loop = asyncio.get_running_loop()  # asked once: it costs a system call
        self.initialized: asyncio.Future[Ending | None] = self._loop.create_future()
        self._waiting: Callable[[Dispatch], None] | None = None
        self._asked: asyncio.Future[None] | None = None  # while the environment waits for that
        self._undelivered: Dispatch | None = None
        self._current: Dispatch | None = None
        self._ending: asyncio.Future[Ending | Answered] | None = None
        self._streamed: Answer | None = None
        self._completion: asyncio.Future[End | None] | None = None
        self.over: asyncio.Future[None] = self._loop.create_future()  # done when `ended` is known
        self._end: End | None = None

    # -- the runtime's side --

    def next(self, deliver: Callable[[Dispatch], None]) -> None:
        """The runtime is ready; `deliver` gets the next invocation, now or later. Raises IllegalCall."""
        if self._current is not None or self._waiting is not None:
            raise IllegalCall("next", "an invocation is in progress or another next is waiting")
        if not self.initialized.done():
            self._begin_to_wait()
        if self._streamed is not None:
            self._settle(self._streamed)
        dispatch, self._undelivered = self._undelivered, None
        if dispatch is not None:
            self._deliver(dispatch, deliver)
            return
        self._waiting = deliver
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)
        if self.extensions is not None:
            if self.watch is not None:
                self.watch.runtime_waits()
            self._go_on_when_all_wait()

    def abandon_next(self, deliver: Callable[[Dispatch], None]) -> None:
        """The connection of a waiting `next` is gone."""
        if self._waiting is deliver:
            self._waiting = None

    def answer(self, request_id: str, ending: Answer | ResponseTooLarge | Truncated) -> None:
        """The runtime is done with `request_id`. Raises UnknownRequest."""
        if not self.knows(request_id):
            raise UnknownRequest(request_id)
        self._current = None
        if self.watch is not None and isinstance(ending, Answer):
            self.watch.answered(len(ending.payload))
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

    async def asked(self) -> None:
        """Until the runtime asks for an invocation, or has ended. One caller at a time."""
        self._asked = self._loop.create_future()
        try:
            if self._end is None and self._waiting is None:
                await self._asked
        finally:
            self._asked = None

    @property
    def is_waiting(self) -> bool:
        """Whether the runtime has asked for an invocation and there is none."""
        return self._waiting is not None

    def extension_flow(self) -> ExtensionFlow:
        """Where the extensions of this sandbox meet; one that nobody joins when Init is over."""
        if self.extensions is not None:
            return self.extensions
        flow = ExtensionFlow(Extensions(self.new_identifier))
        if self.initialized.done():
            flow.extensions.close()
        else:
            self._attach(flow)
        return flow

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

    def expect_extensions(self, names: Iterable[str]) -> ExtensionFlow:
        """These are processes of the sandbox, and register before its runtime starts."""
        flow = ExtensionFlow(Extensions(self.new_identifier, names))
        self._attach(flow)
        return flow

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
        if self.extensions is not None:
            self.extensions.invoke(dispatch)
        deliver, self._waiting = self._waiting, None
        if deliver is None:
            self._undelivered = dispatch
        else:
            self._deliver(dispatch, deliver)
        return self._ending

    def completed(self) -> "asyncio.Future[End | None]":
        """Of the invocation that has been answered: None when the runtime and all extensions wait for the next one,
        else why they never will.
        """
        self._completion = self._loop.create_future()
        self._go_on_when_all_wait()
        return self._completion

    @property
    def ended(self) -> End | None:
        """How the sandbox ended, or why it must."""
        return self._end

    def end(self, ending: End) -> None:
        """The sandbox ended or must end; whoever waits for initialization or an answer learns it."""
        self._end = ending
        if not self.over.done():
            self.over.set_result(None)
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)
        self._complete(ending)
        if not self.initialized.done():
            self.initialized.set_result(ending)
        self._settle(ending if self._streamed is None else Answered(self._streamed, ending))

    def _attach(self, flow: ExtensionFlow) -> None:
        self.extensions = flow
        flow.on_ready = self._go_on_when_all_wait

    def _begin_to_wait(self) -> None:
        """The runtime is ready, and nobody can register any more."""
        if self.extensions is None:
            self.initialized.set_result(None)
        else:
            self.extensions.extensions.close()

    def _go_on_when_all_wait(self) -> None:
        assert self.extensions is not None
        if self._end is not None:
            self._complete(self._end)
        elif self._waiting is not None and self.extensions.extensions.are_ready:
            if not self.initialized.done():
                self.extensions.extensions.is_initialized = True
                self.initialized.set_result(None)
            self._complete(None)

    def _complete(self, end: End | None) -> None:
        if self._completion is not None and not self._completion.done():
            self._completion.set_result(end)

    def _settle(self, ending: Ending | Answered) -> None:
        self._streamed = None
        if self._ending is not None and not self._ending.done():
            self._ending.set_result(ending)

    def _deliver(self, dispatch: Dispatch, deliver: Callable[[Dispatch], None]) -> None:
        self._current = dispatch
        deliver(dispatch)
