"""Brings one subscriber its events: batch after batch, in order, for as long as it takes, without anybody waiting.

A subscriber that is slow, gone or hostile costs no more than its buffer and one connection.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from lampion.clock.clock import Clock, Timer
from lampion.function_telemetry.buffer import Buffer
from lampion.function_telemetry.events import dropped_event, encode_event
from lampion.function_telemetry.senders import Connect, Sender, sender
from lampion.function_telemetry.subscription import Subscription

PATIENCE_SECONDS: Final = 5.0
"""How long a subscriber may take for one batch, its sandbox's frozen times not counted."""
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 5.0


class _Alarm:
    """Goes off once, unless it is stopped before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timer: Timer | None = None

    def set(self, seconds: float, action: Callable[[], object]) -> None:
        self.stop()
        self._timer = self._clock.call_later(seconds, action)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Delivery:
    """Of one subscription. It delivers nothing before it is `attach`ed to a sandbox."""

    def __init__(self, subscription: Subscription, clock: Clock) -> None:
        self.subscription = subscription
        self._clock = clock
        self._buffer = Buffer(subscription.buffering, self._notice)
        self._connect: Connect | None = None
        self._sender: Sender | None = None
        self._worker: asyncio.Task[None] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._awake = asyncio.Event()
        self._alarm = _Alarm(clock)
        self._patience = _Alarm(clock)
        self._is_paused = False
        self._is_hasty = False

    @property
    def has_room(self) -> bool:
        return self._buffer.has_room

    @property
    def held_bytes(self) -> int:
        return self._buffer.held_bytes

    def offer(self, event: bytes) -> None:
        """The newest event."""
        was_empty = self._buffer.is_empty
        self._buffer.add(event, self._clock.monotonic())
        self._notice_new(was_empty=was_empty)

    def refuse(self, size_bytes: int) -> None:
        """An event for which there is no room, without its content."""
        was_empty = self._buffer.is_empty
        self._buffer.drop(size_bytes, self._clock.monotonic())
        self._notice_new(was_empty=was_empty)

    def change(self, subscription: Subscription) -> None:
        """The subscriber has asked anew: what waits is sent as it wants it from now on."""
        self.subscription = subscription
        self._buffer.limits = subscription.buffering
        if self._connect is not None:
            self._meet(self._connect)

    def attach(self, connect: Connect) -> None:
        """A sandbox begins in which somebody may listen."""
        self._is_paused = self._is_hasty = False
        self._meet(connect)
        self._worker = asyncio.create_task(self._work())

    async def detach(self) -> None:
        """The sandbox has ended. What was under way counts as not delivered."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        self._alarm.stop()
        self._leave()

    def pause(self) -> None:
        """The sandbox is frozen: nothing can be received, and no time counts."""
        self._is_paused = True
        self._patience.stop()
        self._alarm.stop()

    def resume(self) -> None:
        if self._is_paused:
            self._is_paused = False
            if self._sending is not None:
                self._be_patient()
            self._awake.set()

    def hurry(self) -> None:
        """The sandbox is about to end: send what there is, and from now on everything at once."""
        self.resume()
        self._is_hasty = True
        self._awake.set()

    def _meet(self, connect: Connect) -> None:
        self._leave()
        self._connect = connect
        self._sender = sender(self.subscription.destination, connect)

    def _leave(self) -> None:
        """Give up the connection, and with it what is being sent over it."""
        if self._sending is not None:
            self._sending.cancel()
        if self._sender is not None:
            self._sender.close()
        self._sender = self._connect = None

    def _notice(self, records: int, size_bytes: int) -> bytes:
        event = dropped_event(int(self._clock.now() * 1000), records, size_bytes)
        encoded = encode_event(event, self.subscription.schema)
        assert encoded is not None  # every schema has it
        return encoded

    def _notice_new(self, *, was_empty: bool) -> None:
        """Wake the worker for the first event, to wait for its time, and for one that makes a batch full."""
        if was_empty or self._is_hasty or self._buffer.due_in(self._clock.monotonic()) == 0.0:
            self._awake.set()

    async def _work(self) -> None:
        pause_seconds = _FIRST_PAUSE_SECONDS
        batch: Sequence[bytes] = self._buffer.under_way  # what the sandbox before didn't get
        while True:
            if not batch:
                await self._until_due()
                batch = self._buffer.take(self._clock.monotonic())
            if await self._send(batch):
                self._buffer.delivered()
                batch = ()
                pause_seconds = _FIRST_PAUSE_SECONDS
            else:
                await self._rest(pause_seconds)
                pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)

    async def _rest(self, seconds: float) -> None:
        """Less when there is no more time for it."""
        over = self._clock.monotonic() + seconds
        while not self._is_hasty and (left := over - self._clock.monotonic()) > 0:
            await self._wait(left)
        if self._is_hasty:
            await self._clock.sleep(_FIRST_PAUSE_SECONDS)

    async def _wait(self, seconds: float | None) -> None:
        """Until there is news, for at most so long."""
        self._awake.clear()
        if seconds is not None:
            self._alarm.set(seconds, self._awake.set)
        await self._awake.wait()
        self._alarm.stop()

    async def _until_due(self) -> None:
        while True:
            due_in = None if self._is_paused else self._buffer.due_in(self._clock.monotonic())
            if due_in is not None and (due_in == 0.0 or self._is_hasty):
                return
            await self._wait(due_in)

    async def _send(self, batch: Sequence[bytes]) -> bool:
        """Whether the subscriber has it; whatever it did instead is its own affair."""
        assert self._sender is not None
        sending = self._sending = asyncio.create_task(self._sender.send(batch))
        if not self._is_paused:
            self._be_patient()
        try:
            await asyncio.wait((sending,))
        finally:
            sending.cancel()
            sending.add_done_callback(_has_failed)
            self._sending = None
            self._patience.stop()
        return not _has_failed(sending)

    def _be_patient(self) -> None:
        assert self._sending is not None
        self._patience.set(PATIENCE_SECONDS, self._sending.cancel)


def _has_failed(sending: asyncio.Task[None]) -> bool:
    return sending.cancelled() or sending.exception() is not None
