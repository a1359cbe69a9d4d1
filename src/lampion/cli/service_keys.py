"""`lampion iam service-key`: keys by which other programs call functions as services of AWS."""

import json
import sys
from datetime import UTC, datetime
from typing import Any, Final

import click

from lampion.cli.client import Call, ask
from lampion.cli.failure import ExitCode, Failure
from lampion.cli.location import Server, find_server
from lampion.cli.terminal import shown

_ANSWER_SECONDS: Final = 10.0
_VIEW: Final = ("_lampion", "service-keys")


@click.command("service-key")
@click.argument("service", required=False)
@click.option("--list", "lists", is_flag=True, help="List the keys there are, without their secrets.")
@click.option("--remove", metavar="ID", help="Remove the key of this id; it counts no longer.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document a line, for programs.")
@click.option("--data", metavar="DIR", help="Data directory of the server to call.")
def service_key(service: str | None, lists: bool, remove: str | None, as_json: bool, data: str | None) -> None:
    """Print a new key by which a program invokes functions as SERVICE, such as s3.amazonaws.com.

    Your own S3, scheduler or API gateway signs with it. It may what the policies of functions let that service, and
    nothing else, in your account alone; what it asks for, it says by the signed headers X-Amz-Source-Arn and
    X-Amz-Source-Account. The secret is shown this once.

    \b
    Examples:
      lampion iam service-key s3.amazonaws.com
      lampion iam service-key --list
      lampion iam service-key --remove LSIAAAAAAABVWHIQ5XJ2
    """
    if (service is None) + (not lists) + (remove is None) != 2:
        raise click.UsageError("Say one of SERVICE, --list and --remove.")
    server = find_server(data)
    if remove is not None:
        _remove(server, remove)
    elif service is not None:
        _show_new(_asked(server, "POST", service), as_json)
    else:
        for key in _asked(server, "GET")["Keys"]:
            made = f"{datetime.fromtimestamp(key['Created'], UTC):%Y-%m-%d}"
            line = json.dumps(key) if as_json else f"{key['AccessKeyId']}  {made}  {key['Service']}"
            click.echo(shown(line, sys.stdout))


def _show_new(key: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(key))
        return
    click.echo(f"aws_access_key_id = {key['AccessKeyId']}\naws_secret_access_key = {key['SecretAccessKey']}")


def _remove(server: Server, access_key_id: str) -> None:
    try:
        _asked(server, "DELETE", access_key_id)
    except Failure as failure:
        if failure.exit_code is ExitCode.NOT_FOUND:
            failure.fix = "List the keys there are with: lampion iam service-key --list"
        raise
    click.echo(f"removed {access_key_id}")


def _asked(server: Server, method: str, *about: str) -> dict[str, Any]:
    """Raises Failure."""
    answer: dict[str, Any] = json.loads(
        ask(server, Call(method, (*_VIEW, *about)), timeout_seconds=_ANSWER_SECONDS).body
    )
    return answer
