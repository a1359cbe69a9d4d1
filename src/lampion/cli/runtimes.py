"""`lampion runtimes`: what runs functions here, without asking a server."""

import asyncio
from datetime import UTC, datetime

import click

from lampion.cli.failure import ExitCode, Failure
from lampion.cli.runtime_rows import as_json, as_text, discovered, runtime_rows, sdk_of
from lampion.clock.clock import SystemClock
from lampion.config import SettingError, settings_from


@click.command("runtimes")
@click.option("--close-runtimes", is_flag=True, help="As a server with this setting. [LAMPION_CLOSE_RUNTIMES]")
@click.option("--json", "wants_json", is_flag=True, help="One JSON document on stdout, for programs.")
def command(close_runtimes: bool, wants_json: bool) -> None:
    """List every runtime, and what runs it here.

    Each line names an interpreter, with `(close)` if it is of another version than the runtime's, or the command that
    installs one. Every interpreter found is started once. Settings are those that `lampion serve` would take from
    LAMPION_* variables; no server is needed.

    \b
    Example:
      lampion runtimes
    """
    try:
        settings = settings_from({"close_runtimes": "yes" if close_runtimes else None})
    except SettingError as error:
        raise Failure(ExitCode.USAGE, f"{error.source} {error.value!r} {error.problem}", fix=error.fix) from None
    bases = asyncio.run(discovered(settings))
    sdks = {name: sdk_of(settings, name) for name in bases}
    rows = runtime_rows(bases, datetime.fromtimestamp(SystemClock().now(), UTC).date(), sdks, settings.interpreter)
    click.echo(as_json(rows) if wants_json else as_text(rows))
