"""A server on a small disk of its own that a test can fill, and what the server says of its health meanwhile."""

import json
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from lampion.cli.location import Server
from tests.live_server import LiveServer

_MOUNT = 'mkdir -p "$0" && mount -t tmpfs -o size=24m lampion-test-disk "$0" && exec "$@"'


class OnItsOwnDisk(LiveServer):
    """A server whose data directory is a small file system that nobody else sees. Only root can make one."""

    @property
    def root(self) -> Path:
        """The data directory as it is seen from outside."""
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/root{self.data}")

    @cached_property
    def server(self) -> Server:
        """Read where the server is: from outside its key's file isn't seen as such."""
        assert self.process is not None
        inside = ("nsenter", "--mount", "--target", str(self.process.pid), "--")
        command = [*inside, sys.executable, "-m", "lampion", "env", "--data", str(self.data)]
        told = subprocess.run(command, capture_output=True, timeout=30, check=True, text=True).stdout
        exports = dict(shlex.split(line)[1].split("=", 1) for line in told.splitlines())
        return Server(
            exports["AWS_ENDPOINT_URL"],
            exports["AWS_REGION"],
            exports["AWS_ACCESS_KEY_ID"],
            exports["AWS_SECRET_ACCESS_KEY"],
        )


def on_its_own_disk(data: Path) -> OnItsOwnDisk:
    """Not started yet."""
    return OnItsOwnDisk(data=data, wrapper=("unshare", "--mount", "sh", "-c", _MOUNT, str(data)))


def fill(directory: Path) -> None:
    """Not a byte is left."""
    with (directory / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(64 * 1024))
    with (directory / "filler2").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x")


def make_room(directory: Path) -> None:
    """As it was before `fill`."""
    for file in ("filler", "filler2"):
        (directory / file).unlink()


def health(url: str) -> tuple[int, Any]:
    """What the health door says."""
    try:
        with urllib.request.urlopen(f"{url}/_lampion/health", timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def status(environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """`lampion status`. `environ`: LiveServer.aws_environ, which needs the disk where it isn't at hand yet."""
    command = [sys.executable, "-m", "lampion", "status"]
    return subprocess.run(command, env=environ, capture_output=True, timeout=30, check=False, text=True)
