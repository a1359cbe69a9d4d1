"""`lampion sdk`: the AWS SDKs that functions find without bringing them, as in AWS's runtimes."""

import asyncio
import json
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from lampion.cli.failure import ExitCode, Failure
from lampion.cli.location import data_directory
from lampion.cli.sdk_packages import fetch
from lampion.clock.clock import SystemClock
from lampion.code.interpreter_places import search_places
from lampion.code.interpreters import Interpreter, Interpreters
from lampion.code.runtimes import Runtime, catalogue
from lampion.code.sdk_directory import copy_files, put_in_place, staging_directory
from lampion.code.sdk_directory import remove as remove_directory
from lampion.code.sdks import SDKS, InstalledSdk, installed_sdk
from lampion.config import SettingError, settings_from
from lampion.sandbox.tool_runner import SubprocessToolRunner, ToolOutput
from lampion.store.data_directory import open_data_directory, running_server, sdks_in
from lampion.store.errors import DataDirectoryInUse, StoreError

_EXPECTED: Final = {
    "python": "Give a directory as `pip install --target DIR boto3` fills it.",
    "nodejs": "Give a directory as `npm install --prefix DIR @aws-sdk/client-lambda` fills it.",
}

_data = click.option("--data", metavar="DIR", help="Data directory of the server. [LAMPION_DATA]")


@click.group("sdk")
def command() -> None:
    """Install the AWS SDKs that functions find without bringing them.

    AWS's runtimes bring boto3 or the AWS SDK for JavaScript. Here they are installed once for each runtime, into the
    data directory; what a function or its layers bring is found first. A server uses what was there when it started.

    \b
    Examples:
      lampion sdk install
      lampion sdk install nodejs --package @aws-sdk/client-polly
      lampion sdk ls
    """


@command.command("install")
@click.argument("names", metavar="[RUNTIME|LANGUAGE]...", nargs=-1)
@click.option(
    "--package", "packages", metavar="NAME", multiple=True, help="Install this too, such as @aws-sdk/client-polly."
)
@click.option("--from", "source", metavar="DIR", help="Take the files that are here; download nothing.")
@_data
def install(names: tuple[str, ...], packages: tuple[str, ...], source: str | None, data: str | None) -> None:
    """Install the SDK, for all runtimes or for those named.

    Name runtimes, such as python3.12 or nodejs22.x, or a language (python, nodejs) for its runtimes that have an
    interpreter on this machine. pip, or uv, and npm fetch the packages from where they are configured to. What was
    installed before is replaced.

    \b
    Example:
      lampion sdk install python
    """
    is_certain = source is not None and bool(names) and not SDKS.keys() & set(names)
    here = {} if is_certain else asyncio.run(_discovered())
    runtimes = _runtimes(names, here)
    if packages and len({runtime.language for runtime in runtimes}) > 1:
        raise Failure(ExitCode.USAGE, "--package is for one language", fix="Name it: lampion sdk install nodejs ...")
    root = _open(data)
    for runtime in runtimes:
        with _staging(root) as staging:
            if source is None:
                fetched = fetch(runtime, here.get(runtime.identifier), staging / "fetched", packages)
            else:
                fetched = Path(source)
            installed = _put(runtime, fetched, staging, root)
        click.echo(f"{runtime.identifier:12} {installed}")
    _tell_to_restart(root)


@command.command("ls")
@click.option("--json", "as_json", is_flag=True, help="One JSON document a line, for programs.")
@_data
def list_sdks(as_json: bool, data: str | None) -> None:
    """List what is installed, a line for each runtime.

    \b
    Example:
      lampion sdk ls
    """
    root = sdks_in(data_directory(data, os.environ))
    for sdk in _installed(root):
        document = {"runtime": sdk.runtime, "sdk": sdk.title, "version": sdk.version, "directory": str(sdk.directory)}
        click.echo(json.dumps(document) if as_json else f"{sdk.runtime:12} {sdk}")


@command.command("remove")
@click.argument("names", metavar="RUNTIME|LANGUAGE...", nargs=-1, required=True)
@_data
def remove(names: tuple[str, ...], data: str | None) -> None:
    """Remove the SDK of these runtimes.

    \b
    Example:
      lampion sdk remove nodejs18.x
    """
    root = sdks_in(data_directory(data, os.environ))
    wanted = [runtime.identifier for name in names for runtime in _named(name)]
    removed = [name for name in wanted if (root / name).is_dir() and remove_directory(root / name)]
    if not removed:
        raise Failure(ExitCode.NOT_FOUND, f"no SDK is installed for {', '.join(names)}", fix="lampion sdk ls")
    click.echo("\n".join(removed))
    _tell_to_restart(root)


def _installed(root: Path) -> Iterable[InstalledSdk]:
    found = (installed_sdk(root, runtime) for runtime in catalogue().runtimes.values())
    return [sdk for sdk in found if sdk is not None]


def _named(name: str) -> list[Runtime]:
    """One runtime, or all of a language. Raises Failure."""
    runtimes = [one for one in catalogue().runtimes.values() if name in (one.identifier, one.language)]
    runtimes = [one for one in runtimes if one.is_runnable and one.language in SDKS]
    if not runtimes and name.startswith("ruby"):
        raise Failure(
            ExitCode.USAGE,
            "AWS's gems for Ruby aren't installed by this command",
            fix="Put those that a function needs, such as aws-sdk-s3, into its package or a layer, as ruby/gems/3.3.0.",
        )
    if not runtimes:
        raise Failure(
            ExitCode.USAGE,
            f"{name} is no runtime that has an SDK here",
            fix=f"Name a runtime such as python3.12 or nodejs22.x, or a language: {', '.join(SDKS)}.",
        )
    return runtimes


def _runtimes(names: Sequence[str], here: Container[str]) -> list[Runtime]:
    """Raises Failure when there is nothing to install for."""
    found = [
        runtime
        for name in names or SDKS
        for runtime in _named(name)
        if runtime.identifier == name or runtime.identifier in here
    ]
    if not found:
        raise Failure(
            ExitCode.NOT_FOUND,
            f"this machine has no interpreter of {', '.join(names or SDKS)}",
            why="an SDK is installed for each runtime that can run here",
            fix="Name the runtime, such as python3.12, or install an interpreter; lampion doctor lists those found.",
        )
    return list(dict.fromkeys(found))


async def _discovered() -> Mapping[str, Interpreter]:
    try:
        places = search_places(settings_from({}).interpreter, os.environ)
    except SettingError as error:
        raise Failure(ExitCode.USAGE, f"{error.source} {error.value!r} {error.problem}", fix=error.fix) from None
    found = await Interpreters(places, ToolOutput(SubprocessToolRunner(SystemClock()))).discover()
    return {name: base for name, base in found.items() if isinstance(base, Interpreter)}


def _open(data: str | None) -> Path:
    """Where SDKs are kept; the data directory is made if it is missing. Raises Failure."""
    path = data_directory(data, os.environ)
    try:
        open_data_directory(path).close()
    except DataDirectoryInUse:
        pass
    except StoreError as error:
        raise Failure(ExitCode.USAGE, str(error)) from None
    return sdks_in(path)


@contextmanager
def _staging(root: Path) -> Iterator[Path]:
    """A directory to install in, for the duration of the block. Raises Failure when the disk fails there."""
    try:
        with staging_directory(root) as staging:
            yield staging
    except OSError as error:
        raise Failure(ExitCode.NOT_INSTALLED, f"{root} can't be filled: {error.strerror or error}") from error


def _put(runtime: Runtime, fetched: Path, staging: Path, root: Path) -> InstalledSdk:
    """Raises Failure when it isn't the runtime's SDK."""
    sdk = SDKS[runtime.language]
    if sdk.version(fetched) is None:
        raise Failure(ExitCode.USAGE, f"there is no {sdk.title} in {fetched}", fix=_EXPECTED[runtime.language])
    ready = staging / runtime.identifier
    copy_files(fetched, ready, sdk.is_kept)
    put_in_place(staging, ready, root / runtime.identifier)
    installed = installed_sdk(root, runtime)
    assert installed is not None
    return installed


def _tell_to_restart(root: Path) -> None:
    server = running_server(root.parent)
    if server is not None and server.endpoint is not None:
        click.echo(f"Restart the server at {server.endpoint}: it uses what was there when it started.", err=True)
