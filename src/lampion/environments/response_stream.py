"""A function's answer on its way from its runtime to its caller, in pieces. Bounded: who writes waits for who reads.

It knows neither of them: the runtime's side is called by the Runtime API door, the caller's by the invoker.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from lampion.domain.limits import STREAMED_RESPONSE_BYTES

HELD_BYTES: Final = 64 * 1024
"""Of what nobody has read yet; a runtime that writes more than that waits."""


class ResponseStream:
    """Of one invocation. It begins at most once, and only if the function streams; it is over when that has ended."""

    most_bytes: Final = STREAMED_RESPONSE_BYTES

    def __init__(self) -> None:
        self.has_begun = False
        self.content_type: str | None = None
        self._pieces: list[bytes] = []
        self.held_bytes = 0
        self.has_ended = False
        self._is_over = False
        self.is_abandoned = False
        self._make_room: Callable[[], object] | None = None
        self._change: asyncio.Future[None] | None = None

    # -- the runtime's side --

    def begin(self, content_type: str | None) -> None:
        """The function streams; `content_type` is what it says of it."""
        self.has_begun = True
        self.content_type = content_type
        self._changed()

    def write(self, piece: bytes) -> None:
        """Never refused, but who writes on while `is_full` fills the memory."""
        if not self.is_abandoned:
            self._pieces.append(piece)
            self.held_bytes += len(piece)
            self._changed()

    @property
    def is_full(self) -> bool:
        return self.held_bytes >= HELD_BYTES

    def when_room(self, action: Callable[[], object]) -> None:
        """Call `action` once, when it isn't full any more."""
        self._make_room = action

    def end(self) -> None:
        """The answer is complete, and is no error; the function may go on."""
        self.has_ended = True
        self._changed()

    def payload(self) -> bytes:
        """What isn't written to the caller: nothing."""
        return b""

    # -- the invoker's --

    def finish(self) -> None:
        """Nothing will be written any more."""
        self._is_over = True
        self._changed()

    # -- the caller's: one reader --

    async def begun(self) -> bool:
        """Wait until the function streams or the invocation is over; whether it streams."""
        while not self.has_begun and not self._is_over:
            await self._next_change()
        return self.has_begun

    async def read(self) -> bytes:
        """What was written since, at least one byte; nothing when all of it was read."""
        while not self._pieces:
            if self.has_ended or self._is_over or self.is_abandoned:
                return b""
            await self._next_change()
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._take_all()
        return data

    def abandon(self) -> None:
        """Nobody reads any more: what was and will be written is dropped, and the function goes on unhindered."""
        self.is_abandoned = True
        self._take_all()
        self._changed()

    # -- inside --

    def _take_all(self) -> None:
        self._pieces = []
        self.held_bytes = 0
        action, self._make_room = self._make_room, None
        if action is not None:
            action()

    async def _next_change(self) -> None:
        self._change = asyncio.get_running_loop().create_future()
        await self._change

    def _changed(self) -> None:
        change, self._change = self._change, None
        if change is not None and not change.done():
            change.set_result(None)
