"""The rooms on disk that the code room works in."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from lampion.clock.rng import SeededRng
from lampion.clock.virtual import VirtualClock
from lampion.code.blobs import Blobs
from lampion.code.deployments import Deployments, Snapshots
from lampion.code.garbage import GarbageCollector
from lampion.code.interpreters import Interpreter, RuntimeUnavailable
from lampion.code.packages import Packages
from lampion.environments.snapshots import NoSnapshots
from lampion.store.memory import MemoryFunctions


class OneInterpreter:
    """Every runtime but python3.14 is there."""

    async def find(self, runtime: str) -> Interpreter:
        if runtime == "python3.14":
            raise RuntimeUnavailable("No interpreter for python3.14 on this machine. Install one.")
        return Interpreter(
            runtime, "3.12.1", Path("/opt/p/bin/python3.12"), Path("/opt/p"), "/var/lang/bin/python3.12", ()
        )


@dataclass
class Rooms:
    """A data directory's blobs and packages, and the jobs over them."""

    root: Path
    clock: VirtualClock
    functions: MemoryFunctions
    blobs: Blobs
    packages: Packages
    garbage: GarbageCollector
    deployments: Deployments

    def leftovers(self) -> list[str]:
        return [path.name for path in (self.root / "tmp").iterdir()]

    def unpacked(self) -> set[str]:
        return {path.name for path in (self.root / "packages").iterdir() if path.is_dir()}

    def stored(self) -> set[str]:
        return {path.name for path in (self.root / "blobs").glob("*/*")}


def make_rooms(root: Path, functions: MemoryFunctions | None = None, *, snapshots: Snapshots | None = None) -> Rooms:
    """Rooms over `root`; a second call over the same root is a restart."""
    for part in ("blobs", "packages", "tmp"):
        (root / part).mkdir(exist_ok=True)
    clock, stored = VirtualClock(), functions or MemoryFunctions()
    blobs = Blobs(root / "blobs", root / "tmp")
    packages = Packages(blobs, root / "packages", root / "tmp", clock)
    garbage = GarbageCollector(stored, blobs, packages, clock)
    deployments = Deployments(
        functions=stored,
        blobs=blobs,
        packages=packages,
        interpreters=OneInterpreter(),
        snapshots=snapshots or NoSnapshots(),
        garbage=garbage,
        rng=SeededRng(1),
        clock=clock,
    )
    return Rooms(root, clock, stored, blobs, packages, garbage, deployments)


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    return make_rooms(tmp_path)
