"""`lampion queue`: what waits and what failed in the durable queues, and bringing it back or dropping it."""

import json
import sys
from collections.abc import Iterator
from typing import Any, Final

import click

from lampion.cli.client import Call, ask
from lampion.cli.failure import ExitCode, Failure
from lampion.cli.location import Server, find_server
from lampion.cli.queue_lines import entry_line, failed_line, queue_lines
from lampion.cli.terminal import shown

_ANSWER_SECONDS: Final = 60.0
_PEEKED: Final = 20

_data = click.option("--data", metavar="DIR", help="Data directory of the server to call.")
_json = click.option("--json", "as_json", is_flag=True, help="One JSON document a line, for programs.")


@click.group("queue")
def command() -> None:
    """Look into the queues of events, and bring back what failed.

    Each function has a queue of events. Each destination or dead-letter queue has a queue of deliveries, named by its
    ARN.

    \b
    Examples:
      lampion queue ls
      lampion queue peek hello --failed
      lampion queue redrive hello --all
    """


@command.command("ls")
@_data
@_json
def list_queues(data: str | None, as_json: bool) -> None:
    """List the queues that hold something.

    RUNNING, DUE (waits for its turn), LATER (waits for its time), FAILED (kept, to be brought back), and how long ago
    the next one was accepted.

    \b
    Example:
      lampion queue ls
    """
    server = find_server(data)
    pages = list(_pages(server, (), {}))
    if as_json:
        for page in pages:
            for queue in page["queues"]:
                click.echo(json.dumps(queue | {"counted_to": page["counted_to"]}))
        return
    _print(queue_lines(pages))


@command.command()
@click.argument("name", metavar="FUNCTION|ARN")
@click.option("--failed", is_flag=True, help="What failed and is kept, the latest first, not what waits.")
@click.option("--limit", type=click.IntRange(min=1), default=_PEEKED, show_default=True, help="How many at most.")
@click.option("--payload", is_flag=True, help="Whole payloads, not only how large they are.")
@_data
@_json
def peek(name: str, failed: bool, limit: int, payload: bool, data: str | None, as_json: bool) -> None:
    """Print what waits in a queue, the next one first, or what failed. It stays where it is.

    What runs at the moment is listed as due until it ends.

    \b
    Examples:
      lampion queue peek hello
      lampion queue peek hello --failed --limit 5 --payload
      lampion queue peek arn:aws:sqs:us-east-1:123456789012:results
    """
    show = "failed" if failed else "waiting"
    query = {"show": show, "limit": str(min(limit, 100))} | ({"payload": "whole"} if payload else {})
    for one, now_epoch_ms in _entries(find_server(data), name, query, limit):
        if as_json:
            click.echo(json.dumps(one))
            continue
        _print([failed_line(one, now_epoch_ms) if failed else entry_line(one, now_epoch_ms)])
        if payload:
            _print([one["payload"]])


@command.command()
@click.argument("name", metavar="FUNCTION|ARN")
@click.option("--request-id", metavar="ID", help="What failed of one invocation.")
@click.option("--number", type=click.IntRange(min=1), metavar="N", help="One, by the number that peek --failed shows.")
@click.option("--all", "is_all", is_flag=True, help="All that has failed by now.")
@_data
@_json
def redrive(
    name: str, request_id: str | None, number: int | None, is_all: bool, data: str | None, as_json: bool
) -> None:
    """Bring back what failed: events run again as if they were new, deliveries are sent again.

    \b
    Examples:
      lampion queue redrive hello --request-id 8ed9a1c7-0f4b-4c54-b7a6-9e4c3a3d7d11
      lampion queue redrive hello --all
      lampion queue redrive arn:aws:sqs:us-east-1:123456789012:results --all
    """
    if (request_id is None) + (number is None) + (not is_all) != 2:
        raise click.UsageError("Say what: one of --request-id, --number and --all.")
    chosen = {"request_id": request_id, "number": number} if not is_all else {"all": True}
    order = {"action": "redrive"} | {key: value for key, value in chosen.items() if value is not None}
    _tell(_order(find_server(data), name, order, "redriven"), "redriven", as_json)


@command.command()
@click.argument("name", metavar="FUNCTION|ARN")
@click.option("--waiting", is_flag=True, help="What waits: it ends as Purged and never runs.")
@click.option("--failed", is_flag=True, help="What failed and is kept: it can't be brought back any more.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@_data
@_json
def purge(name: str, waiting: bool, failed: bool, yes: bool, data: str | None, as_json: bool) -> None:
    """Drop what waits in a queue, or what failed in it. What runs at the moment goes on to its end.

    \b
    Examples:
      lampion queue purge hello --waiting --yes
      lampion queue purge hello --failed --yes
    """
    if waiting == failed:
        raise click.UsageError("Say what: either --waiting or --failed.")
    what = "waiting" if waiting else "failed"
    if not yes:
        _confirm(f"Drop all that {'waits' if waiting else 'failed'} in the queue of {name}?")
    _tell(_order(find_server(data), name, {"action": "purge", "what": what}, "purged"), "purged", as_json)


def _confirm(question: str) -> None:
    """Raises Failure where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise Failure(ExitCode.USAGE, "nothing was dropped", why="there is nobody to confirm it", fix="Add --yes.")
    click.confirm(shown(question, sys.stdout), abort=True)


def _answer(server: Server, call: Call) -> dict[str, Any]:
    """Raises Failure."""
    try:
        answer: dict[str, Any] = json.loads(ask(server, call, timeout_seconds=_ANSWER_SECONDS).body)
    except Failure as failure:
        if failure.exit_code is ExitCode.NOT_FOUND:
            failure.fix = "List the queues that hold something with: lampion queue ls"
        raise
    return answer


def _pages(server: Server, segments: tuple[str, ...], query: dict[str, str]) -> Iterator[dict[str, Any]]:
    after: dict[str, str] = {}
    while True:
        call = Call("GET", ("_lampion", "queues", *segments), query=query | after)
        page = _answer(server, call)
        yield page
        if page["next"] is None:
            return
        after = {"after": page["next"]}


def _entries(server: Server, name: str, query: dict[str, str], limit: int) -> Iterator[tuple[dict[str, Any], int]]:
    left = limit
    for page in _pages(server, (name,), query):
        for one in page[query["show"]]:
            yield one, page["now_epoch_ms"]
            left -= 1
            if not left:
                return


def _order(server: Server, name: str, order: dict[str, Any], counted: str) -> int:
    """Repeated until all is done; how many it were. What was done before a failure stays done."""
    done = 0
    following: str | None = None
    while True:
        step = order if following is None else order | {"next": following}
        call = Call("POST", ("_lampion", "queues", name), body=json.dumps(step).encode())
        answer = _answer(server, call)
        done += int(answer[counted])
        following = answer["next"]
        if following is None:
            return done


def _tell(count: int, word: str, as_json: bool) -> None:
    click.echo(json.dumps({word: count}) if as_json else f"{word}: {count}")


def _print(lines: "Iterator[str] | list[str]") -> None:
    for line in lines:
        click.echo(shown(line, sys.stdout))
