"""What an environment writes to its log stream: the function's own output, and Lambda's lines around it.

Output is read as it comes, and once more, to the last byte, before an invocation's END: a function's lines always
stand between its START and END.
"""

import asyncio
import contextlib
import os
import select
from collections.abc import Callable, Mapping

from lampion.clock.clock import Clock
from lampion.domain.function import Function
from lampion.function_logs.framing import FrameDecoder, LineSplitter
from lampion.function_logs.journal import LogStream
from lampion.function_logs.platform_lines import InitSummary, RestoreSummary, RunSummary, platform_lines
from lampion.function_logs.tail import Tail
from lampion.sandbox.driver import Sandbox

_READ_BYTES = 64 * 1024
_DRAIN_READS_MAX = 32  # more than a pipe can hold; what is written meanwhile is read when the loop comes back


class _Pipe:
    """One descriptor that a sandbox writes to; `take` gets what was read."""

    def __init__(self, descriptor: int, take: Callable[[bytes], None]) -> None:
        self._descriptor = descriptor
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._read_once)

    def _read_once(self) -> bool:
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._descriptor)
            return False
        self._take(data)
        return True

    def drain(self) -> None:
        for _ in range(_DRAIN_READS_MAX):
            if not self._read_once():
                return

    def close(self) -> None:
        self.drain()
        self._loop.remove_reader(self._descriptor)
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


class _Pipes:
    """All that one sandbox writes to. Asking whether anything is there costs one system call for all of them."""

    def __init__(self, pipes: Mapping[int, Callable[[bytes], None]]) -> None:
        self._pipes = {descriptor: _Pipe(descriptor, take) for descriptor, take in pipes.items()}
        self._poll = select.poll()
        for descriptor in pipes:
            self._poll.register(descriptor, select.POLLIN)

    def drain(self) -> None:
        for descriptor, _ in self._poll.poll(0):
            self._pipes[descriptor].drain()

    def close(self) -> None:
        for pipe in self._pipes.values():
            pipe.close()


class Narrator:
    """The log of one environment."""

    def __init__(
        self, function: Function, *, stream: LogStream, runtime_version: str, runtime_version_arn: str, clock: Clock
    ) -> None:
        logging = function.configuration.logging
        self._lines = platform_lines(logging.log_format, logging.system_log_level, clock)
        self._version = function.version
        self._memory_mib = function.configuration.memory_mib
        self._runtime = (runtime_version, runtime_version_arn)
        self._stream = stream
        self._clock = clock
        self._tail = Tail()
        self._splitter = LineSplitter()
        self._frames = FrameDecoder()
        self._pipes = _Pipes({})

    # -- the function's output --

    def attach(self, sandbox: Sandbox) -> None:
        """Read the sandbox's output from now on; its descriptors are this object's to close."""
        self._pipes = _Pipes({sandbox.output: self._take_output, sandbox.telemetry: self._take_frames})

    def detach(self) -> None:
        """The sandbox has ended: what it wrote last is read, an unfinished line included."""
        pipes, self._pipes = self._pipes, _Pipes({})
        pipes.close()
        self._flush_line()
        for frame in self._frames.flush(int(self._clock.now() * 1000)):
            self._write(frame.timestamp_ms, frame.message)

    def _take_output(self, data: bytes) -> None:
        now_ms = int(self._clock.now() * 1000)
        for line in self._splitter.feed(data):
            self._write(now_ms, line)

    def _take_frames(self, data: bytes) -> None:
        for frame in self._frames.feed(data, int(self._clock.now() * 1000)):
            self._write(frame.timestamp_ms, frame.message)

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

    def remark(self, text: str) -> None:
        """Something that AWS has no words for."""
        self._platform(self._lines.remark(text))

    def begin(self) -> None:
        """An invocation comes: the tail is its alone."""
        self._tail.clear()

    def start(self, request_id: str) -> None:
        self._platform(self._lines.start(request_id, self._version))

    def finish(self, request_id: str, summary: RunSummary) -> None:
        """The invocation is over: the last of its output, END, REPORT."""
        self._pipes.drain()
        self._flush_line()
        now_ms = int(self._clock.now() * 1000)
        for line in (self._lines.end(request_id, summary), self._lines.report(request_id, self._memory_mib, summary)):
            if line:
                self._write(now_ms, line)

    def tail(self) -> bytes:
        """The last 4 KiB of the invocation's log."""
        return self._tail.value()

    def close(self) -> None:
        """Nothing more will come."""
        self.detach()
        self._stream.close()

    def _platform(self, line: bytes) -> None:
        if line:
            self._write(int(self._clock.now() * 1000), line)

    def _write(self, timestamp_ms: int, line: bytes) -> None:
        self._stream.append(timestamp_ms, line)
        self._tail.add(line)
