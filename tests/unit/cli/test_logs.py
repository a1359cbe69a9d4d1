"""`lampion logs`: paging, following, choosing one invocation's lines, and what a terminal may be sent."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lampion.cli.failure import ExitCode
from lampion.cli.request_filter import RequestFilter
from lampion.cli.terminal import escape_controls
from tests.unit.cli.conftest import Ran
from tests.unit.cli.stub_server import Stub

Lampion = Callable[..., Ran]


def event(cursor: int, message: str, stream: str = "s") -> dict[str, Any]:
    return {"cursor": cursor, "timestamp_ms": 1_700_000_000_123, "stream": stream, "message": message}


def page(*events: dict[str, Any], after: int = 0) -> bytes:
    return json.dumps({"events": events, "next": events[-1]["cursor"] if events else after}).encode()


def query_of(target: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}


def test_pages_are_read_until_one_is_empty(stub: Stub, lampion: Lampion) -> None:
    stub.answer(200, page(event(1, "one"), event(2, "two")))
    stub.answer(200, page(event(5, "three\nfour\n")))
    stub.answer(200, page(after=5))
    ran = lampion("logs", "hello")
    assert ran.out.decode().splitlines() == [
        "2023-11-14T22:13:20.123Z one",
        "2023-11-14T22:13:20.123Z two",
        "2023-11-14T22:13:20.123Z three",
        "2023-11-14T22:13:20.123Z four",
    ]
    assert [query_of(asked.target) for asked in stub.asked] == [
        {"after": "0", "since": "0", "wait": "0"},
        {"after": "2", "since": "0", "wait": "0"},
        {"after": "5", "since": "0", "wait": "0"},
    ]
    assert {urlsplit(asked.target).path for asked in stub.asked} == {"/_lampion/logs/hello"}


def test_following_waits_and_goes_on_after_an_empty_page(stub: Stub, lampion: Lampion) -> None:
    stub.answer(200, page(after=0))
    stub.answer(200, page(event(1, "late")))
    stub.answer(404, b'{"message": "deleted"}', x_amzn_ErrorType="ResourceNotFoundException")
    ran = lampion("logs", "hello", "--follow")
    assert (ran.out, ran.code) == (b"2023-11-14T22:13:20.123Z late\n", ExitCode.NOT_FOUND)
    assert int(query_of(stub.asked[0].target)["wait"]) > 0


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86_400)])
def test_since_is_a_moment_in_milliseconds(stub: Stub, lampion: Lampion, text: str, seconds: int) -> None:
    stub.answer(200, page())
    before = time.time()
    lampion("logs", "hello", "--since", text)
    since_ms = int(query_of(stub.asked[0].target)["since"])
    assert (before - seconds) * 1000 - 1 <= since_ms <= (time.time() - seconds) * 1000 + 1


@pytest.mark.parametrize("text", ["10", "m", "-1m", "1w", "1.5h", ""])
def test_since_refuses_what_is_no_span(lampion: Lampion, text: str) -> None:
    ran = lampion("logs", "hello", "--since", text)
    assert (ran.code, "write 90s, 10m, 2h or 1d" in ran.err) == (ExitCode.USAGE, True)


def test_request_id_keeps_one_invocation_across_streams(stub: Stub, lampion: Lampion) -> None:
    stub.answer(
        200,
        page(
            event(1, "INIT_START Runtime Version: python:3.11"),
            event(2, "START RequestId: a Version: $LATEST"),
            event(3, "START RequestId: b Version: $LATEST", "t"),
            event(4, "from a"),
            event(5, "from b", "t"),
            event(6, "REPORT RequestId: a\tDuration: 1.00 ms"),
            event(7, "START RequestId: c Version: $LATEST"),
            event(8, "from c"),
        ),
    )
    stub.answer(200, page(after=8))
    lines = [line.split(" ", 1)[1] for line in lampion("logs", "hello", "--request-id", "a").out.decode().splitlines()]
    assert lines == ["START RequestId: a Version: $LATEST", "from a", "REPORT RequestId: a\tDuration: 1.00 ms"]


def test_json_logs_are_told_apart_too() -> None:
    wanted = RequestFilter("a")
    messages = [
        '{"time":"t","type":"platform.start","record":{"requestId":"a","version":"$LATEST"}}',
        '{"level":"INFO","message":"mine"}',
        '{"time":"t","type":"platform.start","record":{"requestId":"b","version":"$LATEST"}}',
        '{"level":"INFO","message":"not mine"}',
        '"platform.start" said in passing',
    ]
    assert [wanted.admits("s", message) for message in messages] == [True, True, False, False, False]


def test_a_pipe_gets_the_log_as_it_is(stub: Stub, lampion: Lampion) -> None:
    stub.answer(200, page(event(1, "\x1b[31mred\x07")))
    stub.answer(200, page(after=1))
    assert lampion("logs", "hello").out == b"2023-11-14T22:13:20.123Z \x1b[31mred\x07\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttab ü 灯", "plain\ttab ü 灯"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("over\rwritten", "over\\x0dwritten"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("abc\u202ecba", "abc\\u202ecba"),
    ],
)
def test_control_characters_become_visible(text: str, shown: str) -> None:
    assert escape_controls(text) == shown
