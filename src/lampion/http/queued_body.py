"""A body that is coming, for a task that takes it piece by piece at its own pace."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final

from lampion.http.application import BrokenOff
from lampion.http.message import BodyPieces

_MOST_BYTES: Final = 1024 * 1024
"""So much may wait; then the client does."""


class QueuedBody:
    """Takes pieces (http.application.BodyReceiver) until somebody asks for them."""

    def __init__(self, pieces: BodyPieces) -> None:
        self._pieces = pieces
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._is_paused = False
        self._is_over = False
        self._is_broken = False
        self._news = asyncio.Event()
        pieces.receive(self)

    def take(self, piece: bytes) -> None:
        self._waiting.append(piece)
        self._waiting_bytes += len(piece)
        if self._waiting_bytes > _MOST_BYTES and not self._is_paused:
            self._is_paused = True
            self._pieces.pause()
        self._news.set()

    def finish(self, trailers: Mapping[str, str]) -> None:
        self._is_over = True
        self._news.set()

    def break_off(self) -> None:
        self._is_over = self._is_broken = True
        self._news.set()

    async def batches(self) -> AsyncIterator[list[bytes]]:
        """What has come, each time some has. Raises BrokenOff when the rest never will."""
        while True:
            if self._is_broken:
                raise BrokenOff
            if self._waiting:
                batch, self._waiting, self._waiting_bytes = self._waiting, [], 0
                yield batch
                if self._is_paused and self._waiting_bytes <= _MOST_BYTES:
                    self._is_paused = False
                    self._pieces.resume()
            elif self._is_over:
                return
            else:
                self._news.clear()
                await self._news.wait()

    def discard(self) -> None:
        """The request is answered: throw the rest away."""
        self._waiting.clear()
        if not self._is_over:
            self._pieces.discard()
