"""What an environment writes to its log stream: the function's own output, and Lambda's lines around it.

Output is read as it comes, and once more, to the last byte, before an invocation's END: a function's lines always
stand between its START and END.
"""

import asyncio
import contextlib
import os
import select
from collections.abc import Callable, Mapping

from lampion.clock.clock import Clock, Timer
from lampion.domain.function import Function
from lampion.environments.log_rate import USUAL_RATE, Allowance, LogRate
from lampion.function_logs.framing import FrameDecoder, LineSplitter
from lampion.function_logs.journal import LogStream
from lampion.function_logs.platform_lines import InitSummary, RestoreSummary, RunSummary, platform_lines
from lampion.function_logs.tail import Tail
from lampion.sandbox.driver import Sandbox

_READ_BYTES = 64 * 1024
_READ_BYTES_OF_A_FLOOD = 8 * 1024
_MANY_LINES = 1000  # of one piece: some 2 ms during which the event loop does nothing else
_DRAIN_READS_MAX = 32  # more than a pipe can hold; what is written meanwhile is read when the loop comes back

_Take = Callable[[bytes], int]


class _Pipe:
    """One descriptor that a sandbox writes to; `take` gets what was read and returns how many lines that made."""

    def __init__(self, descriptor: int, take: _Take, spend: Callable[[int, int], None]) -> None:
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


class _Pipes:
    """All that one sandbox writes to. Asking whether anything is there costs one system call for all of them.

    When too much comes, nothing is read for a while, but what an invocation wrote before its end always is.
    """

    def __init__(self, pipes: Mapping[int, _Take], allowance: Allowance, clock: Clock) -> None:
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


class Narrator:
    """The log of one environment."""

    def __init__(
        self,
        function: Function,
        *,
        stream: LogStream,
        runtime_version: str,
        runtime_version_arn: str,
        clock: Clock,
        rate: LogRate = USUAL_RATE,
    ) -> None:
        logging = function.configuration.logging
        self._lines = platform_lines(logging.log_format, logging.system_log_level, clock)
        self._version = function.version
        self._memory_mib = function.configuration.memory_mib
        self._runtime = (runtime_version, runtime_version_arn)
        self._stream = stream
        self._clock = clock
        self._tail: Tail | None = None  # of the present invocation, if its caller wants it
        self._splitter = LineSplitter()
        self._frames = FrameDecoder()
        self._allowance = Allowance(rate, clock.monotonic())
        self._pipes: _Pipes | None = None

    # -- the function's output --

    def attach(self, sandbox: Sandbox) -> None:
        """Read the sandbox's output from now on; its descriptors are this object's to close."""
        takes = {sandbox.output: self._take_output, sandbox.telemetry: self._take_frames}
        self._pipes = _Pipes(takes, self._allowance, self._clock)

    def detach(self) -> None:
        """The sandbox has ended: what it wrote last is read, an unfinished line included."""
        pipes, self._pipes = self._pipes, None
        if pipes is not None:
            pipes.close()
        self._flush_line()
        for frame in self._frames.flush(int(self._clock.now() * 1000)):
            self._write(frame.timestamp_ms, frame.message)

    def _take_output(self, data: bytes) -> int:
        now_ms = int(self._clock.now() * 1000)
        lines = self._splitter.feed(data)
        for line in lines:
            self._write(now_ms, line)
        return len(lines)

    def _take_frames(self, data: bytes) -> int:
        frames = self._frames.feed(data, int(self._clock.now() * 1000))
        for frame in frames:
            self._write(frame.timestamp_ms, frame.message)
        return len(frames)

    def _flush_line(self) -> None:
        rest = self._splitter.flush()
        if rest is not None:
            self._write(int(self._clock.now() * 1000), rest)

    # -- Lambda's lines --

    def init_start(self, initialization_type: str = "on-demand") -> None:
        self._platform(self._lines.init_start(*self._runtime, initialization_type))

    def init_report(self, summary: InitSummary) -> None:
        self._platform(self._lines.init_report(summary))

    def restore_start(self) -> None:
        self._platform(self._lines.restore_start(*self._runtime))

    def restore_report(self, summary: RestoreSummary) -> None:
        self._platform(self._lines.restore_report(summary))

    def launch_failed(self, line: str) -> None:
        """What of a container image couldn't be started."""
        self._write(int(self._clock.now() * 1000), line.encode())

    def remark(self, text: str) -> None:
        """Something that AWS has no words for."""
        self._platform(self._lines.remark(text))

    def begin(self, *, wants_log: bool) -> None:
        """An invocation comes: the tail is its alone, and kept only if its caller wants it."""
        self._tail = Tail() if wants_log else None

    def start(self, request_id: str, tenant_id: str | None, now: float) -> None:
        """An invocation began at `now`, epoch seconds."""
        line = self._lines.start(request_id, self._version, tenant_id, now)
        if line:
            self._write(int(now * 1000), line)

    def finish(self, request_id: str, summary: RunSummary, tenant_id: str | None = None) -> None:
        """The invocation is over: the last of its output, END, REPORT."""
        if self._pipes is not None:
            self._pipes.drain()
        self._flush_line()
        now_ms = int(self._clock.now() * 1000)
        end = self._lines.end(request_id, summary, tenant_id)
        for line in (end, self._lines.report(request_id, self._memory_mib, summary, tenant_id)):
            if line:
                self._write(now_ms, line)

    def tail(self) -> bytes:
        """The last 4 KiB of the invocation's log; empty if its caller doesn't want it."""
        return b"" if self._tail is None else self._tail.value()

    def close(self) -> None:
        """Nothing more will come."""
        self.detach()
        self._stream.close()

    def _platform(self, line: bytes) -> None:
        if line:
            self._write(int(self._clock.now() * 1000), line)

    def _write(self, timestamp_ms: int, line: bytes) -> None:
        self._stream.append(timestamp_ms, line)
        if self._tail is not None:
            self._tail.add(line)
