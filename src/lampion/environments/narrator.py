"""What an environment writes to its log stream: the function's own output, and Lambda's lines around it.

Output is read as it comes, and once more, to the last byte, before an invocation's END: a function's lines always
stand between its START and END.
"""

from collections.abc import Sequence

from lampion.clock.clock import Clock
from lampion.domain.function import Function
from lampion.domain.invocation import Invocation
from lampion.environments.extensions import Extensions
from lampion.environments.failures import Failure, missing_sdk
from lampion.environments.log_rate import USUAL_RATE, Allowance, LogRate
from lampion.environments.output_pipes import OutputPipes
from lampion.environments.run_telling import RunTelling
from lampion.environments.session import RuntimeSession
from lampion.environments.teller import Teller
from lampion.function_logs.application_levels import application_level
from lampion.function_logs.framing import Frame, FrameDecoder, LineSplitter
from lampion.function_logs.journal import LogStream
from lampion.function_logs.platform_facts import (
    ExtensionSummary,
    InitSummary,
    Instance,
    Overhead,
    RestoreSummary,
    RunSummary,
    RuntimeDone,
    SubscriptionSummary,
)
from lampion.function_logs.platform_lines import platform_lines
from lampion.function_logs.tail import Tail
from lampion.function_telemetry.subscription import Stream, Subscription
from lampion.sandbox.driver import Sandbox


class Narrator:
    """The log of one environment."""

    def __init__(
        self,
        function: Function,
        *,
        stream: LogStream,
        instance: Instance,
        clock: Clock,
        rate: LogRate = USUAL_RATE,
        teller: Teller | None = None,
    ) -> None:
        self._teller = teller  # as long as somebody is told of what happens, or may yet subscribe
        self._clock = clock
        self.telling = None if teller is None else RunTelling(teller, self._drain, clock)
        if teller is not None:
            teller.subscribers.on_subscribed = self._subscribed
        self._is_watching = False  # so that `telling` writes what JSON tells of the runtime
        configuration = function.configuration
        logging, is_traced = configuration.logging, configuration.tracing_mode == "Active"
        self._lines = platform_lines(logging.log_format, logging.system_log_level, clock, is_traced=is_traced)
        self._instance = instance
        self._runtime_name = configuration.runtime or ""
        self._stream = stream
        self._tail: Tail | None = None  # of the present invocation, if its caller wants it
        self._splitter = LineSplitter()
        self._extension_splitter: LineSplitter | None = None
        self._frames = FrameDecoder()
        self._level = application_level(logging.log_format, logging.application_log_level)
        self._write_own = self._write if self._level is None else self._write_unless_hidden
        self._allowance = Allowance(rate, clock.monotonic())
        self._pipes: OutputPipes | None = None

    # -- the function's output --

    def attach(self, sandbox: Sandbox) -> None:
        """Read the sandbox's output from now on; its descriptors are this object's to close."""
        takes = {sandbox.output: self._take_output, sandbox.telemetry: self._take_frames}
        if sandbox.processes is not None:
            self._extension_splitter = LineSplitter()
            takes[sandbox.processes.output] = self._take_extension_output
        self._pipes = OutputPipes(takes, self._allowance, self._clock)

    def detach(self) -> None:
        """The sandbox has ended: what it wrote last is read, an unfinished line included."""
        pipes, self._pipes = self._pipes, None
        if pipes is not None:
            pipes.close()
        self._flush_line()
        self._write_frames(self._frames.flush(int(self._clock.now() * 1000)))

    def _take_output(self, data: bytes) -> int:
        return self._take_lines(self._splitter, data, Stream.FUNCTION)

    def _take_extension_output(self, data: bytes) -> int:
        assert self._extension_splitter is not None
        return self._take_lines(self._extension_splitter, data, Stream.EXTENSION)

    def _take_lines(self, splitter: LineSplitter, data: bytes, stream: Stream) -> int:
        now_ms = int(self._clock.now() * 1000)
        lines = splitter.feed(data)
        write = self._write_own if stream is Stream.FUNCTION else self._write
        for line in lines:
            write(now_ms, line)
        if self._teller is not None:
            self._teller.lines(now_ms, stream, lines)
        return len(lines)

    def _take_frames(self, data: bytes) -> int:
        frames = self._frames.feed(data, int(self._clock.now() * 1000))
        self._write_frames(frames)
        return len(frames)

    def _write_frames(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            self._write_own(frame.timestamp_ms, frame.message)
            if self._teller is not None:
                self._teller.lines(frame.timestamp_ms, Stream.FUNCTION, (frame.message,))

    def _flush_line(self) -> None:
        self._flush(self._splitter, Stream.FUNCTION)
        if self._extension_splitter is not None:
            self._flush(self._extension_splitter, Stream.EXTENSION)

    def _flush(self, splitter: LineSplitter, stream: Stream) -> None:
        rest = splitter.flush()
        if rest is not None:
            now_ms = int(self._clock.now() * 1000)
            (self._write_own if stream is Stream.FUNCTION else self._write)(now_ms, rest)
            if self._teller is not None:
                self._teller.lines(now_ms, stream, (rest,))

    def _drain(self) -> None:
        """Read the last of what was written so far."""
        if self._pipes is not None:
            self._pipes.drain()
        self._flush_line()

    # -- who is told of it --

    def admit(self, session: RuntimeSession, sandbox: Sandbox) -> None:
        """The sandbox's extensions may subscribe, until `close_subscriptions`."""
        if self._teller is not None:
            session.subscribers = self._teller.subscribers
            session.subscribers.attach(sandbox.connect)

    def close_subscriptions(self, session: RuntimeSession) -> None:
        """Init is over. If nobody has subscribed, nobody but the log is told of anything from here on."""
        if self._teller is not None:
            self._teller.subscribers.close_subscriptions()
            if not self._teller.subscribers:
                self._teller = None
        self._is_watching = self._lines.watches(has_extensions=session.extensions is not None)
        write_done = self._write_done if self._is_watching else None
        nobody = self._teller is None and write_done is None
        self.telling = None if nobody else RunTelling(self._teller, self._drain, self._clock, write_done)
        session.watch = self.telling

    def _subscribed(self, name: str, state: str, subscription: Subscription) -> None:
        summary = SubscriptionSummary(subscription.api.name, name, state, subscription.streams)
        self._platform(self._lines.subscription(summary))

    def pause(self) -> None:
        """The sandbox is frozen."""
        if self._teller is not None:
            self._teller.subscribers.pause()

    def resume(self) -> None:
        if self._teller is not None:
            self._teller.subscribers.resume()

    def hurry(self) -> None:
        """The sandbox is about to end: what there is to tell is told now."""
        if self._teller is not None:
            self._teller.subscribers.hurry()

    async def dismiss(self) -> None:
        """The sandbox has ended, and who listened in it."""
        if self._teller is not None:
            await self._teller.subscribers.detach()

    # -- Lambda's lines --

    def init_start(self, initialization_type: str) -> None:
        self._platform(self._lines.init_start(self._instance, initialization_type))
        if self._teller is not None:
            self._teller.init_start(initialization_type, "init")

    def init_repeated(self, initialization_type: str) -> None:
        """Another Init begins, for an invocation; the log doesn't mention it before its end."""
        if self._teller is not None:
            self._teller.init_start(initialization_type, "invoke")

    def init_done(self, summary: InitSummary) -> None:
        """The runtime has initialized, or has failed to."""
        self._platform(self._lines.init_done(summary))
        if self._teller is not None:
            self._teller.init_done(summary)

    def init_report(self, summary: InitSummary) -> None:
        self._platform(self._lines.init_report(summary))
        if self._teller is not None:
            self._teller.init_report(summary)

    def extensions(self, extensions: Extensions) -> None:
        """How each of them began."""
        for one in extensions:
            summary = ExtensionSummary(one.name, one.state, tuple(one.events), one.error_type)
            self._platform(self._lines.extension(summary))
            if self._teller is not None:
                self._teller.extension(summary)

    def restore_start(self) -> None:
        self._platform(self._lines.restore_start(self._instance))
        if self._teller is not None:
            self._teller.restore_start()

    def restore_report(self, summary: RestoreSummary) -> None:
        self._platform(self._lines.restore_done(summary))
        self._platform(self._lines.restore_report(summary))
        if self._teller is not None:
            self._teller.restore_report(summary)

    def launch_failed(self, line: str) -> None:
        """What of a container image couldn't be started."""
        self._write(int(self._clock.now() * 1000), line.encode())

    def remark(self, text: str) -> None:
        """Something that AWS has no words for."""
        self._platform(self._lines.remark(text))

    def explain(self, failure: Failure) -> None:
        """What a function that failed would have had on AWS, if that is why."""
        cause = missing_sdk(self._runtime_name, failure.payload)
        if cause is None:
            return
        package = f" --package {cause}" if cause.startswith("@") else ""
        mend = f"lampion sdk install {self._runtime_name}{package}, and restart the server"
        if self._runtime_name.startswith("ruby"):
            mend = "put the gem into the function's package or into a layer"
        self.remark(f"AWS's runtime brings {cause}. To have it here: {mend}.")

    def begin(self, *, wants_log: bool) -> None:
        """An invocation comes: the tail is its alone, and kept only if its caller wants it."""
        self._tail = Tail() if wants_log else None

    def start(self, invocation: Invocation, now: float) -> None:
        """It began at `now`, epoch seconds."""
        line = self._lines.start(self._instance, invocation, now)
        if line:
            self._write(int(now * 1000), line)
        if self.telling is not None:
            self.telling.begin(invocation, now)

    def _write_done(self, invocation: Invocation, done: RuntimeDone) -> None:
        self._platform(self._lines.runtime_done(invocation, done))

    def finish(self, invocation: Invocation, summary: RunSummary, overhead: Overhead | None = None) -> None:
        """The invocation is over: the last of its output, END, REPORT."""
        if self._pipes is not None:
            self._pipes.drain()
        self._flush_line()
        now_ms = int(self._clock.now() * 1000)
        end = b"" if self._is_watching else self._lines.end(invocation, summary)
        for line in (end, self._lines.report(invocation, self._instance.memory_mib, summary, overhead)):
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

    def _write_unless_hidden(self, timestamp_ms: int, line: bytes) -> None:
        """A line of the function's own."""
        assert self._level is not None
        if not self._level.hides(line):
            self._write(timestamp_ms, line)

    def _write(self, timestamp_ms: int, line: bytes) -> None:
        self._stream.append(timestamp_ms, line)
        if self._tail is not None:
            self._tail.add(line)
