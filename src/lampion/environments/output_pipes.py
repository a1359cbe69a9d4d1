"""What a sandbox's processes write to, read as it comes, and once more when it must be complete."""

import asyncio
import contextlib
import os
import select
from collections.abc import Callable, Mapping

from lampion.clock.clock import Clock, Timer
from lampion.environments.log_rate import Allowance

_READ_BYTES = 64 * 1024
_READ_BYTES_OF_A_FLOOD = 8 * 1024
_MANY_LINES = 1000  # of one piece: some 2 ms during which the event loop does nothing else
_DRAIN_READS_MAX = 32  # more than a pipe can hold; what is written meanwhile is read when the loop comes back

Take = Callable[[bytes], int]


class _Pipe:
    """One descriptor that a sandbox writes to; `take` gets what was read and returns how many lines that made."""

    def __init__(self, descriptor: int, take: Take, spend: Callable[[int, int], None]) -> None:
        self._descriptor = descriptor
        self._take = take
        self._spend = spend
        self._loop = asyncio.get_running_loop()
        self._is_over = False
        self.read_bytes = _READ_BYTES
        self._loop.add_reader(descriptor, self._read_some)

    def _read_some(self) -> None:
        self._read_once(self.read_bytes)

    def _read_once(self, size_bytes: int) -> bool:
        try:
            data = os.read(self._descriptor, size_bytes)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._is_over = True
            self._loop.remove_reader(self._descriptor)
            return False
        self._spend(len(data), self._take(data))
        return True

    def pause(self) -> None:
        self._loop.remove_reader(self._descriptor)

    def resume(self) -> None:
        if not self._is_over:
            self._loop.add_reader(self._descriptor, self._read_some)

    def drain(self) -> None:
        self.read_bytes = _READ_BYTES
        for _ in range(_DRAIN_READS_MAX):
            if not self._read_once(_READ_BYTES):
                return

    def close(self) -> None:
        self.drain()
        self._loop.remove_reader(self._descriptor)
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


class OutputPipes:
    """All that one sandbox writes to. Asking whether anything is there costs one system call for all of them.

    When too much comes, nothing is read for a while, but what an invocation wrote before its end always is.
    """

    def __init__(self, pipes: Mapping[int, Take], allowance: Allowance, clock: Clock) -> None:
        self._pipes = {descriptor: _Pipe(descriptor, take, self._spend) for descriptor, take in pipes.items()}
        self._allowance = allowance
        self._clock = clock
        self._pause: Timer | None = None
        self._poll = select.poll()
        for descriptor in pipes:
            self._poll.register(descriptor, select.POLLIN)

    def drain(self) -> None:
        for descriptor, _ in self._poll.poll(0):
            self._pipes[descriptor].drain()

    def close(self) -> None:
        for pipe in self._pipes.values():
            pipe.close()
        if self._pause is not None:
            self._pause.cancel()

    def _spend(self, size_bytes: int, lines: int) -> None:
        seconds = self._allowance.spend(size_bytes, lines, self._clock.monotonic())
        if lines > _MANY_LINES or not self._allowance.is_ample:
            for pipe in self._pipes.values():
                pipe.read_bytes = _READ_BYTES_OF_A_FLOOD
        if seconds > 0 and self._pause is None:
            for pipe in self._pipes.values():
                pipe.pause()
            self._pause = self._clock.call_later(seconds, self._resume)

    def _resume(self) -> None:
        self._pause = None
        for pipe in self._pipes.values():
            pipe.resume()
