"""Starts .NET functions against a scripted Runtime API and tells what came of it."""

import functools
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lampion
from tests.component.python_runtime.fake_runtime_api import Event
from tests.component.python_runtime.runtime_process import Ran, run
from tests.dotnet_functions import builder, functions_of_tests

BOOTSTRAP = Path(lampion.__file__).parent / "runtimes" / "dotnet" / "bootstrap.sh"


def run_dotnet(
    handler: str,
    *events: object,
    directory: Path | None = None,
    variables: Mapping[str, str] | None = None,
    **options: Any,
) -> Ran:
    """`events` are values or Events; the handler is one of tests/conformance/dotnet, as Handlers.Older, or whole."""
    command = ["/bin/sh", str(BOOTSTRAP), str(builder().SDK / "dotnet"), "--roll-forward", "Major"]
    given = [one if isinstance(one, Event) else Event(json.dumps(one).encode()) for one in events]
    environ = {"AWS_EXECUTION_ENV": "AWS_Lambda_dotnet8", **(variables or {})}
    task = directory or Path(unpacked_functions().name)
    return run(command, whole(handler), given or [Event()], task=task, environ=environ, **options)


def whole(handler: str) -> str:
    """Handlers.Older is dotnet::Fn.Handlers::Older."""
    type_name, _, method = handler.partition(".")
    return handler if "::" in handler else f"dotnet::Fn.{type_name}::{method}"


@functools.cache
def unpacked_functions() -> "tempfile.TemporaryDirectory[str]":
    directory = tempfile.TemporaryDirectory(prefix="lampion-test-")
    for name, content in functions_of_tests().items():
        Path(directory.name, name).write_bytes(content)
    return directory


def answer(ran: Ran) -> Any:
    """The last answer's value; None for an empty one."""
    assert ran.posts, ran.stdout + ran.stderr
    return json.loads(ran.posts[-1].body or b"null")
