"""Stops the processes of a sandbox between invocations: through its cgroup, or by signals where there is none."""

import contextlib
import os
from collections.abc import Callable
from typing import Protocol

from lampion.sandbox.cgroups import FreezeFile


class Freezer(Protocol):
    """Of one sandbox; does nothing once that has ended."""

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    def close(self) -> None: ...


class CgroupFreezer:
    """Some 20 us each way; the file stays open, for opening it takes as long again."""

    def __init__(self, file: FreezeFile) -> None:
        self._file = file
        self._descriptor = -1

    def freeze(self) -> None:
        self._write(self._file.frozen)

    def thaw(self) -> None:
        self._write(self._file.thawed)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, word: str) -> None:
        with contextlib.suppress(OSError):  # the cgroup has gone
            if self._descriptor < 0:
                self._descriptor = os.open(self._file.path, os.O_WRONLY | os.O_CLOEXEC)
            os.write(self._descriptor, word.encode())


class SignalFreezer:
    """`stop_all` and `continue_all` signal every process of the sandbox."""

    def __init__(self, stop_all: Callable[[], None], continue_all: Callable[[], None]) -> None:
        self.freeze = stop_all
        self.thaw = continue_all

    def close(self) -> None:
        """Nothing is open."""
