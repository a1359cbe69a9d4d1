"""Output becomes events the same way however it is cut into pieces, and nothing in it can break that."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampion.function_logs.framing import MAX_EVENT_BYTES, Frame, FrameDecoder, LineSplitter

NOW_MS = 1_800_000_000_000
TEXT = b"\xa5\x5a\x00\x03"


def frame(message: bytes, kind: bytes = TEXT, timestamp_us: int = NOW_MS * 1000) -> bytes:
    return kind + len(message).to_bytes(4, "big") + timestamp_us.to_bytes(8, "big") + message


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


# -- lines --


def lines_of(chunks: list[bytes], max_line_bytes: int = MAX_EVENT_BYTES) -> list[bytes]:
    splitter = LineSplitter(max_line_bytes)
    lines = [line for chunk in chunks for line in splitter.feed(chunk)]
    rest = splitter.flush()
    assert splitter.flush() is None
    return lines if rest is None else [*lines, rest]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"one\n", [b"one"]),
        (b"one\ntwo", [b"one", b"two"]),
        (b"\n\n", [b"", b""]),
        (b"12345678\n", [b"12345678"]),
        (b"123456789\n", [b"12345678", b"9"]),
        (b"12345678123456781\n2", [b"12345678", b"12345678", b"1", b"2"]),
    ],
)
def test_lines(data: bytes, lines: list[bytes]) -> None:
    assert lines_of([data], max_line_bytes=8) == lines
    assert lines_of([data[i : i + 1] for i in range(len(data))], max_line_bytes=8) == lines


text = st.lists(st.sampled_from([b"a", b"bcd", b"\n", b"\r", b"\xff", b"0123456789"]), max_size=60).map(b"".join)


@given(text, st.lists(st.integers(0, 1000), max_size=8))
def test_any_cut_gives_the_same_lines(data: bytes, cuts: list[int]) -> None:
    whole = lines_of([data], max_line_bytes=8)
    assert lines_of(pieces(data, cuts), max_line_bytes=8) == whole
    assert b"".join(whole) == data.replace(b"\n", b"")
    assert all(len(line) <= 8 for line in whole)


def test_output_without_newlines_is_not_kept_forever() -> None:
    splitter = LineSplitter()
    lines = [line for _ in range(100) for line in splitter.feed(bytes(65536))]
    assert sum(map(len, lines)) > 99 * 65536 - MAX_EVENT_BYTES
    assert {len(line) for line in lines} == {MAX_EVENT_BYTES}


# -- frames --


def frames_of(chunks: list[bytes], max_message_bytes: int = MAX_EVENT_BYTES) -> list[Frame]:
    decoder = FrameDecoder(max_message_bytes)
    frames = [found for chunk in chunks for found in decoder.feed(chunk, NOW_MS)]
    return frames + decoder.flush(NOW_MS)


def messages_of(data: bytes, max_message_bytes: int = MAX_EVENT_BYTES) -> list[bytes]:
    return [found.message for found in frames_of([data], max_message_bytes)]


@pytest.mark.parametrize("kind", [0x02, 0x03, 0x0A, 0x0B, 0x0E, 0x0F, 0x12, 0x13, 0x16, 0x17, 0x1A, 0x1B])
def test_every_level_and_format_has_its_type(kind: int) -> None:
    data = frame(b"two\nlines\n", TEXT[:3] + bytes([kind]), (NOW_MS - 1500) * 1000 + 999)
    assert frames_of([data]) == [Frame(NOW_MS - 1500, b"two\nlines")]


def test_a_type_without_a_time_gets_the_present_one() -> None:
    data = b"\xa5\x5a\x00\x01" + (2).to_bytes(4, "big") + b"hi"
    assert frames_of([data]) == [Frame(NOW_MS, b"hi")]


@pytest.mark.parametrize("timestamp_us", [0, 2**64 - 1, (NOW_MS - 15 * 86_400_000) * 1000, (NOW_MS + 7_300_000) * 1000])
def test_a_time_that_cloudwatch_would_refuse_becomes_the_present_one(timestamp_us: int) -> None:
    assert frames_of([frame(b"x", timestamp_us=timestamp_us)]) == [Frame(NOW_MS, b"x")]


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (b"", []),
        (b"plain\ntext", [b"plain", b"text"]),
        (b"before" + frame(b"framed") + b"after\n" + frame(b"again"), [b"before", b"framed", b"after", b"again"]),
        (frame(b""), [b""]),
        (frame(b"123456789") + frame(b"next"), [b"12345678", b"next"]),
        (TEXT + b"\xff\xff\xff\xff" + bytes(8) + b"x" * 100, [b"x" * 8]),
        (frame(b"torn")[:-2], [b"to"]),
        (frame(b"torn")[:12], []),
        (b"\xa5\x5a\x00\x60\n" + frame(b"real"), [b"\xa5\x5a\x00\x60", b"real"]),
        (b"\xa5\xa5" + frame(b"real") + b"\xa5\x5a", [b"\xa5\xa5", b"real", b"\xa5\x5a"]),
        ("så\n".encode() + frame("gå".encode()), ["så".encode(), "gå".encode()]),
    ],
)
def test_frames(data: bytes, messages: list[bytes]) -> None:
    assert messages_of(data, max_message_bytes=8) == messages
    assert frames_of([data[i : i + 1] for i in range(len(data))], 8) == frames_of([data], 8)


stream = st.lists(
    st.one_of(
        st.binary(max_size=12).map(frame),
        st.sampled_from([b"\xa5", b"\xa5\x5a", b"\xa5\x5a\x00", TEXT, b"\n", b"raw", b"\xa5\x5a\x00\x01", bytes(8)]),
        st.binary(max_size=20),
    ),
    max_size=20,
).map(b"".join)


@given(stream, st.lists(st.integers(0, 1000), max_size=8))
def test_any_cut_gives_the_same_frames(data: bytes, cuts: list[int]) -> None:
    whole = frames_of([data], max_message_bytes=8)
    assert frames_of(pieces(data, cuts), max_message_bytes=8) == whole
    assert all(len(found.message) <= 8 for found in whole)


@given(st.lists(st.binary(max_size=40)))
def test_what_a_client_frames_comes_out(messages: list[bytes]) -> None:
    data = b"".join(frame(message + b"\n") for message in messages)
    assert messages_of(data) == messages


def test_the_end_of_an_over_long_frame_is_passed_over_and_not_kept() -> None:
    decoder = FrameDecoder()
    size = 50_000_000
    found = decoder.feed(TEXT + size.to_bytes(4, "big") + (NOW_MS * 1000).to_bytes(8, "big"), NOW_MS)
    for _ in range(size // 50_000):
        found += decoder.feed(bytes(50_000), NOW_MS)
    found += decoder.feed(frame(b"next"), NOW_MS)
    assert [len(one.message) for one in found] == [MAX_EVENT_BYTES, 4]
