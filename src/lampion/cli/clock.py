"""`lampion clock`: shows the server's clock, and advances it where the server was started for that."""

import json
import time
from typing import Any

import click

from lampion.cli.client import Call, ask
from lampion.cli.durations import read_duration
from lampion.cli.location import find_server

_ANSWER_SECONDS = 60.0
_DATA = click.option("--data", metavar="DIR", help="Data directory of the server to call.")


@click.group("clock", invoke_without_command=True)
@_DATA
@click.pass_context
def command(context: click.Context, data: str | None) -> None:
    """Show the clock of a server, or advance it.

    `lampion clock advance 2m` lets two minutes pass at once: retries, ages and schedules that fall due happen now.
    Only a server that was started with --clock adjustable, for development, lets its clock be advanced.

    \b
    Examples:
      lampion clock
      lampion clock advance 2m
    """
    context.obj = data
    if context.invoked_subcommand is None:
        _tell(data, Call("GET", ("_lampion", "clock")))


@command.command("advance")
@click.argument("span", callback=read_duration, metavar="TIME")
@_DATA
@click.pass_obj
def advance(of_group: str | None, span: int, data: str | None) -> None:
    """Let TIME (such as 90s, 2m, 1h, 1d) pass at once."""
    body = json.dumps({"advance_seconds": span}).encode()
    headers = {"Content-Type": "application/json"}
    _tell(data or of_group, Call("POST", ("_lampion", "clock"), headers=headers, body=body))


def _tell(data: str | None, call: Call) -> None:
    told: dict[str, Any] = json.loads(ask(find_server(data), call, timeout_seconds=_ANSWER_SECONDS).body)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(told["now"]))
    kind = f"{told['ahead_seconds']:g} s ahead" if told["adjustable"] else "the machine's; it can't be advanced"
    click.echo(f"{now} ({kind})")
