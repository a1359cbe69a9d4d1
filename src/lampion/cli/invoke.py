"""`lampion invoke`: the function's answer on stdout, byte for byte; everything about it on stderr."""

import base64
import json
import sys
from pathlib import Path
from typing import Final

import click

from lampion.cli.failure import ExitCode, Failure

# AWS lets a function run for 900 s; the rest is for starting it and carrying payloads.
_LONGEST_ANSWER_SECONDS: Final = 960.0
_TIMED_OUT: Final = "Sandbox.Timedout"


@click.command("invoke")
@click.argument("name")
@click.argument("payload", required=False)
@click.option("--data", metavar="DIR", help="Data directory of the server to call.")
@click.option("--qualifier", metavar="VERSION|ALIAS", help="Which version to run.")
@click.option("--client-context", metavar="JSON|@FILE", help="JSON object that the handler finds in its context.")
@click.option("--tail", is_flag=True, help="Print the last 4 KB of the log on stderr; same as --log-type Tail.")
@click.option("--log-type", type=click.Choice(["None", "Tail"]), default="None", show_default=True)
@click.option("--dry-run", is_flag=True, help="Only check the request; same as --invocation-type DryRun.")
@click.option(
    "--invocation-type",
    type=click.Choice(["RequestResponse", "Event", "DryRun"]),
    default="RequestResponse",
    show_default=True,
)
def command(
    name: str,
    payload: str | None,
    data: str | None,
    qualifier: str | None,
    client_context: str | None,
    tail: bool,
    log_type: str,
    dry_run: bool,
    invocation_type: str,
) -> int:
    """Run a function and print its answer.

    NAME is a function's name or ARN. PAYLOAD is JSON, @FILE for a file's content, or - for stdin; without it
    nothing is sent.

    \b
    Examples:
      lampion invoke hello '{"name": "Ada"}'
      lampion invoke hello @event.json --tail
      generate-events | lampion invoke hello - > answer.json

    Exit code: 0 the function answered, 1 it failed, 2 usage, 3 no such function, 4 throttled, 5 timeout,
    6 access denied, 7 no server, 8 the server failed.
    """
    from lampion.cli.client import Call, ask
    from lampion.cli.location import find_server

    headers = {
        "Content-Type": "application/json",
        "X-Amz-Invocation-Type": "DryRun" if dry_run else invocation_type,
        "X-Amz-Log-Type": "Tail" if tail else log_type,
    }
    if client_context is not None:
        headers["X-Amz-Client-Context"] = _encoded_context(client_context)
    call = Call(
        "POST",
        ("2015-03-31", "functions", name, "invocations"),
        query={"Qualifier": qualifier} if qualifier else {},
        headers=headers,
        body=_read(payload) if payload is not None else b"",
    )
    answer = ask(find_server(data), call, timeout_seconds=_LONGEST_ANSWER_SECONDS)
    return _report(answer.body, answer.headers.get("x-amz-function-error"), answer.headers.get("x-amz-log-result"))


def _read(argument: str) -> bytes:
    if argument == "-":
        return sys.stdin.buffer.read()
    if not argument.startswith("@"):
        return argument.encode("utf-8", "surrogateescape")
    try:
        return Path(argument[1:]).read_bytes()
    except OSError as error:
        raise Failure(
            ExitCode.USAGE,
            f"can't read {argument[1:]!r}",
            why=error.strerror or "",
            fix="Name a readable file after @.",
        ) from None


def _encoded_context(argument: str) -> str:
    """The header's spelling: base64 of a JSON object."""
    text = _read(argument)
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise Failure(
            ExitCode.USAGE,
            "--client-context is not a JSON object",
            fix="""Write it like '{"custom": {"tenant": "blue"}}'.""",
        )
    return base64.b64encode(text).decode("ascii")


def _report(payload: bytes, function_error: str | None, log_result: str | None) -> int:
    from lampion.cli.terminal import shown, write_payload

    write_payload(payload)
    if log_result:
        tail = base64.b64decode(log_result).decode("utf-8", "replace")
        for line in tail.splitlines():
            click.echo(shown(line, sys.stderr), err=True)
    if function_error is None:
        return ExitCode.OK
    timed_out = _error_type(payload) == _TIMED_OUT
    click.echo(
        f"lampion: the function {'ran into its timeout' if timed_out else 'failed'} ({function_error})", err=True
    )
    return ExitCode.TIMEOUT if timed_out else ExitCode.FUNCTION_ERROR


def _error_type(payload: bytes) -> object:
    try:
        document = json.loads(payload)
    except ValueError:
        return None
    return document.get("errorType") if isinstance(document, dict) else None
