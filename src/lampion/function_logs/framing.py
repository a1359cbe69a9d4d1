"""Cuts what a sandbox writes into log events: lines of raw output, frames of the runtimes' telemetry descriptor.

Input is whatever the function cares to write, in whatever pieces: nothing raises, memory is bounded.
"""

import re
from dataclasses import dataclass
from typing import Final

MAX_EVENT_BYTES: Final = 256 * 1024
"""CloudWatch's limit for one event; what is longer becomes several lines or loses its end."""

_MAGIC: Final = b"\xa5\x5a\x00"
_HAS_TIMESTAMP: Final = 0x02  # the other bits tell the format (0x01 is text) and the level (0x1c)
_HEADER = re.compile(_MAGIC + rb"[\x00-\x1f]")
_OLDEST_MS: Final = 14 * 24 * 3600 * 1000  # CloudWatch refuses events older than this
_NEWEST_MS: Final = 2 * 3600 * 1000  # and those that lie further ahead than this


class LineSplitter:
    """Raw output to lines. How the input was cut into pieces makes no difference to the result."""

    def __init__(self, max_line_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their newlines; longer ones come in several pieces."""
        first, *others = data.split(b"\n")
        rest = self._rest
        rest += first
        if not others:
            return self._cut_rest()
        last = others.pop()
        lines = self._cut_rest()
        lines.append(bytes(rest))
        for line in others:
            if len(line) > self._max_line_bytes:
                lines += self._pieces(line)
            else:
                lines.append(line)
        self._rest = bytearray(last)
        lines += self._cut_rest()
        return lines

    def flush(self) -> bytes | None:
        """The line that has begun, as far as it has come; None when there is none."""
        if not self._rest:
            return None
        line = bytes(self._rest)
        self._rest.clear()
        return line

    def _cut_rest(self) -> list[bytes]:
        pieces: list[bytes] = []
        size = self._max_line_bytes
        while len(self._rest) > size:
            pieces.append(bytes(self._rest[:size]))
            del self._rest[:size]
        return pieces

    def _pieces(self, line: bytes) -> list[bytes]:
        size = self._max_line_bytes
        return [line[start : start + size] for start in range(0, len(line), size)]


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of a runtime's logger; it may hold newlines, the final one is gone."""

    timestamp_ms: int
    message: bytes


class FrameDecoder:
    """Frames as AWS's runtime clients write them to the descriptor named by _LAMBDA_TELEMETRY_LOG_FD.

    A frame is a type (4 bytes, a5 5a 00 and bits for level, format and timestamp), the message's length (4 bytes), the
    time in microseconds (8 bytes, if the type says so) and the message; numbers are big-endian. What stands between
    frames is raw text and comes out line by line.
    """

    def __init__(self, max_message_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_message_bytes = max_message_bytes
        self._buffer = bytearray()
        self._needed_bytes = 0  # until the buffer has as many, nothing can be told
        self._skip_bytes = 0  # what is still to come of an over-long frame
        self._text = LineSplitter(max_message_bytes)

    def feed(self, data: bytes, now_ms: int) -> list[Frame]:
        """The frames that `data` completes; `now_ms` is the time of messages that carry none."""
        if self._skip_bytes:
            skipped = min(self._skip_bytes, len(data))
            self._skip_bytes -= skipped
            data = data[skipped:]
        self._buffer += data
        frames: list[Frame] = []
        if len(self._buffer) < self._needed_bytes:
            return frames
        self._needed_bytes = 0
        position = 0
        while position < len(self._buffer):
            taken = self._take(position, now_ms, frames)
            if not taken:
                break
            position += taken
        del self._buffer[:position]
        return frames

    def flush(self, now_ms: int) -> list[Frame]:
        """What has begun and will not be finished: a message or a line without its end."""
        frames: list[Frame] = []
        if len(self._buffer) < 4:  # may have become a frame's type: now it is text
            frames += [Frame(now_ms, line) for line in self._text.feed(bytes(self._buffer))]
        self._end_text(now_ms, frames)
        timestamp_ms, header_bytes, _ = self._header(0, now_ms)
        if 0 < header_bytes < len(self._buffer):
            frames.append(_frame(timestamp_ms, bytes(self._buffer[header_bytes:])))
        self._buffer.clear()
        self._needed_bytes = self._skip_bytes = 0
        return frames

    def _take(self, position: int, now_ms: int, frames: list[Frame]) -> int:
        """Read one frame, or text up to the next, from `position`; how many bytes that took, 0 if more must come."""
        buffer = self._buffer
        if not _HEADER.match(buffer, position):
            return self._take_text(position, now_ms, frames)
        timestamp_ms, header_bytes, message_bytes = self._header(position, now_ms)
        if not header_bytes:
            return 0
        kept_bytes = min(message_bytes, self._max_message_bytes)
        end = position + header_bytes + kept_bytes
        if len(buffer) < end:
            self._needed_bytes = header_bytes + kept_bytes
            return 0
        self._end_text(now_ms, frames)
        frames.append(_frame(timestamp_ms, bytes(buffer[end - kept_bytes : end])))
        return header_bytes + kept_bytes + self._skip(message_bytes - kept_bytes, len(buffer) - end)

    def _header(self, position: int, now_ms: int) -> tuple[int, int, int]:
        """(time in milliseconds, bytes of the header, bytes of the message); no bytes while it isn't complete."""
        buffer = self._buffer
        available = len(buffer) - position
        if available < 8:
            return 0, 0, 0
        message_bytes = int.from_bytes(buffer[position + 4 : position + 8], "big")
        if not buffer[position + 3] & _HAS_TIMESTAMP:
            return now_ms, 8, message_bytes
        if available < 16:
            return 0, 0, 0
        timestamp_ms = int.from_bytes(buffer[position + 8 : position + 16], "big") // 1000
        if not now_ms - _OLDEST_MS <= timestamp_ms <= now_ms + _NEWEST_MS:
            timestamp_ms = now_ms
        return timestamp_ms, 16, message_bytes

    def _skip(self, over_bytes: int, available: int) -> int:
        """Pass over the end of an over-long frame, in the buffer and in what is still to come."""
        here = min(over_bytes, available)
        self._skip_bytes = over_bytes - here
        return here

    def _take_text(self, position: int, now_ms: int, frames: list[Frame]) -> int:
        """Raw text up to the next frame, or to what may become the beginning of one."""
        buffer = self._buffer
        found = _HEADER.search(buffer, position)
        end = found.start() if found else len(buffer) - _begun_header_bytes(buffer, position)
        frames += [Frame(now_ms, line) for line in self._text.feed(bytes(buffer[position:end]))]
        return end - position

    def _end_text(self, now_ms: int, frames: list[Frame]) -> None:
        rest = self._text.flush()
        if rest is not None:
            frames.append(Frame(now_ms, rest))


def _begun_header_bytes(buffer: bytearray, position: int) -> int:
    """How many bytes at the end of the buffer may be the beginning of a frame's type."""
    for size in (3, 2, 1):
        if len(buffer) - position >= size and buffer.endswith(_MAGIC[:size]):
            return size
    return 0


def _frame(timestamp_ms: int, message: bytes) -> Frame:
    return Frame(timestamp_ms, message.removesuffix(b"\n"))
