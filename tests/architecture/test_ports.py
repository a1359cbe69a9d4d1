"""Time, randomness and files reach the core through ports only: it must run under a virtual clock and a seed."""

import ast
from pathlib import Path

import pytest

from tests.architecture.calls import calls_of, imports_of
from tests.architecture.tree import SOURCE, parsed, python_files

TIME = {
    *(f"time.{name}" for name in ("time", "time_ns", "sleep", "process_time", "thread_time")),
    *(f"time.{name}{unit}" for name in ("monotonic", "perf_counter") for unit in ("", "_ns")),
    *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
    *("datetime.date.today", "threading.Timer"),
    *(f"asyncio.{name}" for name in ("sleep", "timeout", "timeout_at", "wait_for")),
    *(
        f"asyncio.{loop}().{name}"
        for loop in ("get_running_loop", "get_event_loop")
        for name in ("time", "call_later", "call_at")
    ),
    *(f"*.{name}" for name in ("loop.call_later", "loop.call_at", "_loop.call_later", "_loop.call_at")),
}
RANDOMNESS = {"os.urandom", "os.getrandom", "uuid.uuid1", "uuid.uuid4"}
RANDOM_MODULES = {"random", "secrets"}
FILES = {"open", "io.open", "os.open", "os.fdopen"}
FILE_METHODS = {"read_text", "read_bytes", "write_text", "write_bytes"}

# Who owns what, and why; anything else asks the Clock, the Rng or the room that owns the files.
OWNERS_OF_TIME = {
    "clock/": "is the port",
    "cli/": "outside of the server",
    "runtimes/": "runs inside the sandbox",
    "store/data_directory.py": "waits for a lock before there is an event loop",
    "sandbox/": "talks to the kernel about processes",
}
OWNERS_OF_RANDOMNESS = {"clock/": "is the port", "runtimes/": "runs inside the sandbox"}
OWNERS_OF_FILES = {
    "store/": "the database and its SQL",
    "code/": "deployment packages",
    "function_logs/": "log segments",
    "sandbox/": "cgroups, pipes and the launcher",
    "aws/": "reads the compiled service model, at start",
    "identity/aws_managed_policies.py": "reads what AWS has published, once",
    "config/": "reads how much memory there is, at start",
    "cli/": "outside of the server",
    "runtimes/": "runs inside the sandbox",
}


def uses(module: ast.Module) -> list[tuple[str, int, str]]:
    """(what is used, line, how) for every direct use of time, randomness or files."""
    found = [("randomness", line, name) for line, name in imports_of(module) if name in RANDOM_MODULES]
    for line, name, _ in calls_of(module):
        if name in TIME:
            found.append(("time", line, name))
        elif name in RANDOMNESS:
            found.append(("randomness", line, name))
        elif name in FILES or name.rpartition(".")[2] in FILE_METHODS:
            found.append(("files", line, name))
    return found


@pytest.mark.parametrize(
    ("kind", "owners"),
    [("time", OWNERS_OF_TIME), ("randomness", OWNERS_OF_RANDOMNESS), ("files", OWNERS_OF_FILES)],
)
def test_the_core_uses_its_ports(kind: str, owners: dict[str, str]) -> None:
    trespasses = [
        f"{path}:{line} {name}"
        for path in python_files("src/lampion/")
        if not str(path).removeprefix("src/lampion/").startswith(tuple(owners))
        for used, line, name in uses(parsed(path))
        if used == kind
    ]
    assert trespasses == []


@pytest.mark.parametrize("owners", [OWNERS_OF_TIME, OWNERS_OF_RANDOMNESS, OWNERS_OF_FILES])
def test_every_owner_exists(owners: dict[str, str]) -> None:
    assert [name for name in owners if not (SOURCE / Path(name)).exists()] == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("import time\ntime.time()", "time"),
        ("from time import monotonic as m\nm()", "time"),
        ("import asyncio\nasync def f(): await asyncio.sleep(0)", "time"),
        ("import asyncio as a\nasync def f():\n async with a.timeout(1): pass", "time"),
        ("import asyncio\nasyncio.get_running_loop().call_later(1, print)", "time"),
        ("self._loop.call_later(1, print)", "time"),
        ("from datetime import datetime\ndatetime.now()", "time"),
        ("import datetime\ndatetime.datetime.now()", "time"),
        ("import random", "randomness"),
        ("from secrets import token_bytes", "randomness"),
        ("import os\nos.urandom(1)", "randomness"),
        ("import uuid\nuuid.uuid4()", "randomness"),
        ("open('x')", "files"),
        ("from pathlib import Path\nPath('x').read_text()", "files"),
        ("import os\nos.open('x', 0)", "files"),
    ],
)
def test_the_check_sees(text: str, kind: str) -> None:
    assert kind in {used for used, _, _ in uses(ast.parse(text))}


@pytest.mark.parametrize(
    "text", ["clock.sleep(1)", "self._clock.call_later(1, f)", "import time\ntime.gmtime(0)", "archive.open('x')"]
)
def test_the_check_lets_pass(text: str) -> None:
    assert uses(ast.parse(text)) == []
