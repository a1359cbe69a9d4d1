"""`lampion logs`: reads a function's log from the server, page by page, and follows it."""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import click

from lampion.cli.client import Call, ask
from lampion.cli.durations import read_duration
from lampion.cli.location import Server, find_server
from lampion.cli.request_filter import RequestFilter
from lampion.cli.terminal import dim, shown

_WAIT_SECONDS: Final = 20
_ANSWER_SECONDS: Final = 30.0


@click.command("logs")
@click.argument("name")
@click.option("--data", metavar="DIR", help="Data directory of the server to call.")
@click.option("--follow", "-f", is_flag=True, help="Keep printing what comes, until Ctrl-C.")
@click.option(
    "--since", callback=read_duration, metavar="TIME", help="Only what is younger than this, such as 90s, 10m, 2h, 1d."
)
@click.option("--request-id", metavar="ID", help="Only what one invocation wrote.")
def command(name: str, data: str | None, follow: bool, since: int | None, request_id: str | None) -> None:
    """Print a function's log.

    One line per event with its time in UTC, oldest first.

    \b
    Examples:
      lampion logs hello --since 10m
      lampion logs hello --follow
    """
    since_ms = 0 if since is None else int((time.time() - since) * 1000)
    wanted = RequestFilter(request_id) if request_id else None
    for event in _events(find_server(data), name, since_ms, follow):
        if wanted is None or wanted.admits(event["stream"], event["message"]):
            _print(event)


def _events(server: Server, name: str, since_ms: int, follow: bool) -> Iterator[dict[str, Any]]:
    """Everything from `since_ms` on; with `follow` it never ends."""
    cursor = 0
    while True:
        query = {"after": str(cursor), "since": str(since_ms), "wait": str(_WAIT_SECONDS if follow else 0)}
        call = Call("GET", ("_lampion", "logs", name), query=query)
        page = json.loads(ask(server, call, timeout_seconds=_ANSWER_SECONDS).body)
        yield from page["events"]
        if not follow and not page["events"]:
            return
        cursor = page["next"]


def _print(event: dict[str, Any]) -> None:
    seconds, milliseconds = divmod(event["timestamp_ms"], 1000)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{milliseconds:03d}Z"
    for line in event["message"].removesuffix("\n").split("\n"):
        click.echo(f"{dim(moment, sys.stdout)} {shown(line, sys.stdout)}", color=True)
    sys.stdout.flush()
