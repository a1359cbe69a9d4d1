"""The store on disk: restarts, limits, damage, crowds."""

import asyncio
import os
from pathlib import Path

import pytest

from lampion.function_logs.journal import LogGroup
from lampion.function_logs.segment import SegmentWriter
from tests.component.function_logs.places import HELLO, MIB, STREAM, messages, open_files


def segments(directory: Path, suffix: str = ".idx") -> list[Path]:
    return sorted(directory.rglob(f"*{suffix}"))


async def write(directory: Path, *texts: str, stream: str = STREAM) -> None:
    async with open_files(directory) as logs:
        opened = logs.open_stream(HELLO, stream)
        for text in texts:
            opened.append(1, text.encode())


async def test_events_and_cursors_survive_a_restart(tmp_path: Path) -> None:
    await write(tmp_path, "one", "two")
    async with open_files(tmp_path) as logs:
        before = await logs.read(HELLO, after=0, limit=10)
        assert [event.message for event in before] == ["one", "two"]
        assert before[0].stream == STREAM
        assert await logs.last_cursor(HELLO) == before[-1].cursor
        logs.open_stream(HELLO, "another").append(1, b"three")
        (after,) = await logs.read(HELLO, after=before[-1].cursor, limit=10)
        assert (after.message, after.stream) == ("three", "another")
    async with open_files(tmp_path) as logs:
        assert await messages(logs) == ["one", "two", "three"]


async def test_the_log_of_a_stream_that_goes_on_after_a_restart_is_one(tmp_path: Path) -> None:
    for number in range(3):
        await write(tmp_path, f"run {number}")
    async with open_files(tmp_path) as logs:
        events = await logs.read(HELLO, after=0, limit=10)
        assert [(event.stream, event.message) for event in events] == [(STREAM, f"run {n}") for n in range(3)]


@pytest.mark.parametrize("damage", [None, b"", b"{", b'{"account_id":"1","region":"r","name":"n","cursors_below":1}'])
async def test_cursors_go_on_growing_when_their_bound_is_lost(tmp_path: Path, damage: bytes | None) -> None:
    await write(tmp_path, "one", "two")
    (bound,) = tmp_path.rglob("group.json")
    bound.unlink()
    if damage is not None:
        bound.write_bytes(damage)
    async with open_files(tmp_path) as logs:
        before = await logs.last_cursor(HELLO)
        assert before > 0
        logs.open_stream(HELLO, STREAM).append(1, b"three")
        assert [event.message for event in await logs.read(HELLO, after=before, limit=10)] == ["three"]


async def test_an_event_that_a_reader_saw_keeps_its_cursor_to_itself(tmp_path: Path) -> None:
    """Even when the process dies right after: the files as they are then tell the next one."""
    async with open_files(tmp_path) as logs:
        logs.open_stream(HELLO, STREAM).append(1, b"seen")
        (seen,) = await logs.read(HELLO, after=0, limit=10)
        async with open_files(tmp_path) as successor:
            successor.open_stream(HELLO, "of the successor").append(1, b"new")
            assert [event.message for event in await successor.read(HELLO, after=seen.cursor, limit=10)] == ["new"]


@pytest.mark.parametrize("cut_bytes", range(1, 30))
async def test_a_torn_index_loses_only_what_is_torn(tmp_path: Path, cut_bytes: int) -> None:
    await write(tmp_path, "one", "two", "three")
    (index,) = segments(tmp_path)
    os.truncate(index, index.stat().st_size - cut_bytes)
    async with open_files(tmp_path) as logs:
        assert await messages(logs) == (["one", "two"] if cut_bytes <= 24 else ["one"])
        logs.open_stream(HELLO, STREAM).append(1, b"four")
        assert (await messages(logs))[-1] == "four"


async def test_an_index_that_is_ahead_of_its_log_is_cut(tmp_path: Path) -> None:
    await write(tmp_path, "one", "two", "three")
    (log,) = segments(tmp_path, ".log")
    os.truncate(log, log.stat().st_size - 3)
    async with open_files(tmp_path) as logs:
        assert await messages(logs) == ["one", "two"]


async def test_an_index_that_ends_in_zeros_is_cut(tmp_path: Path) -> None:
    await write(tmp_path, "one")
    (index,) = segments(tmp_path)
    with index.open("ab") as file:
        file.write(bytes(1000))
    async with open_files(tmp_path) as logs:
        assert await messages(logs) == ["one"]


@pytest.mark.parametrize("content", [b"", b"lampion", b"\xff" * 500, b"lampion log index 1\n\xff\xff"])
async def test_a_damaged_segment_hides_no_other(tmp_path: Path, content: bytes) -> None:
    await write(tmp_path, "lost", stream="a")
    (damaged,) = segments(tmp_path)
    await write(tmp_path, "kept", stream="b")
    damaged.write_bytes(content)
    async with open_files(tmp_path) as logs:
        assert await messages(logs) == ["kept"]
        assert await logs.last_cursor(HELLO) > 0


async def test_foreign_files_are_passed_over(tmp_path: Path) -> None:
    await write(tmp_path, "mine")
    directory = segments(tmp_path)[0].parent
    (directory / "notes.idx").write_text("hello")
    (directory / "0000000000000001.link.idx").symlink_to("/etc/passwd")
    (directory / "subdirectory.log").mkdir()
    async with open_files(tmp_path) as logs:
        assert await messages(logs) == ["mine"]


async def test_segments_are_rotated_and_the_oldest_deleted(tmp_path: Path) -> None:
    group_bytes = 256 * 1024
    async with open_files(tmp_path, segment_bytes=32 * 1024, group_bytes=group_bytes) as logs:
        streams = [logs.open_stream(HELLO, f"s{number}") for number in range(3)]
        for number in range(6000):
            streams[number % 3].append(number, b"%06d " % number + b"x" * 93)
            if number % 100 == 0:
                await logs.flush()
        kept = await messages(logs)
    used = sum(path.stat().st_blocks * 512 for path in tmp_path.rglob("*.*") if path.suffix in (".log", ".idx"))
    assert group_bytes // 2 < used <= group_bytes
    numbers = [int(text.split()[0]) for text in kept]
    assert numbers[-1] == 5999
    assert numbers == sorted(numbers)
    assert 500 < len(numbers) < 6000
    assert all(path.stat().st_size <= 40 * 1024 for path in segments(tmp_path, ".log"))
    async with open_files(tmp_path, segment_bytes=32 * 1024, group_bytes=group_bytes) as logs:
        assert await messages(logs) == kept


async def test_a_quiet_stream_goes_on_when_its_segment_was_deleted(tmp_path: Path) -> None:
    async with open_files(tmp_path, segment_bytes=16 * 1024, group_bytes=64 * 1024) as logs:
        quiet, loud = logs.open_stream(HELLO, "quiet"), logs.open_stream(HELLO, "loud")
        quiet.append(1, b"old")
        for _ in range(30):
            loud.append(1, b"x" * 8000)
            await logs.flush()
        assert "old" not in await messages(logs)
        quiet.append(1, b"new")
        assert (await messages(logs))[-1] == "new"


async def test_ten_thousand_streams_in_a_group(tmp_path: Path) -> None:
    count = 10_000
    async with open_files(tmp_path) as logs:
        for number in range(count):
            stream = logs.open_stream(HELLO, f"stream {number}")
            stream.append(number, b"%d" % number)
            stream.close()
        await logs.flush()
        assert len(list(Path("/proc/self/fd").iterdir())) < 500
        assert len(await messages(logs)) == count
    async with open_files(tmp_path) as logs:
        first = await logs.read(HELLO, after=0, limit=5)
        assert [event.message for event in first] == ["0", "1", "2", "3", "4"]
        newest = await logs.last_cursor(HELLO)
        logs.open_stream(HELLO, "new").append(1, b"new")
        assert [event.message for event in await logs.read(HELLO, after=newest, limit=5)] == ["new"]


async def test_a_flood_is_dropped_and_counted_and_takes_no_memory(tmp_path: Path) -> None:
    async with open_files(tmp_path, backlog_max_bytes=MIB) as logs:
        flooding, other = logs.open_stream(HELLO, "flood"), logs.open_stream(HELLO, "other")
        sent = 40_000
        for _ in range(sent):  # without a pause for the event loop; the writer can't keep up with that
            flooding.append(7, b"x" * 1000)
        flooding.close()
        other.append(8, b"of another")
        texts = await messages(logs)
    markers = [text for text in texts if text.endswith(" log events dropped]")]
    dropped = sum(int(text[1:].split()[0]) for text in markers)
    assert dropped > 0
    assert dropped + texts.count("x" * 1000) == sent
    assert texts[-1] == "of another"  # whom the flood did not crowd out


async def test_a_flood_that_can_be_written_is_kept_whole(tmp_path: Path) -> None:
    async with open_files(tmp_path) as logs:
        stream = logs.open_stream(HELLO, STREAM)
        for number in range(50_000):
            stream.append(7, b"%d" % number)
            if number % 500 == 0:
                await asyncio.sleep(0)
        assert await messages(logs) == [str(number) for number in range(50_000)]


async def test_a_full_disk_loses_events_and_says_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_whole = SegmentWriter.write

    def write_half(self: SegmentWriter, messages: bytes, records: bytes) -> None:
        write_whole(self, messages[: len(messages) // 2], b"")
        raise OSError(28, "No space left on device")

    async with open_files(tmp_path) as logs:
        stream = logs.open_stream(HELLO, STREAM)
        stream.append(1, b"before")
        await logs.flush()
        monkeypatch.setattr(SegmentWriter, "write", write_half)
        for _ in range(3):
            stream.append(2, b"lost")
            await logs.flush()
        stream.append(2, b"lost")
        stream.append(2, b"lost")
        await logs.flush()
        monkeypatch.undo()
        stream.append(3, b"after")
        assert await messages(logs) == ["before", "[5 log events dropped]", "after"]
        stream.append(3, b"more")
        assert (await messages(logs))[-2:] == ["after", "more"]
    assert len(segments(tmp_path)) == 2
    assert [record.message for record in caplog.records].count(
        "log events of functions are lost: [Errno 28] No space left on device"
    ) == 1


async def test_a_directory_that_cannot_be_used_never_raises(tmp_path: Path) -> None:
    (tmp_path / "123456789012").write_text("a file where a directory should be")
    async with open_files(tmp_path) as logs:
        stream = logs.open_stream(HELLO, STREAM)
        stream.append(1, b"x")
        await logs.flush()
        assert await messages(logs) == []
        assert await logs.last_cursor(HELLO) == 0


async def test_a_time_that_no_record_can_hold_loses_that_event_only(tmp_path: Path) -> None:
    async with open_files(tmp_path) as logs:
        strange, ordinary = logs.open_stream(HELLO, "strange"), logs.open_stream(HELLO, "ordinary")
        strange.append(1 << 80, b"x")
        ordinary.append(1, b"y")
        assert await messages(logs) == ["y"]


async def test_reading_is_bounded_in_bytes_but_gets_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lampion.function_logs.reading.READ_MAX_BYTES", 2500)
    async with open_files(tmp_path) as logs:
        stream = logs.open_stream(HELLO, STREAM)
        for size in (1000, 1000, 1000, 5000, 10):
            stream.append(1, b"x" * size)
        sizes = []
        cursor = 0
        while events := await logs.read(HELLO, after=cursor, limit=100):
            sizes.append([len(event.message) for event in events])
            cursor = events[-1].cursor
    assert sizes == [[1000, 1000], [1000], [5000], [10]]


async def test_nobody_else_can_read_the_logs(tmp_path: Path) -> None:
    root = tmp_path / "logs"
    root.mkdir(mode=0o700)
    await write(root, "secret")
    assert {path.stat().st_mode & 0o077 for path in root.rglob("*") if path.suffix in (".log", ".idx")} == {0}


async def test_reading_makes_nothing(tmp_path: Path) -> None:
    async with open_files(tmp_path) as logs:
        await messages(logs, LogGroup("1", "r", "never written"))
        await logs.last_cursor(HELLO)
    assert list(tmp_path.iterdir()) == []


async def test_a_reader_beside_the_writer_misses_nothing(tmp_path: Path) -> None:
    async with open_files(tmp_path, segment_bytes=20_000, group_bytes=100 * MIB) as logs:
        streams = [logs.open_stream(HELLO, f"s{number}") for number in range(20)]
        done = False

        async def produce() -> None:
            nonlocal done
            for number in range(20_000):
                streams[number % 20].append(1, b"%d" % number)
                if number % 50 == 0:
                    await asyncio.sleep(0)
            done = True

        producer = asyncio.create_task(produce())
        seen: list[str] = []
        cursor = 0
        while True:
            finished = done
            events = await logs.read(HELLO, after=cursor, limit=300)
            seen += [event.message for event in events]
            cursor = events[-1].cursor if events else cursor
            if finished and not events:
                break
        await producer
    assert seen == [str(number) for number in range(20_000)]
