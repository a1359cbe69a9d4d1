"""`lampion image`: brings images from files into a server's registry, with skopeo as the client that pushes."""

import asyncio
import json
import os
import re
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Final

import click

from lampion.cli.client import Answer, Call, failure_of, send
from lampion.cli.failure import ExitCode, Failure
from lampion.cli.location import Server, find_server
from lampion.code.architectures import ARCHITECTURES, HOST_ARCHITECTURE
from lampion.domain.image import is_repository_name, is_tag

_ANSWER_SECONDS: Final = 60.0
_PUSH_SECONDS: Final = 3600.0
_VARIABLES: Final = ("PATH", "HOME", "TMPDIR", "XDG_RUNTIME_DIR")
"""Of ours, those that skopeo gets."""
_NAMES_OF_IMAGES: Final = {"x86_64": "amd64", "arm64": "arm64"}
_TARGET: Final = "AmazonEC2ContainerRegistry_V20150921"


@click.group("image")
def command() -> None:
    """Bring container images into a server's own registry.

    Whatever pushes images can do that, too: `docker push`, skopeo, or a build tool.
    """


@command.command("load")
@click.argument("source", metavar="FILE|DIR", type=click.Path(exists=True, path_type=Path))
@click.option("--as", "name", required=True, metavar="REPOSITORY[:TAG]", help="What it is to be called. Tag: latest.")
@click.option(
    "--architecture",
    type=click.Choice(ARCHITECTURES),
    default=HOST_ARCHITECTURE,
    show_default="this machine's",
    help="Which image to take from a file that has several.",
)
@click.option("--data", metavar="DIR", help="Data directory of the server to call.")
def load(source: Path, name: str, architecture: str, data: str | None) -> None:
    """Take an image from a file and print the ImageUri that functions name it by.

    FILE is what `docker save` wrote, or an OCI archive; DIR is an OCI layout. The repository is made if it is missing.

    \b
    Example:
      docker save app > app.tar
      lampion image load app.tar --as app:v1
    """
    repository, _, tag = name.partition(":")
    tag = tag or "latest"
    if not is_repository_name(repository) or not is_tag(tag):
        raise Failure(ExitCode.USAGE, f"{name!r} is no name for an image", fix="Write it as app or team/app:v1.")
    transport = _transport(source)
    server = find_server(data)
    _make_repository(server, repository)
    token = _ask(server, "GetAuthorizationToken", {})["authorizationData"][0]["authorizationToken"]
    uri = f"{server.host}/{repository}:{tag}"
    _push(server, f"{transport}:{source}", uri, token, _NAMES_OF_IMAGES[architecture])
    click.echo(uri)


def _transport(source: Path) -> str:
    """What skopeo calls this kind of source."""
    if source.is_dir():
        if (source / "oci-layout").is_file():
            return "oci"
        raise Failure(ExitCode.USAGE, f"{source} is no OCI layout", why="it has no file oci-layout")
    try:
        with tarfile.open(source) as archive:
            names = {member.name.removeprefix("./") for member in archive}
    except (tarfile.TarError, EOFError, OSError):
        raise Failure(ExitCode.USAGE, f"{source} is no image", why="it can't be read as a tar archive") from None
    if "manifest.json" in names:
        return "docker-archive"
    if "oci-layout" in names:
        return "oci-archive"
    raise Failure(ExitCode.USAGE, f"{source} is no image", why="it has neither manifest.json nor oci-layout in it")


def _make_repository(server: Server, name: str) -> None:
    answer = _send(server, "CreateRepository", {"repositoryName": name})
    if answer.status >= 400 and b"RepositoryAlreadyExistsException" not in answer.body:
        raise failure_of(answer)


def _ask(server: Server, operation: str, members: dict[str, Any]) -> Any:
    answer = _send(server, operation, members)
    if answer.status >= 400:
        raise failure_of(answer)
    return json.loads(answer.body)


def _send(server: Server, operation: str, members: dict[str, Any]) -> Answer:
    headers = {"X-Amz-Target": f"{_TARGET}.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    call = Call("POST", (), headers=headers, body=json.dumps(members).encode(), service="ecr")
    return send(server, call, timeout_seconds=_ANSWER_SECONDS)


def _push(server: Server, source: str, uri: str, token: str, architecture: str) -> None:
    """The token is handed over in a file, which others can't read as they can a command line."""
    from lampion.clock.clock import SystemClock
    from lampion.sandbox.tool_runner import SubprocessToolRunner, ToolError

    with tempfile.TemporaryDirectory(prefix="lampion-image-") as place:
        logins = Path(place, "auth.json")
        logins.write_text(json.dumps({"auths": {server.host: {"auth": token}}}))
        is_plain, trusted = server.url.startswith("http:"), server.certificate or server.authorities
        trust = ["--dest-tls-verify=false"] if is_plain else []
        if trusted is not None and not is_plain:
            shutil.copy(trusted, Path(place, "trusted.crt"))
            trust = ["--dest-cert-dir", place]
        argv = [
            "skopeo",
            "--override-arch",
            architecture,
            "copy",
            "--quiet",
            *trust,
            "--dest-authfile",
            str(logins),
            source,
            f"docker://{uri}",
        ]
        environ = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
        try:
            result = asyncio.run(SubprocessToolRunner(SystemClock(), environ).run(argv, _PUSH_SECONDS))
        except ToolError as error:
            raise Failure(
                ExitCode.USAGE,
                "skopeo can't be run, which pushes images",
                why=str(error),
                fix="Install it with: apt-get install skopeo",
            ) from None
    if result.code != 0:
        told = re.findall(r'msg="(.*)"', result.stderr.decode(errors="replace")) or [
            result.stderr.decode(errors="replace")
        ]
        raise Failure(ExitCode.SERVER_ERROR, f"{source} wasn't brought in", why=told[-1].strip()[:1000])
