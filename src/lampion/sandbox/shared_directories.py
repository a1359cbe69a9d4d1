"""The host's side of directories that sandboxes share: whether one is there, and making the part of it that is meant.

What functions wrote may be anything, links that lead elsewhere too; none is followed. The launcher looks again, in the
same way, when it takes the directory.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_OPEN: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


class DirectoryUnreachable(OSError):
    """The host directory itself isn't there, or is none."""


@dataclass(frozen=True, slots=True)
class Making:
    """Whose a directory becomes that has to be made, and its mode."""

    user_id: int
    group_id: int
    mode: int


def ensure_directory(directory: Path, beneath: str, making: Making | None) -> None:
    """See that `beneath` is a directory in `directory`; what is missing of it is made, if that is wanted.

    Raises DirectoryUnreachable for `directory`, another OSError for what is in it.
    """
    try:
        at = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise DirectoryUnreachable(error.errno, error.strerror, str(directory)) from error
    try:
        for name in filter(None, beneath.split("/")):
            at, above = _enter(at, name, making), at
            os.close(above)
    finally:
        os.close(at)


def _enter(at: int, name: str, making: Making | None) -> int:
    try:
        return os.open(name, _OPEN, dir_fd=at)
    except FileNotFoundError:
        if making is None:
            raise
    os.mkdir(name, 0o700, dir_fd=at)
    made = os.open(name, _OPEN, dir_fd=at)
    try:
        os.fchown(made, making.user_id, making.group_id)
        os.fchmod(made, making.mode)
    except BaseException:
        os.close(made)
        os.rmdir(name, dir_fd=at)
        raise
    return made
