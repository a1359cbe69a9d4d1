"""`lampion env`: what a shell needs so that every AWS client talks to a running server."""

import os
import shlex

import click

from lampion.cli.location import data_directory, server_of


@click.command("env")
@click.option("--data", metavar="DIR", help="Data directory of the running server. [LAMPION_DATA]")
def command(data: str | None) -> None:
    """Print the export lines that point AWS clients at a running server.

    The lines hold the server's root key; run them with eval, don't keep them.

    \b
    Example:
      eval "$(lampion env)"
      aws lambda list-functions
    """
    server = server_of(data_directory(data, os.environ))
    variables = {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret_access_key,
        "AWS_REGION": server.region,
        "AWS_DEFAULT_REGION": server.region,
    }
    if os.environ.get("AWS_SESSION_TOKEN"):
        variables["AWS_SESSION_TOKEN"] = ""  # of another key: with it, every client's calls would be refused
    if server.certificate is not None:
        variables |= {"AWS_CA_BUNDLE": str(server.certificate), "NODE_EXTRA_CA_CERTS": str(server.certificate)}
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
