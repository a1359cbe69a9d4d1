"""Lampion as anybody starts it: `serve` on a data directory of its own, then `env`; signatures and logs are on."""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from os import getpid
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.functions import ECHO, ECHO_NODE, ECHO_WITH_BOTO3, EVENT, MEMORY_MIB, boto3_files, package
from benchmarks.systems import programs
from benchmarks.systems.aws_functions import RUNTIME, Fleet, Kind, create, optimization_status
from benchmarks.systems.child import LOOPBACK, DidNotStart, child, free_port, plain_environ, wait_until_listening
from benchmarks.systems.endpoint import Endpoint, invoke
from benchmarks.systems.environment import our_version
from benchmarks.systems.system import FirstAnswer, Running, Scratch, WarmFunction

COMMAND = (sys.executable, "-m", "lampion")
FIND_SECONDS = 10.0
STOP_SECONDS = 30.0
MOST_ENVIRONMENTS = 2000


@dataclass(slots=True)
class Kinds:
    """The kinds of functions whose first answers are timed, and the commands timed in turn with them."""

    functions: dict[str, Kind] = field(default_factory=dict)
    commands: dict[str, Sequence[str]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)


class Lampion:
    """The server and all the sandboxes it starts, which are found by the tree and by their cgroups."""

    name = "lampion"
    workloads = frozenset({"warm_c1", "warm_c16", "boto3_felt", "cold_first", "cold_burst", "density"})

    def missing(self) -> str | None:
        return None

    def versions(self) -> Mapping[str, str]:
        node = programs.node()
        return {
            "lampion": our_version("lampion"),
            "uvloop": our_version("uvloop"),
            "httptools": our_version("httptools"),
            **({} if node is None else {"Node.js": node[0]}),
        }

    @contextmanager
    def running(self, scratch: Scratch) -> Iterator[Running]:
        port, data, cgroup = free_port(), scratch.directory / "data", f"lampion-test-bench-{getpid()}"
        environ = plain_environ(scratch.directory)
        argv = [*COMMAND, "serve", "--listen", f"{LOOPBACK}:{port}", "--data", data, "--cgroup-parent", cgroup]
        argv += ["--max-environments", MOST_ENVIRONMENTS, "--concurrency-limit", MOST_ENVIRONMENTS, *_interpreters()]
        argv += ["--function-memory-bytes", f"{MOST_ENVIRONMENTS * MEMORY_MIB}MiB"]  # what they use is far less
        with child(
            argv, environ, scratch.directory, scratch.output, cgroup=cgroup, grace_seconds=STOP_SECONDS
        ) as server:
            wait_until_listening(server, port, 60)
            endpoint = _endpoint(data, environ)
            client = endpoint.client()
            small = Kind(RUNTIME, package(ECHO))
            create(client, "echo", small)
            invoke(endpoint.invoke_request("echo", EVENT))
            kinds, fleet = Kinds(), Fleet(endpoint, client)

            def first_answers(count: int) -> Mapping[str, Sequence[FirstAnswer]]:
                if not kinds.functions:
                    _find_kinds(client, kinds)
                answers = fleet.first_answers(kinds.functions, count)
                return {**answers, **programs.starts(kinds.commands, environ, count)}

            yield Running(
                WarmFunction(endpoint, "echo", server.tree),
                first_answers,
                partial(fleet.new_functions, small),
                kinds.absent,
            )


def _interpreters() -> list[str]:
    """Those whose start is timed beside the functions' are those that run the functions."""
    found = {RUNTIME: programs.own_python()}
    for one in (programs.snap_start_python(), programs.node()):
        if one is not None:
            found[one[0]] = one[1]
    return [word for runtime, program in found.items() for word in ("--interpreter", f"{runtime}={program}")]


def _find_kinds(client: Any, kinds: Kinds) -> None:
    python = str(programs.own_python())
    with_boto3 = package(ECHO_WITH_BOTO3, more=boto3_files())
    kinds.functions |= {"": Kind(RUNTIME, package(ECHO)), results.BOTO3: Kind(RUNTIME, with_boto3)}
    kinds.commands |= {
        results.BESIDE_PYTHON_PASS: (python, "-c", "pass"),
        results.BESIDE_PYTHON_BARE: (python, "-I", "-S", "-c", "pass"),
    }
    node = programs.node()
    if node is None:
        kinds.absent[results.NODEJS] = "there is no Node.js on this machine"
    else:
        kinds.functions[results.NODEJS] = Kind(node[0], package(ECHO_NODE, ".js"))
        kinds.commands[results.BESIDE_NODE] = (str(node[1]), "-e", "0")
    snap_start = programs.snap_start_python()
    if snap_start is None:
        kinds.absent[results.SNAP_START] = "there is no Python 3.12 or newer on this machine"
        return
    kind = Kind(snap_start[0], with_boto3, snap_start=True)
    status = optimization_status(client, kind)
    if status != "On":
        kinds.absent[results.SNAP_START] = f"OptimizationStatus of a published version with {snap_start[0]}: {status}"
        return
    kinds.functions[results.SNAP_START] = kind
    kinds.commands[results.BESIDE_SNAP_START] = (str(snap_start[1]), "-c", "pass")


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
