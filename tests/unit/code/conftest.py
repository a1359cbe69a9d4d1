"""The rooms on disk that the code room works in."""

import os
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from lampion.clock.rng import SeededRng
from lampion.clock.virtual import VirtualClock
from lampion.code.blobs import Blobs
from lampion.code.deployments import Deployments, Snapshots
from lampion.code.garbage import GarbageCollector
from lampion.code.interpreters import Interpreter, RuntimeUnavailable
from lampion.code.packages import Packages
from lampion.code.sealed_code import SealedCode
from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function, Reason
from lampion.store.cached_functions import CachedFunctions
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources
from tests.kms_in_memory import KmsInMemory

PYTHON = Interpreter(
    "python3.12", "3.12.1", Path("/opt/p/bin/python3.12"), Path("/opt/p"), "/var/lang/bin/python3.12", ()
)


class NoSnapshots:
    """On this machine none can be taken."""

    async def prepare(self, function: Function) -> Reason | None:
        return None

    def discard(self, key: FunctionKey, version: str | None) -> None:
        pass


class OneInterpreter:
    """Every runtime but python3.14 is there."""

    async def find(self, runtime: str, architecture: str) -> Interpreter:
        if architecture == "arm64":
            raise RuntimeUnavailable("Functions for arm64 don't run here.")
        if runtime == "python3.14":
            raise RuntimeUnavailable("No interpreter for python3.14 on this machine. Install one.")
        return replace(PYTHON, runtime=runtime)


def frame(path: bytes, content: bytes) -> bytes:
    """One frame of what the compiler says (runtimes/compiler/compile_tree.py)."""
    return struct.pack(">II", len(path), len(content)) + path + content


def unchecked(code: bytes) -> bytes:
    """Stands for bytecode: a true header, and `code`."""
    return b"\xcb\r\r\n" + (1).to_bytes(4, "little") + bytes(8) + code


@dataclass
class ScriptedCompiler:
    """Makes bytecode of every source, unless told to say something else or to fail."""

    says: bytes | None = None
    error: OSError | None = None
    trees: list[tuple[Path, str, str]] = field(default_factory=list)

    async def compile(self, tree: Path, interpreter: Interpreter, *, root: str, output: int) -> None:
        self.trees.append((tree, interpreter.runtime, root))
        if self.error is not None:
            raise self.error
        os.write(output, self.frames(tree) if self.says is None else self.says)

    @staticmethod
    def frames(tree: Path) -> bytes:
        sources = sorted(path for path in tree.rglob("*.py") if path.is_file())
        return frame(b"", b"cpython-312") + b"".join(
            frame(os.fsencode(path.relative_to(tree)), unchecked(b"of " + path.read_bytes())) for path in sources
        )


@dataclass
class Rooms:
    """A data directory's blobs and packages, and the jobs over them."""

    root: Path
    clock: VirtualClock
    functions: MemoryFunctions
    blobs: Blobs
    packages: Packages
    compiler: ScriptedCompiler
    garbage: GarbageCollector
    deployments: Deployments

    @property
    def resources(self) -> MemoryResources:
        return MemoryResources(self.functions.tables)

    def leftovers(self) -> list[str]:
        return [path.name for path in (self.root / "tmp").iterdir()]

    def unpacked(self) -> set[str]:
        """The packages that are there in one form or another."""
        return {path.name.partition(".")[0] for path in (self.root / "packages").iterdir() if path.is_dir()}

    def stored(self) -> set[str]:
        return {path.name for path in (self.root / "blobs").glob("*/*")}


async def _nobody_waits(function: Function) -> None:
    """No environments here."""


def make_rooms(
    root: Path,
    functions: MemoryFunctions | None = None,
    *,
    snapshots: Snapshots | None = None,
    cache: CachedFunctions | None = None,
) -> Rooms:
    """Rooms over `root`; a second call over the same root is a restart. `cache` stands before `functions`."""
    for part in ("blobs", "packages", "tmp"):
        (root / part).mkdir(exist_ok=True)
    clock, stored = VirtualClock(), functions or MemoryFunctions()
    blobs = Blobs(root / "blobs", root / "tmp")
    compiler = ScriptedCompiler()
    packages = Packages(blobs, root / "packages", root / "tmp", clock, compiler)
    garbage = GarbageCollector(stored, blobs, packages, clock)
    deployments = Deployments(
        functions=cache or stored,
        blobs=blobs,
        sealed=SealedCode(blobs, KmsInMemory(root).function_keys, SeededRng(2)),
        packages=packages,
        interpreters=OneInterpreter(),
        snapshots=snapshots or NoSnapshots(),
        images=NoImages(),
        expect=_nobody_waits,
        garbage=garbage,
        rng=SeededRng(1),
        clock=clock,
    )
    return Rooms(root, clock, stored, blobs, packages, compiler, garbage, deployments)


class NoImages:
    async def obstacle(self, function: Function) -> Reason | None:
        raise AssertionError("no function here has an image")


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    return make_rooms(tmp_path)
