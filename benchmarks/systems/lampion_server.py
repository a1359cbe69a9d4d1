"""A Lampion server as anybody starts it: `serve` on a data directory, then `env`; signatures, logs, limits are on."""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import getpid
from pathlib import Path

from benchmarks.functions import MEMORY_MIB
from benchmarks.measure.process_tree import ProcessTree
from benchmarks.systems import programs
from benchmarks.systems.aws_functions import RUNTIME
from benchmarks.systems.child import LOOPBACK, DidNotStart, child, free_port, plain_environ, wait_until_listening
from benchmarks.systems.endpoint import Endpoint
from benchmarks.systems.environment import our_version
from benchmarks.systems.system import Scratch

COMMAND = (sys.executable, "-m", "lampion")
FIND_SECONDS = 10.0
STOP_SECONDS = 30.0
MOST_ENVIRONMENTS = 2000
ROOM_FOR_ALL = (
    *("--max-environments", MOST_ENVIRONMENTS, "--concurrency-limit", MOST_ENVIRONMENTS),
    *("--function-memory-bytes", f"{MOST_ENVIRONMENTS * MEMORY_MIB}MiB"),  # what they use is far less
)
"""So that what is measured isn't refused."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `tree` is all of its processes; sandboxes are found by the tree and by their cgroups."""

    endpoint: Endpoint
    tree: ProcessTree
    data: Path
    environ: Mapping[str, str]


def versions() -> Mapping[str, str]:
    """Of the server, what it is built on, and what runs its functions."""
    node = programs.node()
    return {
        "lampion": our_version("lampion"),
        "uvloop": our_version("uvloop"),
        "httptools": our_version("httptools"),
        **({} if node is None else {"Node.js": node[0]}),
    }


@contextmanager
def serving(scratch: Scratch, options: Sequence[object] = ROOM_FOR_ALL) -> Iterator[Server]:
    """A server on the data directory of `scratch`, which may be that of a server before. Raises DidNotStart."""
    port, data, cgroup = free_port(), data_directory(scratch), f"lampion-test-bench-{getpid()}"
    environ = plain_environ(scratch.directory)
    argv = [*COMMAND, "serve", "--listen", f"{LOOPBACK}:{port}", "--data", data, "--cgroup-parent", cgroup]
    argv += [*options, "--close-runtimes", *interpreters()]
    with child(argv, environ, scratch.directory, scratch.output, cgroup=cgroup, grace_seconds=STOP_SECONDS) as server:
        wait_until_listening(server, port, 60)
        yield Server(_endpoint(data, environ), server.tree, data, environ)


def data_directory(scratch: Scratch) -> Path:
    return scratch.directory / "data"


def interpreters() -> list[str]:
    """Those whose start is timed beside the functions' are those that run the functions."""
    found = {RUNTIME: programs.own_python()}
    for one in (programs.snap_start_python(), programs.node(), programs.ruby()):
        if one is not None:
            found[one[0]] = one[1]
    return [word for runtime, program in found.items() for word in ("--interpreter", f"{runtime}={program}")]


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
