"""`lampion queue`: what it asks, how it goes on, what people and programs get to read."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lampion.cli.failure import ExitCode
from lampion.cli.queue_lines import span
from tests.unit.cli.conftest import Ran
from tests.unit.cli.stub_server import Stub

Lampion = Callable[..., Ran]
NOW = 1_700_000_100_000
ARN = "arn:aws:sqs:us-east-1:123456789012:results"


def queue(name: str, **counts: Any) -> dict[str, Any]:
    first = {"accepted_epoch_ms": NOW - 200_000}
    return {"kind": "events", "name": name, "running": 0, "due": 0, "later": 0, "failed": 0, "first": first} | counts


def queues(*found: dict[str, Any], following: str | None = None) -> bytes:
    return json.dumps({"queues": found, "counted_to": 10_000, "now_epoch_ms": NOW, "next": following}).encode()


def waiting(*sequences: int, following: str | None = None, payload: str = "{}") -> bytes:
    found = [
        {
            "sequence": sequence,
            "request_id": f"id-{sequence}",
            "qualifier": None,
            "accepted_epoch_ms": NOW - 5000,
            "due_epoch_ms": NOW + 61_000 * (sequence % 2),
            "attempts": sequence % 2,
            "payload_bytes": len(payload),
            "payload": payload,
            "payload_is_whole": True,
        }
        for sequence in sequences
    ]
    return json.dumps({"waiting": found, "now_epoch_ms": NOW, "next": following}).encode()


FAILED = {
    "number": 7,
    "request_id": "id-7",
    "qualifier": "live",
    "accepted_epoch_ms": NOW - 9000,
    "ended_epoch_ms": NOW - 3_720_000,
    "ending": "RetriesExhausted",
    "payload_bytes": 2,
    "payload": "{}",
    "payload_is_whole": True,
}


def query_of(target: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}


def test_queues_are_a_table_over_all_pages(stub: Stub, lampion: Lampion) -> None:
    stub.answer(200, queues(queue("hello", due=10_001, running=2), following="delivery:"))
    stub.answer(200, queues(queue(ARN, failed=3, first=None)))
    lines = lampion("queue", "ls").out.decode().splitlines()
    assert [line.split() for line in lines] == [
        ["QUEUE", "RUNNING", "DUE", "LATER", "FAILED", "NEXT", "ACCEPTED"],
        ["hello", "2", ">10000", "0", "0", "3m20s", "ago"],
        [ARN, "0", "0", "0", "3", "-"],
    ]
    assert len({len(line) for line in lines}) == 1
    assert [query_of(asked.target) for asked in stub.asked] == [{}, {"after": "delivery:"}]


def test_queues_for_programs_are_a_document_a_line(stub: Stub, lampion: Lampion) -> None:
    stub.answer(200, queues(queue("a"), queue("b", due=10_001)))
    found = [json.loads(line) for line in lampion("queue", "ls", "--json").out.splitlines()]
    assert [(one["name"], one["due"], one["counted_to"]) for one in found] == [("a", 0, 10_000), ("b", 10_001, 10_000)]


def test_peek_shows_no_more_than_asked_over_pages(stub: Stub, lampion: Lampion) -> None:
    stub.answer(200, waiting(2, 3, following="1.3"))
    stub.answer(200, waiting(4, 5, following="1.5"))
    lines = lampion("queue", "peek", "hello", "--limit", "3").out.decode().splitlines()
    assert lines == [
        "2023-11-14T22:14:55.000Z id-2 due, attempts 0, 2 bytes",
        "2023-11-14T22:14:55.000Z id-3 due in 1m1s, attempts 1, 2 bytes",
        "2023-11-14T22:14:55.000Z id-4 due, attempts 0, 2 bytes",
    ]
    first, second = (query_of(asked.target) for asked in stub.asked)
    assert first == {"show": "waiting", "limit": "3"}
    assert second["after"] == "1.3"


def test_peek_shows_what_failed_with_its_reason_and_payload(stub: Stub, lampion: Lampion) -> None:
    stub.answer(200, json.dumps({"failed": [FAILED], "now_epoch_ms": NOW, "next": None}).encode())
    lines = lampion("queue", "peek", "hello", "--failed", "--payload").out.decode().splitlines()
    assert lines == [
        "2023-11-14T21:13:00.000Z id-7 RetriesExhausted 1h2m ago, number 7, qualifier live, 2 bytes",
        "{}",
    ]
    assert query_of(stub.asked[0].target) == {"show": "failed", "limit": "20", "payload": "whole"}


def test_peek_for_programs_is_a_document_a_line(stub: Stub, lampion: Lampion) -> None:
    stub.answer(200, waiting(2, 3))
    found = [json.loads(line) for line in lampion("queue", "peek", ARN, "--json").out.splitlines()]
    assert [one["request_id"] for one in found] == ["id-2", "id-3"]
    assert urlsplit(stub.asked[0].target).path.endswith("/queues/arn%3Aaws%3Asqs%3Aus-east-1%3A123456789012%3Aresults")


def test_an_empty_queue_is_no_error(stub: Stub, lampion: Lampion) -> None:
    stub.answer(200, waiting())
    ran = lampion("queue", "peek", "hello")
    assert (ran.code, ran.out) == (ExitCode.OK, b"")


@pytest.mark.parametrize(
    ("arguments", "order"),
    [
        (("--request-id", "id-7"), {"request_id": "id-7"}),
        (("--number", "7"), {"number": 7}),
        (("--all",), {"all": True}),
    ],
)
def test_redrive_says_what(stub: Stub, lampion: Lampion, arguments: tuple[str, ...], order: dict[str, Any]) -> None:
    stub.answer(200, b'{"redriven": 1, "next": null}')
    assert lampion("queue", "redrive", "hello", *arguments).out == b"redriven: 1\n"
    assert json.loads(stub.asked[0].body) == {"action": "redrive", **order}
    assert stub.asked[0].method == "POST"


def test_steps_are_repeated_until_all_is_done(stub: Stub, lampion: Lampion) -> None:
    stub.answer(200, b'{"purged": 500, "next": "1.2.3"}')
    stub.answer(200, b'{"purged": 0, "next": "4.5.3"}')
    stub.answer(200, b'{"purged": 3, "next": null}')
    assert lampion("queue", "purge", "hello", "--waiting", "--yes", "--json").out == b'{"purged": 503}\n'
    orders = [json.loads(asked.body) for asked in stub.asked]
    order = {"action": "purge", "what": "waiting"}
    assert orders == [order, order | {"next": "1.2.3"}, order | {"next": "4.5.3"}]


@pytest.mark.parametrize("what", [(), ("--all", "--number", "1"), ("--number", "0")])
def test_redrive_wants_one_choice(stub: Stub, lampion: Lampion, what: tuple[str, ...]) -> None:
    assert lampion("queue", "redrive", "hello", *what).code == ExitCode.USAGE
    assert stub.asked == []


@pytest.mark.parametrize("what", [("--yes",), ("--waiting", "--failed", "--yes")])
def test_purge_wants_one_choice(stub: Stub, lampion: Lampion, what: tuple[str, ...]) -> None:
    assert lampion("queue", "purge", "hello", *what).code == ExitCode.USAGE
    assert stub.asked == []


def test_nothing_is_dropped_without_yes_where_nobody_can_be_asked(stub: Stub, lampion: Lampion) -> None:
    ran = lampion("queue", "purge", "hello", "--failed")
    assert (ran.code, "Add --yes" in ran.err, stub.asked) == (ExitCode.USAGE, True, [])


def test_a_queue_that_is_not_there(stub: Stub, lampion: Lampion) -> None:
    stub.answer(404, b'{"message": "Function not found: x"}', x_amzn_ErrorType="ResourceNotFoundException")
    ran = lampion("queue", "peek", "x")
    assert ran.code == ExitCode.NOT_FOUND
    assert "why: Function not found: x" in ran.err
    assert "fix: List the queues that hold something with: lampion queue ls" in ran.err


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59.9, "59s"), (60, "1m"), (200, "3m20s"), (7320, "2h2m"), (200_000, "2d7h")]
)
def test_spans_are_short(seconds: float, text: str) -> None:
    assert span(seconds) == text
