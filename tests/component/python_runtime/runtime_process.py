"""Starts a Python runtime against a scripted Runtime API and tells what came of it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

import pytest

import lampion
from tests.component.python_runtime.fake_runtime_api import ACCEPTED, Event, FakeRuntimeApi, Post

RUNTIME = Path(lampion.__file__).parent / "runtimes" / "python"
FUNCTIONS = Path(__file__).parent / "functions"
_DEADLINE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One record of the telemetry pipe, without its timestamp."""

    kind: int
    text: str


@dataclass(frozen=True, slots=True)
class Ran:
    """What a runtime did until it waited for an event that never comes, or ended by itself (`exit_status`)."""

    posts: Sequence[Post]
    first_get: Post | None
    connections: int
    reads: Sequence[bytes]
    stdout: str
    stderr: str
    frames: Sequence[Frame]
    exit_status: int | None


@cache
def interpreters() -> Mapping[str, str]:
    """Python interpreters to test with, by version: the running one, and those that pyenv has."""
    found = {f"3.{sys.version_info.minor}": sys.executable}
    for program in sorted(Path.home().glob(".pyenv/versions/3.*/bin/python")):
        minor = int(program.parts[-3].split(".")[1])
        if minor >= 8:
            found.setdefault(f"3.{minor}", str(program))
    return found


every_python = pytest.mark.parametrize("python", interpreters().values(), ids=interpreters())


def lampion_command(python: str = sys.executable) -> list[str]:
    return [python, "-S", str(RUNTIME / "bootstrap.py")]


def awslambdaric_command(handler: str) -> list[str]:
    return [sys.executable, "-m", "awslambdaric", handler]


class _Drain(threading.Thread):
    """Reads a pipe to its end beside us, so that who writes to it never waits."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        super().__init__(daemon=True)
        assert pipe is not None
        self._pipe = pipe
        self._read = b""
        self.start()

    def run(self) -> None:
        with self._pipe as pipe:
            self._read = pipe.read()

    def all(self) -> bytes:
        self.join(_DEADLINE_SECONDS)
        return self._read


def run(
    command: Sequence[str],
    handler: str,
    events: Sequence[Event],
    *,
    task: Path = FUNCTIONS,
    environ: Mapping[str, str] | None = None,
    post_status: str = ACCEPTED,
    telemetry: bool = False,
    drop: bool = False,
    api_options: Mapping[str, Any] | None = None,
) -> Ran:
    """Run `command` until it has taken all `events`; with `drop` the Runtime API then goes away."""
    with FakeRuntimeApi(events, post_status=post_status, **(api_options or {})) as api:
        reading, writing = os.pipe()
        variables = _environ(handler, task, api.address) | dict(environ or {})
        if telemetry:
            variables["_LAMBDA_TELEMETRY_LOG_FD"] = str(writing)
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            cwd=task,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[writing],
        ) as process:
            os.close(writing)
            output, errors, records = _Drain(process.stdout), _Drain(process.stderr), _Drain(os.fdopen(reading, "rb"))
            ended_itself = _await_end(process, api)
            if drop:
                api.close()
            if drop or post_status != ACCEPTED:
                ended_itself = ended_itself or _wait(process)
            if not ended_itself:
                process.send_signal(signal.SIGKILL)
            process.wait(_DEADLINE_SECONDS)
            stdout, stderr, frames = output.all(), errors.all(), list(_frames(records.all()))
        return Ran(
            posts=tuple(api.posts),
            first_get=api.gets[0] if api.gets else None,
            connections=api.connections,
            reads=tuple(api.reads),
            stdout=stdout.decode(),
            stderr=stderr.decode(),
            frames=frames,
            exit_status=process.returncode if ended_itself else None,
        )


def run_source(source: str, directory: Path, *events: Event, handler: str = "code.handler", **options: object) -> Ran:
    (directory / "code.py").write_text(source)
    return run(lampion_command(), handler, events or (Event(),), task=directory, **options)  # type: ignore[arg-type]


def result(ran: Ran) -> object:
    """The last answer's value."""
    assert ran.posts, ran.stderr
    return json.loads(ran.posts[-1].body)


def normalised(text: str) -> str:
    """Without what may differ between two runtimes: times, and the path and line of a runtime's own frames."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", "TIME", text)
    text = re.sub(r"\[\d{13}\]", "[MILLISECONDS]", text)
    own = r"[^\"\s]*/(?:awslambdaric|runtimes/python)/(\w+\.py)"
    text = re.sub(r'(\\?"path\\?": \\?")' + own + r'(\\?", \\?"line\\?": )\d+', r"\1RUNTIME/\2\3N", text)
    return re.sub(own + r'(\\*", line )\d+', r"RUNTIME/\1\2N", text).replace(str(FUNCTIONS), "/var/task")


def _environ(handler: str, task: Path, address: str) -> dict[str, str]:
    return {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
        "AWS_LAMBDA_FUNCTION_NAME": "table",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/table",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/21/[$LATEST]0123456789abcdef0123456789abcdef",
        "LAMBDA_TASK_ROOT": str(task),
        "_HANDLER": handler,
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def _await_end(process: "subprocess.Popen[bytes]", api: FakeRuntimeApi) -> bool:
    """Until the process has ended (True) or waits for one event too many."""
    give_up = time.monotonic() + _DEADLINE_SECONDS
    while time.monotonic() < give_up:
        if process.poll() is not None:
            return True
        if api.exhausted.wait(0.005):
            return False
    return False


def _wait(process: "subprocess.Popen[bytes]") -> bool:
    try:
        process.wait(_DEADLINE_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _frames(stream: bytes) -> "list[Frame]":
    found = []
    while stream:
        kind, size = int.from_bytes(stream[:4], "big"), int.from_bytes(stream[4:8], "big")
        found.append(Frame(kind, stream[16 : 16 + size].decode()))
        stream = stream[16 + size :]
    return found
