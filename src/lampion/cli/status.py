"""`lampion status`: which server answers, and what is failing there."""

import json
import sys

import click

from lampion.cli.client import Call, ask
from lampion.cli.failure import ExitCode
from lampion.cli.location import find_server
from lampion.cli.terminal import shown

_ANSWER_SECONDS = 10.0


@click.command("status")
@click.option("--data", metavar="DIR", help="Data directory of the server to call.")
@click.pass_context
def command(context: click.Context, data: str | None) -> None:
    """Tell whether a server is well.

    The first line says where it is, and one line follows for everything that is failing. Exit code 0: all is well; 8:
    something is failing.

    \b
    Example:
      lampion status
    """
    server = find_server(data)
    status = json.loads(ask(server, Call("GET", ("_lampion", "status")), timeout_seconds=_ANSWER_SECONDS).body)
    where = f"lampion {status['version']} at {server.url} account {status['account_id']} region {status['region']}"
    click.echo(f"{status['status']}: {where}")
    for problem in status["problems"]:
        line = f"{problem['name']}: {problem['reason']} (for {problem['seconds']:.0f} s)"
        click.echo(shown(line, sys.stdout))
    if status["problems"]:
        context.exit(ExitCode.SERVER_ERROR)
