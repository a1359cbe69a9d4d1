"""What a running sandbox's part of the processors is set with: files of its cgroup, which may have gone meanwhile."""

import errno
from pathlib import Path

from lampion.sandbox.cgroups import WeightFile


def set_quota(file: Path | None, quota: str) -> None:
    """Where there is no such file, nothing changes. Raises OSError."""
    if file is not None:
        _write(file, quota)


def set_weight(file: WeightFile | None, *, gives_way: bool) -> None:
    """As `set_quota`: a small part of the weight that others have, or as much."""
    if file is not None:
        _write(file.path, file.small if gives_way else file.usual)


def _write(file: Path, value: str) -> None:
    try:
        file.write_text(value)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENODEV):  # gone, or going just now
            raise
