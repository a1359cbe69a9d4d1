"""How a sandbox gives way: its cgroup counts as work to do when there is none else (Linux 5.15 and newer)."""

import contextlib
from pathlib import Path


def set_idle(file: Path | None, *, is_idle: bool) -> None:
    """`file`: the cgroup's cpu.idle; None where there is none, and nothing changes."""
    if file is not None:
        with contextlib.suppress(OSError):  # it has ended
            file.write_text("1" if is_idle else "0")
