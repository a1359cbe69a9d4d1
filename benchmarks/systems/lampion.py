"""Lampion with a warm function, and new ones on request."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks import results
from benchmarks.functions import ECHO, ECHO_NODE, ECHO_RUBY, ECHO_WITH_BOTO3, EVENT, boto3_files, package
from benchmarks.systems import programs
from benchmarks.systems.aws_functions import RUNTIME, Fleet, Kind, create, optimization_status
from benchmarks.systems.endpoint import invoke
from benchmarks.systems.lampion_server import Server, serving, versions
from benchmarks.systems.system import FirstAnswer, Running, Scratch, WarmFunction


@dataclass(slots=True)
class Kinds:
    """The kinds of functions whose first answers are timed, and the commands timed in turn with them."""

    functions: dict[str, Kind] = field(default_factory=dict)
    commands: dict[str, Sequence[str]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)


class Lampion:
    """The server and all the sandboxes it starts, which are found by the tree and by their cgroups."""

    name = "lampion"
    workloads = frozenset(
        {"warm_c1", "warm_c16", "boto3_felt", "cold_first", "cold_burst", "density", "payload_6mb", "stream_64mb"}
    )

    def missing(self) -> str | None:
        return None

    def versions(self) -> Mapping[str, str]:
        return versions()

    @contextmanager
    def running(self, scratch: Scratch) -> Iterator[Running]:
        with serving(scratch) as server:
            endpoint = server.endpoint
            client = endpoint.client()
            small = Kind(RUNTIME, package(ECHO))
            create(client, "echo", small)
            invoke(endpoint.invoke_request("echo", EVENT))
            kinds, fleet = Kinds(), Fleet(endpoint, client)

            def first_answers(count: int) -> Mapping[str, Sequence[FirstAnswer]]:
                if not kinds.functions:
                    _find_kinds(client, kinds)
                answers = fleet.first_answers(kinds.functions, count)
                return {**answers, **programs.starts(kinds.commands, server.environ, count)}

            yield Running(
                WarmFunction(endpoint, "echo", server.tree),
                first_answers,
                partial(fleet.new_functions, small),
                kinds.absent,
                function_of=partial(_function_of, server),
            )


def _function_of(server: Server, source: str) -> WarmFunction:
    name = f"special-{hashlib.sha256(source.encode()).hexdigest()[:8]}"
    client = server.endpoint.client()
    create(client, name, Kind(RUNTIME, package(source)))
    client.close()
    return WarmFunction(server.endpoint, name, server.tree)


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
    ruby = programs.ruby()
    if ruby is None:
        kinds.absent[results.RUBY] = "there is no Ruby on this machine"
    else:
        kinds.functions[results.RUBY] = Kind(ruby[0], package(ECHO_RUBY, ".rb"))
        kinds.commands[results.BESIDE_RUBY] = (str(ruby[1]), "-e", "0")
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
