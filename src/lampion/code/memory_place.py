"""A private directory in the machine's memory, while this server lives. Blocking, but never for long.

Others may be servers, too: each locks its directory, so what isn't locked was left by one that died.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "lampion-code-"
_IN_MEMORY: Final = frozenset(("tmpfs", "ramfs"))
_ATTEMPTS: Final = 8


class NoMemoryForCode(OSError):
    """Encrypted code has no place in memory, at least not now."""


class NoMemoryPlace(NoMemoryForCode):
    """There is no directory in memory that code can be run from."""


class MemoryPlace:
    """Made when it is first asked for."""

    def __init__(self, candidates: Iterable[Path], others: Iterable[Path] = ()) -> None:
        """The first of `candidates` that will do is taken; see `why_not`. In `others` servers may have had theirs."""
        self._candidates = tuple(candidates)
        self._others = tuple(others)
        self._path: Path | None = None
        self._lock = -1

    def clear_dead(self) -> int:
        """Remove what servers of this user left that are dead; of how many."""
        return sum(_clear(candidate) for candidate in (*self._candidates, *self._others))

    def path(self) -> Path:
        """The directory, which nobody else can read; another one when somebody removed it, as systemd does at the end
        of a user's last session. Raises NoMemoryPlace.
        """
        if self._path is None or not self._path.is_dir():
            self.close()
            reasons = [f"{candidate} {why}" for candidate in self._candidates if (why := why_not(candidate))]
            fitting = [candidate for candidate in self._candidates if why_not(candidate) is None]
            if not fitting:
                text = f"no directory in memory to unpack encrypted code to ({'; '.join(reasons)})"
                raise NoMemoryPlace(0, f"{text}; name one with --encrypted-code-directory")
            self._path, self._lock = _made(fitting[0].resolve())
        return self._path

    def close(self) -> None:
        """Remove it with all that is in it. Idempotent."""
        path, self._path = self._path, None
        lock, self._lock = self._lock, -1
        if path is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def why_not(candidate: Path) -> str | None:
    """Why code can't be kept in memory there and run from there; None if it can."""
    try:
        if _file_system_of(candidate) not in _IN_MEMORY:
            return "isn't in memory (tmpfs)"
        if os.statvfs(candidate).f_flag & os.ST_NOEXEC:
            return "is mounted noexec"
    except OSError as error:
        return f"can't be used: {error.strerror}"
    return None if os.access(candidate, os.W_OK | os.X_OK) else "can't be written to"


def _file_system_of(path: Path) -> str:
    device = path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        fields, _, source = line.partition(" - ")
        if fields.split()[2] == number:
            return source.split()[0]
    return ""


def _made(above: Path) -> tuple[Path, int]:
    """A new directory, locked, and its lock. Raises OSError."""
    for _ in range(_ATTEMPTS):
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=above))
        lock = _locked(path)
        if lock is not None:
            return path, lock
    raise NoMemoryPlace(0, f"{above}: another server takes ours for a dead one's")


def _locked(path: Path) -> int | None:
    """None when somebody else has it, or removed it before we had it."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), path.lstat()):
            return lock
    os.close(lock)
    return None


def _clear(candidate: Path) -> int:
    cleared = 0
    for path in _own(candidate):
        lock = _locked(path)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
            cleared += 1
    return cleared


def _own(candidate: Path) -> list[Path]:
    """Directories such as ours. What others made there under such a name isn't touched."""
    try:
        with os.scandir(candidate) as entries:
            return [
                Path(entry.path)
                for entry in entries
                if entry.name.startswith(_PREFIX)
                and entry.is_dir(follow_symlinks=False)
                and entry.stat(follow_symlinks=False).st_uid == os.geteuid()
            ]
    except OSError:
        return []
