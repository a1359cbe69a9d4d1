"""The data directory: one server at a time, readable by its owner only, and where each kind of data lies in it."""

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from lampion.store.errors import DataDirectoryInUse, DataDirectoryUnusable

_LOCK_ATTEMPTS: Final = 20
_LOCK_PAUSE_SECONDS: Final = 0.01
_LOCK_FILE: Final = "lock"


@dataclass(frozen=True, slots=True)
class RunningServer:
    """The server that holds a data directory; `endpoint`, and what it serves there, is None until it listens.

    `certificate` is the file of its certificate when it serves HTTPS.
    """

    pid: int
    endpoint: str | None = None
    account_id: str | None = None
    region: str | None = None
    certificate: str | None = None


class DataDirectory:
    """A data directory held by this process, until `close` or the process's end, however it ends."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @property
    def database(self) -> Path:
        return database_in(self.path)

    @property
    def queues(self) -> Path:
        """The durable queues, apart from the rest: however deep they are, what is configured is found as fast."""
        return self.path / "queues.db"

    @property
    def blobs(self) -> Path:
        return self.path / "blobs"

    @property
    def packages(self) -> Path:
        return self.path / "packages"

    @property
    def image_content(self) -> Path:
        return self.path / "image-content"

    @property
    def images(self) -> Path:
        return self.path / "images"

    @property
    def runtimes(self) -> Path:
        return self.path / "runtimes"

    @property
    def sdks(self) -> Path:
        return sdks_in(self.path)

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def tmp(self) -> Path:
        """For what is being made: on the same file system as the rest, so that it can be renamed into place."""
        return self.path / "tmp"

    def announce(self, *, endpoint: str, account_id: str, region: str, certificate: Path | None = None) -> None:
        """Tell the client commands where this server listens, and as what."""
        named = None if certificate is None else str(certificate)
        _write_holder(self._lock, RunningServer(os.getpid(), endpoint, account_id, region, named))

    def close(self) -> None:
        """Let another server have it. Idempotent."""
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def open_data_directory(path: Path) -> DataDirectory:
    """Make `path` if it is missing, and hold it.

    Raises DataDirectoryInUse when another server does, DataDirectoryUnusable when it isn't a data directory.
    """
    try:
        _prepare(path)
        lock = os.open(path / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise DataDirectoryUnusable(f"The data directory {path} can't be used: {error.strerror}.") from error
    directory = DataDirectory(path, lock)
    try:
        _hold(lock, path)
        _write_holder(lock, RunningServer(os.getpid()))
        parts = (directory.blobs, directory.packages, directory.image_content, directory.images)
        for part in (*parts, directory.runtimes, directory.logs, directory.tmp):
            part.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        directory.close()
        raise DataDirectoryUnusable(f"The data directory {path} can't be used: {error.strerror}.") from error
    except BaseException:
        directory.close()
        raise
    return directory


def database_in(path: Path) -> Path:
    """Where the database of the data directory `path` lies, be it held by a server or not."""
    return path / "lampion.db"


def sdks_in(path: Path) -> Path:
    """Where the AWS SDKs of runtimes lie in the data directory `path`; there may be none."""
    return path / "sdk"


def running_server(path: Path) -> RunningServer | None:
    """The server that holds the data directory `path`, if one runs. Reads only."""
    try:
        lock = os.open(path / _LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return None if _take(lock, fcntl.LOCK_SH) else _holder(lock)
    finally:
        os.close(lock)


def _prepare(path: Path) -> None:
    """A directory that others may read becomes private, but only one that is empty or ours."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    foreign = (entry for entry in path.iterdir() if entry.name != "lost+found")
    if not (path / _LOCK_FILE).exists() and any(foreign):
        raise DataDirectoryUnusable(
            f"{path} holds something else than Lampion's data. Give an empty or a new directory."
        )
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)


def _hold(lock: int, path: Path) -> None:
    for _ in range(_LOCK_ATTEMPTS):
        if _take(lock, fcntl.LOCK_EX):
            return
        time.sleep(_LOCK_PAUSE_SECONDS)  # `running_server` of a client may hold it for a moment
    holder = _holder(lock)
    where = f" at {holder.endpoint}" if holder is not None and holder.endpoint else ""
    who = f"process {holder.pid}" if holder is not None else "another process"
    raise DataDirectoryInUse(
        f"The data directory {path} is in use by the server of {who}{where}. Stop it first, or give another directory."
    )


def _take(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_holder(lock: int, holder: RunningServer) -> None:
    text = msgspec.json.encode(holder)
    os.pwrite(lock, text, 0)  # in place: the lock belongs to this very file
    os.ftruncate(lock, len(text))


def _holder(lock: int) -> RunningServer | None:
    """What the holder wrote; None while it is being written."""
    try:
        return msgspec.json.decode(os.pread(lock, 4096, 0), type=RunningServer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
