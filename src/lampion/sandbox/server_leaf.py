"""How a server that lives in a cgroup of version 2 hands controllers down to its sandboxes there.

A cgroup with members can't: they wait in a leaf, from the first server's start to the last one's end. Knows no sandbox.
"""

import contextlib
import errno
import fcntl
import os
from pathlib import Path
from typing import Final

from lampion.sandbox.cgroups import SERVER_LEAF

_WEIGHT: Final = "10000"  # the most; the usual is 100
_ATTEMPTS: Final = 20
"""Members may make new ones while they are moved."""


class HandedDown:
    """While this object lives, children of `directory` have the controllers. So may other servers' objects want it.

    A lock of the kernel's tells the last one, also when others were killed.
    """

    def __init__(self, directory: Path, wanted: str) -> None:
        """`wanted` as in `+memory +cpu`. Raises OSError; then everything is as before."""
        self._directory = directory
        self._wanted = wanted
        self._lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            _hand_down(directory, wanted)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """If nobody else needs it, members go back to where they were, and the leaf goes. May be called again."""
        if self._lock < 0:
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _take_back(self._directory, self._wanted)
        except OSError:
            pass  # another server needs it, or somebody else has cgroups here now
        finally:
            os.close(self._lock)
            self._lock = -1


def _hand_down(directory: Path, wanted: str) -> None:
    control = directory / "cgroup.subtree_control"
    if {f"+{name}" for name in control.read_text().split()} >= set(wanted.split()):
        return
    (directory / SERVER_LEAF).mkdir(exist_ok=True)
    for _ in range(_ATTEMPTS):
        _move_members(directory, directory / SERVER_LEAF)
        try:
            control.write_text(wanted)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
        else:
            _raise_weight(directory / SERVER_LEAF)
            return
    raise OSError(errno.EBUSY, f"{directory} has members that can't be moved")


def _raise_weight(leaf: Path) -> None:
    """Whoever answers all callers goes before a function that uses a processor up."""
    with contextlib.suppress(OSError):  # there is no cpu controller
        (leaf / "cpu.weight").write_text(_WEIGHT)


def _take_back(directory: Path, wanted: str) -> None:
    leaf = directory / SERVER_LEAF
    children = [child for child in directory.iterdir() if child.is_dir()]
    if children != [leaf]:
        return  # there never was a leaf, or what is beside it still uses the controllers
    control = directory / "cgroup.subtree_control"
    control.write_text(" ".join(f"-{name}" for name in control.read_text().split() if f"+{name}" in wanted.split()))
    for _ in range(_ATTEMPTS):
        _move_members(leaf, directory)
        with contextlib.suppress(OSError):  # it has members again
            leaf.rmdir()
            return


def _move_members(source: Path, target: Path) -> None:
    for pid in (source / "cgroup.procs").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            (target / "cgroup.procs").write_text(pid)
