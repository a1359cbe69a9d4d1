"""AWS's own Python runtime client writes frames that come out as the events they were."""

import os
import time

from awslambdaric.bootstrap import FramedTelemetryLogSink  # type: ignore[import-untyped]

from lampion.function_logs.framing import FrameDecoder


def test_its_frames_are_read() -> None:
    reading, writing = os.pipe()
    with FramedTelemetryLogSink(str(writing)) as sink:
        sink.log("[INFO]\t2026-11-21T03:04:05.678Z\tid\tgrün\n")
        sink.log_error(["[ERROR] ValueError: boom", "Traceback (most recent call last):", "  File x"])
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    now_ms = int(time.time() * 1000)
    frames = FrameDecoder().feed(data, now_ms)
    assert [frame.message.decode() for frame in frames] == [
        "[INFO]\t2026-11-21T03:04:05.678Z\tid\tgrün",
        "[ERROR] ValueError: boom\nTraceback (most recent call last):\n  File x",
    ]
    assert all(now_ms - 60_000 < frame.timestamp_ms <= now_ms for frame in frames)
