"""The server's place among its sandboxes under version 1 of cgroups, so that the kernel weighs it against each of them.

From outside it would be weighed against all of them together, and wait behind one that uses a processor up. Under
version 2 a cgroup with children has no members: there server_leaf gives the server its weight.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from lampion.sandbox.cgroup_host import owner_name, read_layout, remove_owner
from lampion.sandbox.cgroups import Layout


@contextmanager
def seat_among_sandboxes(cgroup_parent: str) -> Iterator[None]:
    """For as long as the block runs, in which sandboxes come and go. Where it can't be had, nothing changes."""
    hierarchy = read_layout().controllers.get("cpu")
    if hierarchy is None or hierarchy.version != 1:
        yield
        return
    home, owner = hierarchy.directory / "cgroup.procs", owner_name()
    seat = hierarchy.directory / cgroup_parent / owner
    with suppress(OSError):
        if os.access(home, os.W_OK):  # there is a way back
            seat.mkdir(parents=True, exist_ok=True)
            (seat / "cgroup.procs").write_text(str(os.getpid()))
    try:
        yield
    finally:
        leave_seat(Layout({"cpu": hierarchy}), os.getpid())
        remove_owner(Layout({"cpu": hierarchy}), cgroup_parent, owner)


def leave_seat(layout: Layout, process: int) -> None:
    """Back to where the server came from: a child that outlives it, and then removes its cgroups, can't sit in one."""
    hierarchy = layout.controllers.get("cpu")
    if hierarchy is not None and hierarchy.version == 1:
        with suppress(OSError):  # it isn't ours to move
            (hierarchy.directory / "cgroup.procs").write_text(str(process))
