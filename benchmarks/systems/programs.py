"""The programs that serve functions, and what merely starting them costs: the references of first answers."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.systems.system import FirstAnswer

SNAP_START_SINCE = (3, 12)  # the first Python that AWS offers it for
SNAP_START_RUNTIMES = ("python3.13", "python3.12", "python3.14")
_ASK = "import sys; print(sys._base_executable)"


def own_python() -> Path:
    """The interpreter that runs us, without the virtual environment around it."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def snap_start_python() -> tuple[str, Path] | None:
    """A runtime that can have SnapStart, and its interpreter; None when this machine has none."""
    if sys.version_info >= SNAP_START_SINCE:
        return f"python3.{sys.version_info.minor}", own_python()
    for runtime in SNAP_START_RUNTIMES:
        for candidate in (shutil.which(runtime), *Path.home().glob(f".pyenv/versions/{runtime[6:]}.*/bin/{runtime}")):
            if candidate is not None and (found := _answer(candidate, "-c", _ASK)):
                return runtime, Path(found)
    return None


def node() -> tuple[str, Path] | None:
    """The runtime that this machine's Node.js is, and the program; None when there is none."""
    program = shutil.which("node")
    version = "" if program is None else _answer(program, "--version")
    if program is None or not version:
        return None
    return f"nodejs{version.lstrip('v').partition('.')[0]}.x", Path(program).resolve()


def ruby() -> tuple[str, Path] | None:
    """A runtime that this machine's Ruby serves, being close to it, and the program; None when there is none."""
    program = shutil.which("ruby")
    if program is None or not _answer(program, "--version"):
        return None
    return "ruby3.4", Path(program).resolve()


def starts(
    commands: Mapping[str, Sequence[str]], environ: Mapping[str, str], count: int
) -> dict[str, list[FirstAnswer]]:
    """Each command, to be run `count` times, from its start to its end."""
    return {name: [partial(_run_seconds, argv, environ)] * count for name, argv in commands.items()}


def _run_seconds(argv: Sequence[str], environ: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(argv, env=dict(environ), cwd="/", check=True)
    return time.perf_counter() - began


def _answer(program: str | os.PathLike[str], *arguments: str) -> str:
    """What it prints; empty when it doesn't work."""
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
