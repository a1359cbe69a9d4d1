"""What a running sandbox's part of the processors is set with: files of its cgroup, which may have gone meanwhile."""

import errno
from contextlib import suppress
from pathlib import Path

from lampion.sandbox.cgroups import WeightFile


def set_quota(file: Path | None, quota: str) -> None:
    """Where there is no such file, nothing changes. Raises OSError: a limit that doesn't hold must be known."""
    if file is None:
        return
    try:
        file.write_text(quota)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENODEV):  # gone, or going just now
            raise


def set_weight(file: WeightFile | None, *, gives_way: bool) -> None:
    """A small part of the weight that others have, or as much. Where it can't be set, nothing changes."""
    if file is not None:
        with suppress(OSError):  # no invocation is to fail for it
            file.path.write_text(file.small if gives_way else file.usual)
