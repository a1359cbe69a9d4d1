"""The file of the master key, which lies outside the data directory: base64 of 32 bytes, its owner's alone."""

import base64
import binascii
import os
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from lampion.store.errors import MasterKeyUnusable

KEY_BYTES: Final = 32
_READ_BYTES_MAX: Final = 4096


def read_master_key(path: Path) -> bytes | None:
    """The key in a file; None when there is no such file. Raises MasterKeyUnusable."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MasterKeyUnusable(f"the master key {path} can't be read: {error.strerror}.") from error
    try:
        is_open_to_others = bool(os.fstat(descriptor).st_mode & 0o077)
        key = None if is_open_to_others else decoded_master_key(os.read(descriptor, _READ_BYTES_MAX))
    except OSError as error:
        raise MasterKeyUnusable(f"the master key {path} can't be read: {error.strerror}.") from error
    finally:
        os.close(descriptor)
    if is_open_to_others:
        raise MasterKeyUnusable(f"the master key {path} is open to others. Run: chmod 600 {path}")
    if key is None:
        raise MasterKeyUnusable(f"{path} holds no master key: base64 of {KEY_BYTES} bytes.")
    return key


def check_place(path: Path) -> None:
    """That there could be a file, so that a misspelled place is told before it is needed. Raises MasterKeyUnusable."""
    if not path.parent.is_dir():
        raise MasterKeyUnusable(f"the master key {path} can't be made: there is no directory {path.parent}.")


def decoded_master_key(text: bytes) -> bytes | None:
    """None for what isn't base64 of 32 bytes."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        return None
    return key if len(key) == KEY_BYTES else None


def make_master_key(path: Path, key: bytes) -> bytes:
    """The key in a file that is made for it, durably, for without it what it wraps is lost; or in the file that another
    server made meanwhile. Raises MasterKeyUnusable.
    """
    _write_new(path, key)
    made = read_master_key(path)
    if made is None:
        raise MasterKeyUnusable(f"the master key {path} was taken away while it was made.")
    return made


def _write_new(path: Path, key: bytes) -> None:
    """Whole or not at all, and never over another one. Raises MasterKeyUnusable."""
    try:
        descriptor, name = mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
        new = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(base64.b64encode(key) + b"\n")
                file.flush()
                os.fsync(descriptor)
            os.link(new, path)
        finally:
            new.unlink()
        _sync_directory(path.parent)
    except FileExistsError:
        return  # another server made it meanwhile
    except OSError as error:
        raise MasterKeyUnusable(f"the master key {path} can't be made: {error.strerror}.") from error


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
