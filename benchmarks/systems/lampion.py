"""Lampion as anybody starts it: `serve` on a data directory of its own, then `env`; signatures and logs are on."""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import getpid
from pathlib import Path

from benchmarks.functions import ECHO, EVENT
from benchmarks.systems.aws_functions import create, first_answers
from benchmarks.systems.child import LOOPBACK, DidNotStart, child, free_port, plain_environ, wait_until_listening
from benchmarks.systems.endpoint import Endpoint, invoke
from benchmarks.systems.environment import our_version
from benchmarks.systems.system import Running, Scratch, WarmFunction

COMMAND = (sys.executable, "-m", "lampion")
FIND_SECONDS = 10.0
STOP_SECONDS = 30.0


class Lampion:
    """The server and all the sandboxes it starts, which are found by the tree and by their cgroups."""

    name = "lampion"
    workloads = frozenset({"warm_c1", "warm_c16", "boto3_felt", "cold_first"})

    def missing(self) -> str | None:
        return None

    def versions(self) -> Mapping[str, str]:
        return {
            "lampion": our_version("lampion"),
            "uvloop": our_version("uvloop"),
            "httptools": our_version("httptools"),
        }

    @contextmanager
    def running(self, scratch: Scratch) -> Iterator[Running]:
        port, data, cgroup = free_port(), scratch.directory / "data", f"lampion-test-bench-{getpid()}"
        environ = plain_environ(scratch.directory)
        argv = [*COMMAND, "serve", "--listen", f"{LOOPBACK}:{port}", "--data", data, "--cgroup-parent", cgroup]
        with child(
            argv, environ, scratch.directory, scratch.output, cgroup=cgroup, grace_seconds=STOP_SECONDS
        ) as server:
            wait_until_listening(server, port, 60)
            endpoint = _endpoint(data, environ)
            client = endpoint.client()
            create(client, "echo", ECHO)
            invoke(endpoint.invoke_request("echo", EVENT))
            yield Running(WarmFunction(endpoint, "echo", server.tree), first_answers(endpoint, client, ECHO))


def _endpoint(data: Path, environ: Mapping[str, str]) -> Endpoint:
    """What `lampion env` tells. The server may listen a moment before it can be found by its data directory."""
    argv = [*COMMAND, "env", "--data", str(data)]
    deadline = time.monotonic() + FIND_SECONDS
    while True:
        done = subprocess.run(argv, env=dict(environ), capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0:
            break
        if time.monotonic() > deadline:
            raise DidNotStart(f"`lampion env` ended with status {done.returncode}: {done.stderr.strip()[-300:]}")
    settings = exported(done.stdout)
    return Endpoint(
        settings["AWS_ENDPOINT_URL"].rstrip("/"),
        settings["AWS_REGION"],
        settings["AWS_ACCESS_KEY_ID"],
        settings["AWS_SECRET_ACCESS_KEY"],
        signed=True,
    )


def exported(text: str) -> dict[str, str]:
    """The variables of lines such as `export NAME='value'`."""
    words = [word for line in text.splitlines() if line.startswith("export ") for word in shlex.split(line)[1:]]
    return dict(word.split("=", 1) for word in words if "=" in word)
