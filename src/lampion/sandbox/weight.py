"""How a sandbox gives way: its cgroup gets a small part of the weight that the others have."""

import contextlib

from lampion.sandbox.cgroups import WeightFile


def set_weight(file: WeightFile | None, *, gives_way: bool) -> None:
    """Where there is no such file, nothing changes."""
    if file is not None:
        with contextlib.suppress(OSError):  # it has ended
            file.path.write_text(file.small if gives_way else file.usual)
