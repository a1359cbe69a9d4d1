"""Starts the processes of a measured system and ends them, with everything they have started themselves."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure.process_tree import ProcessTree, Status, status

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.0005
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")


class DidNotStart(Exception):
    """A system ended, or was not ready in time."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process of ours, with all that it has started."""

    process: subprocess.Popen[bytes]
    tree: ProcessTree


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def plain_environ(home: Path, **more: str) -> dict[str, str]:
    """Nothing of ours but what any process needs: no credentials, no proxies, no Python settings."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {**kept, "HOME": str(home), "TMPDIR": str(home), **more}


@contextmanager
def child(
    argv: Sequence[object],
    environ: Mapping[str, str],
    directory: Path,
    output: int,
    *,
    cgroup: str | None = None,
    grace_seconds: float = 10.0,
) -> Iterator[Child]:
    """A running process inside the block; after it, neither it nor anything it has started."""
    process = subprocess.Popen(
        [str(word) for word in argv],
        env=dict(environ),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,  # Ctrl-C at the terminal reaches us alone, and we end it in order
    )
    started = Child(process, ProcessTree(process.pid, cgroup))
    try:
        yield started
    finally:
        end(started, grace_seconds)


def end(one: Child, grace_seconds: float) -> None:
    """SIGTERM to the process itself, then SIGKILL to whatever is left of its tree."""
    family = {member.pid: member for member in one.tree.members()}
    one.process.terminate()
    try:
        one.process.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        family |= {member.pid: member for member in one.tree.members()}
        one.process.kill()
        one.process.wait()
    family |= {member.pid: member for member in one.tree.members()}
    for member in family.values():
        _kill(member)


def _kill(member: Status) -> None:
    now = status(member.pid)
    if now is not None and now.started_ticks == member.started_ticks and now.state != "Z":
        with suppress(ProcessLookupError):
            os.kill(member.pid, signal.SIGKILL)


def wait_until_listening(one: Child, port: int, seconds: float) -> None:
    """Until a connection to `port` is accepted. Raises DidNotStart."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) == 0:
                return
        if (code := one.process.poll()) is not None:
            raise DidNotStart(f"it ended with status {code} before it listened (--verbose shows what it printed)")
        time.sleep(POLL_SECONDS)
    raise DidNotStart(f"it did not listen within {seconds:.0f} s")
