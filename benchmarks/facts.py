"""Where and when a run took place, without anything that names this machine or a place on it."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.systems.environment import CHECKOUT, our_version
from benchmarks.systems.system import System

PATH = re.compile(r"(?<![\w:/.])/(?:[\w.+@-]+/)*[\w.+@-]+")
ADDRESS = re.compile(r"\bhttps?://[^\s'\"]+")


def without_places(text: str) -> str:
    """`text` with absolute paths and web addresses replaced: they say nothing elsewhere and may say too much."""
    return PATH.sub("<path>", ADDRESS.sub("<address>", text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The circumstances of a run."""

    taken_at: str
    commit: str
    command: str
    machine: dict[str, str]
    versions: dict[str, str]


def gather(command: str, systems: Iterable[System]) -> Facts:
    """Before anything is started, so that the load average is that of the others."""
    versions = {"python": platform.python_version(), "boto3": our_version("boto3"), "wrk": _wrk_version()}
    for system in systems:
        versions |= system.versions()
    return Facts(
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=_commit(),
        command=command,
        machine=_machine(),
        versions=versions,
    )


def _machine() -> dict[str, str]:
    info = _fields(Path("/proc/cpuinfo"), ":")
    memory_kib = int(_fields(Path("/proc/meminfo"), ":").get("MemTotal", "0 kB").split()[0])
    return {
        "processor": info.get("model name", platform.machine()),
        "cores": str(os.cpu_count()),
        "memory": f"{memory_kib / 1024**2:.0f} GiB",
        "system": _fields(Path("/etc/os-release"), "=").get("PRETTY_NAME", "Linux").strip('"'),
        "kernel": platform.release(),
        "load average before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _fields(file: Path, separator: str) -> dict[str, str]:
    """The first value of each name in a file of names and values; none if there is no such file."""
    if not file.is_file():
        return {}
    pairs = (line.partition(separator) for line in reversed(file.read_text().splitlines()))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _commit() -> str:
    """The short commit, "-changed" behind it when tracked files differ; "uncommitted" outside version control."""
    head = _output("git", "rev-parse", "--short=10", "HEAD")
    if not head:
        return "uncommitted"
    return f"{head}-changed" if _output("git", "status", "--porcelain", "--untracked-files=no") else head


def _wrk_version() -> str:
    words = _output("wrk", "-v").split()
    return words[1] if len(words) > 1 else "absent"


def _output(program: str, *arguments: str) -> str:
    """What `program` writes to stdout; empty when it isn't there. `wrk -v` answers and fails: no status is asked."""
    found = shutil.which(program)
    if found is None:
        return ""
    done = subprocess.run([found, *arguments], cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout.strip()
