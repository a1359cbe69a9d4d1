"""Where the server is and with which key to call it: the data directory's, or the AWS_* environment's."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from lampion.cli.failure import ExitCode, Failure
from lampion.config import data_directory_from
from lampion.config.problem import SettingError


@dataclass(frozen=True, slots=True)
class Server:
    """A server that can be called. The secret never shows in a repr."""

    url: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    certificate: Path | None = None
    """The one certificate to trust, of a server that was found by its data directory."""
    authorities: str | None = None
    """A file of those to trust instead of the system's, as AWS_CA_BUNDLE names it."""
    session_token: str | None = field(default=None, repr=False)
    """Of a temporary key."""

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


def find_server(data: str | None, environ: Mapping[str, str] | None = None) -> Server:
    """By `--data` if given; else by AWS_ENDPOINT_URL and its keys; else by the default data directory.

    Raises Failure when there is none.
    """
    variables = os.environ if environ is None else environ
    if data is None:
        named = _from_environment(variables)
        if named is not None:
            return named
    return server_of(data_directory(data, variables))


def data_directory(data: str | None, environ: Mapping[str, str]) -> Path:
    try:
        return data_directory_from(data, environ)
    except SettingError as error:
        raise Failure(ExitCode.USAGE, f"{error.source} {error.value!r} {error.problem}", fix=error.fix) from None


def _from_environment(environ: Mapping[str, str]) -> Server | None:
    url = environ.get("AWS_ENDPOINT_URL_LAMBDA") or environ.get("AWS_ENDPOINT_URL")
    if not url:
        return None
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise Failure(ExitCode.USAGE, f"AWS_ENDPOINT_URL {url!r} is not an address", fix='Run: eval "$(lampion env)"')
    access_key_id, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if not access_key_id or not secret:
        raise Failure(
            ExitCode.USAGE,
            "AWS_ENDPOINT_URL is set, but no access key",
            why="calls are signed with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            fix='Run: eval "$(lampion env)", or name the data directory with --data.',
        )
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return Server(
        url.rstrip("/"),
        region,
        access_key_id,
        secret,
        authorities=environ.get("AWS_CA_BUNDLE") or None,
        session_token=environ.get("AWS_SESSION_TOKEN") or None,
    )


def server_of(data: Path) -> Server:
    """The server that runs on this data directory, with its root key. Raises Failure."""
    from lampion.store.data_directory import running_server
    from lampion.store.sqlite.root_key import read_root_key

    running = running_server(data)
    if running is None or running.endpoint is None or running.account_id is None or running.region is None:
        raise Failure(
            ExitCode.UNREACHABLE,
            f"no server runs on {data}",
            why="it is starting up" if running else "nobody holds this data directory",
            fix=f"Start one with: lampion serve --data {shlex.quote(str(data))}",
        )
    key = read_root_key(data / "lampion.db", running.account_id)
    if key is None:
        raise Failure(
            ExitCode.ACCESS_DENIED,
            f"the root key in {data} can't be read",
            why="the data directory belongs to another user, or is damaged",
            fix="Run this as the user who runs the server, or set AWS_ENDPOINT_URL and the keys yourself.",
        )
    certificate = None if running.certificate is None else Path(running.certificate)
    return Server(running.endpoint, running.region, key.access_key_id, key.secret_access_key, certificate)
