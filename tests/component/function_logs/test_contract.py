"""What every log store promises, in memory or on disk."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lampion.function_logs.journal import FunctionLogs, LogEvent, LogGroup
from lampion.function_logs.memory import MemoryLogs
from tests.component.function_logs.places import HELLO, STREAM, messages, open_files


async def test_a_group_that_nobody_wrote_to_is_empty(logs: FunctionLogs) -> None:
    assert list(await logs.read(HELLO, after=0, limit=10)) == []
    assert await logs.last_cursor(HELLO) == 0
    await logs.flush()


async def test_events_are_read_as_soon_as_they_are_appended(logs: FunctionLogs) -> None:
    stream = logs.open_stream(HELLO, STREAM)
    stream.append(1000, b"first")
    first, *others = await logs.read(HELLO, after=0, limit=10)
    assert others == []
    assert first == LogEvent(first.cursor, 1000, STREAM, "first")
    assert first.cursor > 0
    stream.append(1001, b"second")
    (second,) = await logs.read(HELLO, after=first.cursor, limit=10)
    assert second.message == "second"
    assert second.cursor > first.cursor
    assert await logs.last_cursor(HELLO) == second.cursor


async def test_events_of_all_streams_come_in_the_order_of_their_arrival(logs: FunctionLogs) -> None:
    streams = [logs.open_stream(HELLO, f"stream {number}") for number in range(7)]
    for number in range(500):
        streams[number * number % 7].append(5000 - number, b"%d" % number)
    events = await logs.read(HELLO, after=0, limit=1000)
    assert [event.message for event in events] == [str(number) for number in range(500)]
    assert [event.stream for event in events] == [f"stream {number * number % 7}" for number in range(500)]
    cursors = [event.cursor for event in events]
    assert cursors == sorted(set(cursors))
    assert await messages(logs, page=3) == [str(number) for number in range(500)]


async def test_limit_and_after_and_since(logs: FunctionLogs) -> None:
    stream = logs.open_stream(HELLO, STREAM)
    for number in range(2000):
        stream.append(number, b"%d" % number)
    assert [event.message for event in await logs.read(HELLO, after=0, limit=3)] == ["0", "1", "2"]
    late = await logs.read(HELLO, after=0, limit=3, since_ms=1990)
    assert [event.message for event in late] == ["1990", "1991", "1992"]
    assert [event.message for event in await logs.read(HELLO, after=late[-1].cursor, limit=100)] == [
        str(number) for number in range(1993, 2000)
    ]
    assert list(await logs.read(HELLO, after=await logs.last_cursor(HELLO), limit=10)) == []
    assert list(await logs.read(HELLO, after=0, limit=10, since_ms=2000)) == []
    assert list(await logs.read(HELLO, after=0, limit=0)) == []


async def test_since_finds_events_whose_times_run_backwards(logs: FunctionLogs) -> None:
    stream = logs.open_stream(HELLO, STREAM)
    for number in range(1500):
        stream.append(1500 - number, b"%d" % number)
    found = await logs.read(HELLO, after=0, limit=1000, since_ms=1498)
    assert [event.message for event in found] == ["0", "1", "2"]


async def test_groups_know_nothing_of_each_other(logs: FunctionLogs) -> None:
    groups = [
        HELLO,
        LogGroup("210987654321", HELLO.region, HELLO.name),
        LogGroup(HELLO.account_id, "eu-west-1", HELLO.name),
        LogGroup(HELLO.account_id, HELLO.region, "/aws/lambda/hello2"),
        LogGroup(HELLO.account_id, HELLO.region, "../../../escape"),
        LogGroup(HELLO.account_id, HELLO.region, "n" * 512),
    ]
    for group in groups:
        logs.open_stream(group, STREAM).append(1, repr(group).encode())
    for group in groups:
        assert await messages(logs, group) == [repr(group)]


async def test_any_bytes_are_a_message(logs: FunctionLogs) -> None:
    stream = logs.open_stream(HELLO, STREAM)
    for message in (b"", b"\n", b"two\nlines", b"\xff\xfe", "grün".encode(), b"\0", b"x" * 300_000):
        stream.append(1, message)
    assert await messages(logs) == ["", "\n", "two\nlines", "\ufffd\ufffd", "grün", "\0", "x" * 300_000]


async def test_a_closed_stream_keeps_its_events(logs: FunctionLogs) -> None:
    stream = logs.open_stream(HELLO, STREAM)
    stream.append(1, b"last words")
    stream.close()
    stream.close()
    assert await messages(logs) == ["last words"]
    again = logs.open_stream(HELLO, STREAM)
    again.append(2, b"and more")
    assert [(event.stream, event.message) for event in await logs.read(HELLO, after=0, limit=10)] == [
        (STREAM, "last words"),
        (STREAM, "and more"),
    ]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 3), st.binary(max_size=30)),
        st.tuples(st.just("read"), st.integers(0, 10), st.integers(1, 5)),
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
async def test_files_answer_as_memory_does(tmp_path_factory, steps) -> None:
    twin = MemoryLogs()
    async with open_files(tmp_path_factory.mktemp("logs"), segment_bytes=100, group_bytes=10_000_000) as files:
        stores: list[FunctionLogs] = [twin, files]
        streams = [[store.open_stream(HELLO, f"s{n}") for n in range(4)] for store in stores]
        resume = [[0], [0]]
        for kind, number, argument in steps:
            if kind == "append":
                for own in streams:
                    own[number].append(number, argument)
                continue
            seen = []
            for store, cursors in zip(stores, resume, strict=True):
                events = await store.read(HELLO, after=cursors[number % len(cursors)], limit=argument)
                cursors += [event.cursor for event in events[-1:]]
                seen.append([(event.timestamp_ms, event.stream, event.message) for event in events])
            assert seen[0] == seen[1]
