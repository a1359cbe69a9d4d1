"""The contract of drivers that can take snapshots: what ran a function's Init is held, and environments are its copies.

Optional: who wants to know asks `snapshotting`.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from lampion.sandbox.driver import Driver, Finding, Sandbox
from lampion.sandbox.spec import SandboxSpec


class SnapshotRefused(Exception):
    """No snapshot can be taken of this process, for the reason that the message says; the next one may be the same."""


class Snapshot(Protocol):
    """An initialized process, of which there can be any number of copies."""

    @property
    def is_usable(self) -> bool:
        """False from when it is closed or its process has died; copies that run aren't concerned."""

    async def start(self, spec: SandboxSpec) -> Sandbox:
        """A copy, in a sandbox of its own. Of `spec`, its id and limits count: all else is as in the origin.

        Raises SandboxError; then nothing is left behind.
        """

    async def close(self) -> None:
        """No more copies. Those that run aren't concerned. Idempotent."""


class SnapshotOrigin(Sandbox, Protocol):
    """A sandbox that runs Init like any other one, until it is sealed."""

    async def seal(self, proceed: Callable[[], None]) -> Snapshot:
        """Take the snapshot. The runtime must wait, and fork as soon as `proceed`, called meanwhile, tells it to.

        From here on the sandbox is the snapshot's: neither `stop` nor `wait` is of use, and its output ends.
        Raises SnapshotRefused or SandboxError; then it is as after `stop(0)`.
        """


@runtime_checkable
class Snapshotting(Protocol):
    """What a driver offers in addition when it knows snapshots."""

    def snapshot_finding(self) -> Finding | None:
        """Why none can be taken on this machine, if so."""

    async def start_origin(self, spec: SandboxSpec) -> SnapshotOrigin:
        """As `Driver.start`, with the intention to take a snapshot. Raises SandboxError."""


def snapshotting(driver: Driver) -> Snapshotting | None:
    """The driver's snapshots, when it has any on this machine."""
    if isinstance(driver, Snapshotting) and driver.snapshot_finding() is None:
        return driver
    return None
