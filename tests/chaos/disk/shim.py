"""Builds the shim, and drives it from within a process that runs under it."""

import ctypes
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lampion.sandbox.launcher.build import find_compiler

_SOURCE: Final = Path(__file__).with_name("shim.c")


def build_shim(directory: Path) -> Path:
    """The shared object, made in `directory`."""
    compiler = find_compiler()
    assert compiler is not None
    made = directory / "lampion-test-disk.so"
    flags = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
    subprocess.run([compiler, *flags, "-o", str(made), str(_SOURCE), "-ldl", "-lpthread"], check=True, timeout=120)
    return made


def under_shim(shim: Path, disk: Path, fault: Path | None = None) -> dict[str, str]:
    """What a process needs in its environment so that the databases below `disk` are on this disk.

    `fault` is a file that says what goes wrong, while it exists: see shim.c.
    """
    environ = {"LD_PRELOAD": str(shim), "LAMPION_TEST_DISK": str(disk)}
    return environ if fault is None else {**environ, "LAMPION_TEST_DISK_FAULT": str(fault)}


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with databases whose name begins so; `steps` are letters: writes, cuts, syncs."""

    kind: str
    number: int  # errno for an error, milliseconds for a wait
    steps: str = "wcs"
    database: str = "queues"

    def __str__(self) -> str:
        return f"{self.kind} {self.database} {self.steps} {self.number}\n"


class Disk:
    """The shim that this process runs under."""

    def __init__(self) -> None:
        self._shim = ctypes.CDLL(os.environ["LD_PRELOAD"])
        self._shim.disk_steps.restype = ctypes.c_long

    def kill_at(self, step: int, *, torn: bool = False) -> None:
        """Count from 0; at that step this process dies: before it, or in the middle of a write. 0: it doesn't."""
        self._shim.disk_kill_at(ctypes.c_long(step), int(torn))

    @property
    def steps(self) -> int:
        return int(self._shim.disk_steps())

    def record(self, path: Path) -> None:
        """Everything that follows goes into the file: see disk.power_cut."""
        self._shim.disk_record(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))

    def mark(self, what: object) -> None:
        """Something that a client was told at this moment."""
        self._shim.disk_mark(json.dumps(what).encode())
