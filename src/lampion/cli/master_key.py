"""`lampion master-key`: tells where the master key of a data directory is, and moves it. It never shows it."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lampion.cli.failure import ExitCode, Failure
from lampion.config import Settings, file_beside, settings_from
from lampion.config.master_key import IN_VARIABLE, NEW_VARIABLE, VARIABLE, KmsKey, master_key_from, parse_master_key
from lampion.config.problem import SettingError


def _with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Those by which a server finds its master key; from the variables, too, as the server takes them."""
    for flag, metavar, told in (
        ("--config", "FILE", "The server's configuration file, where it has one."),
        ("--master-key", "FILE|kms:KEY", "Where it is now, as `lampion serve` takes it."),
        ("--data", "DIR", "The data directory."),
    ):
        command = click.option(flag, metavar=metavar, help=told)(command)
    return command


@click.group("master-key")
def command() -> None:
    """Tell where the key of all keys is, and move it.

    The master key wraps the keys of KMS. It lies outside the data directory: in a file, in the variable
    LAMPION_MASTER_KEY, or with another KMS, which opens it at each start of the server.

    \b
    Examples:
      lampion master-key where
      lampion master-key move --to kms:arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
    """


@command.command("where")
@_with_settings
def where(**given: str | None) -> None:
    """Print where it is: file:FILE, kms:KEY, or env."""
    from lampion.app.master_key import place_of_master_key

    click.echo(_tried(lambda: place_of_master_key(settings_from(given))))


@command.command("move")
@click.option("--to", "to", required=True, metavar="PLACE", help="file:FILE, kms:KEY, or env.")
@_with_settings
def move(to: str, **given: str | None) -> None:
    """Make a new master key in another place, and wrap all keys by it instead of the old one.

    While no server runs. Killed at any moment, either the old key opens everything or the new one; give the same
    command again. Afterwards the old one opens nothing any more but backups made before. --to env takes the new key
    from LAMPION_NEW_MASTER_KEY.
    """
    from lampion.app.master_key import move_master_key

    def moved() -> str:
        settings = settings_from(given)
        target = _target(to)
        done = asyncio.run(move_master_key(settings, target))
        how = "is there already" if done.is_there_already else f"is there now, {_counted(done.keys)} wrapped anew by it"
        return f"The master key {how}. Start the server {_started_with(target, settings)}."

    click.echo(_tried(moved))


def _target(to: str) -> Path | KmsKey | bytes:
    """Raises SettingError."""
    if to == IN_VARIABLE:
        key = master_key_from(os.environ, NEW_VARIABLE)
        if key is None:
            fix = f"Make one: export {NEW_VARIABLE}=$(openssl rand -base64 32), and keep it safe."
            raise SettingError("--to", to, f"takes the new key from {NEW_VARIABLE}, which isn't set", fix)
        return key
    try:
        place = parse_master_key(to)
    except ValueError as error:
        problem, _, fix = str(error).partition("; ")
        raise SettingError("--to", to, problem, fix) from None
    if place is None:
        raise SettingError("--to", to, "names no place", "Give file:FILE, kms:KEY or env.")
    return place


def _started_with(target: Path | KmsKey | bytes, settings: Settings) -> str:
    if isinstance(target, bytes):
        return f"with the variable {VARIABLE}"
    if target == file_beside(settings.data):
        return "without --master-key"
    return f"with --master-key {target}"


def _counted(keys: int) -> str:
    return "1 key" if keys == 1 else f"{keys} keys"


def _tried(work: Callable[[], str]) -> str:
    """Raises Failure."""
    from lampion.store.errors import NotScrubbed, StoreError

    try:
        return work()
    except SettingError as error:
        raise Failure(ExitCode.USAGE, f"{error.source} {error.value!r} {error.problem}", fix=error.fix) from None
    except NotScrubbed as error:
        raise Failure(
            ExitCode.SERVER_ERROR,
            "the master key is moved, but what the old one wrapped may still lie deleted in the database",
            why=str(error),
            fix="Make room on the disk, and give the same command again.",
        ) from error
    except StoreError as error:
        raise Failure(ExitCode.USAGE, "the master key stays where it is, or can't be told", why=str(error)) from error
