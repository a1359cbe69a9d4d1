"""Starts a Node.js runtime, ours or AWS's own client, against a scripted Runtime API and tells what came of it."""

import platform
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import lampion
from tests.component.python_runtime.fake_runtime_api import Event
from tests.component.python_runtime.runtime_process import Ran, run

RUNTIME = Path(lampion.__file__).parent / "runtimes" / "nodejs"
FUNCTIONS = Path(__file__).parent / "functions"
REFERENCE = Path(__file__).parent / "reference"
_MODULES = REFERENCE / "node_modules"
_ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), "x64")
_FIRST_WITH_PROMISES_ONLY = 24
VERSIONS = (16, 18, 20, 22, 24, 26)
"""The major versions that AWS's runtimes have, or Lampion's."""


def npm_nodes() -> Mapping[int, Path]:
    """By major version, those that `make setup-node` has from npm."""
    names = {major: f"node-{major}-linux-{_ARCHITECTURE}" for major in VERSIONS} | {24: f"node-linux-{_ARCHITECTURE}"}
    programs = {major: _MODULES / name / "bin/node" for major, name in names.items()}
    return {major: program for major, program in programs.items() if program.exists()}


def npm_interpreters() -> list[str]:
    """Options of a server that has them."""
    pairs = (f"nodejs{major}.x={program}" for major, program in npm_nodes().items())
    return [word for pair in pairs for word in ("--interpreter", pair)]


@cache
def nodes() -> Mapping[int, str]:
    """Programs to test with by major version: the one on PATH, and those from npm."""
    program = shutil.which("node")
    assert program is not None, "run: make setup-node"
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    own = int(told.removeprefix("v").partition(".")[0])
    return {**{major: str(program) for major, program in npm_nodes().items()}, own: program}


every_node = pytest.mark.parametrize("major", [20, 24])
"""One of each generation."""

every_version = pytest.mark.parametrize("major", VERSIONS)


def node(major: int) -> str:
    """The program of that version, or of the same generation: one with callbacks, or one with promises only."""
    if major in nodes():
        return nodes()[major]
    for found, program in nodes().items():
        if (found >= _FIRST_WITH_PROMISES_ONLY) == (major >= _FIRST_WITH_PROMISES_ONLY):
            return program
    pytest.skip("no Node.js of that generation on this machine")


def lampion_command(major: int) -> list[str]:
    return [node(major), "--expose-gc", str(RUNTIME / "bootstrap.cjs")]


def reference_command(major: int) -> list[str]:
    package = "ric-with-promises" if major >= _FIRST_WITH_PROMISES_ONLY else "ric-with-callbacks"
    return [node(major), "--expose-gc", str(REFERENCE / "start.mjs"), package]


def environ(major: int, **variables: str) -> dict[str, str]:
    return {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_nodejs{major}.x",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "TZ": ":UTC",
        **variables,
    }


def run_source(
    source: str | Mapping[str, str],
    directory: Path,
    *events: Event,
    major: int = 20,
    handler: str = "index.handler",
    variables: Mapping[str, str] | None = None,
    **options: Any,
) -> Ran:
    """Run our runtime with the text as index.js, or with the files named."""
    write_files(source, directory)
    all_variables = environ(major, **(variables or {}))
    return run(lampion_command(major), handler, events or (Event(),), task=directory, environ=all_variables, **options)


def write_files(source: str | Mapping[str, str], directory: Path) -> None:
    for name, text in ({"index.js": source} if isinstance(source, str) else source).items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def both(
    major: int, handler: str, events: Sequence[Event], *, task: Path, variables: Mapping[str, str], **options: Any
) -> list[Ran]:
    """What AWS's client and ours did."""
    return [
        run(command, handler, events, task=task, environ=environ(major, **variables), **options)
        for command in (reference_command(major), lampion_command(major))
    ]


_OWN_FRAME = re.compile(r"(?:async |new )?[\w.<>$ \[\]]*\(?(?:file://)?(?:RUNTIME|node:)[^\s\"\\,]*:\d+(?::\d+)?\)?")


def normalised(text: str) -> str:
    """Without what may differ between two runtimes: times, and a runtime's own stack frames."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME", text)
    for own in (str(RUNTIME), str(REFERENCE)):
        text = text.replace(own, "RUNTIME")
    text = re.sub(r"\.\.\. \d+ lines matching cause", "... lines matching cause", text)
    text = re.sub(r"imported from RUNTIME/\S*[cm]js", "imported from RUNTIME", text)
    text = re.sub(r"RUNTIME/[\w./-]*?([\w-]+\.[cm]js)", r"RUNTIME/\1", text)
    return re.sub(r"(?:\\n|\r|\n)?\s*(?:\\?\"\s*)?at " + _OWN_FRAME.pattern + r"(?:\\?\",?)?", "", text)


def crash(stderr: str) -> str:
    """What Node.js prints of an error that ends it, without the lines of code that it shows first."""
    text = normalised(stderr).partition("----- Native stack trace -----")[0]
    if "\nNode.js v" not in text:
        return text
    return "\n".join(line for line in text.splitlines() if re.match(r"\S*Error\b|Node\.js v|.*Runtime\.", line))
