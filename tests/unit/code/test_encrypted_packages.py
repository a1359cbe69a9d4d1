"""Encrypted packages: in memory alone, while their key may be used and somebody uses them, and never too many."""

import asyncio
import errno
import os
import shutil
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.code.blobs import BlobDamaged, BlobMissing, Blobs
from lampion.code.encrypted_packages import UNUSED_SECONDS, EncryptedPackages
from lampion.code.memory_place import MemoryPlace, NoMemoryForCode, why_not
from lampion.code.sealed_code import SealedCode, Sealing
from lampion.code.sealed_zip import read_head
from lampion.domain.arn import FunctionKey
from lampion.domain.function import DeploymentPackage
from lampion.domain.key_problems import KeyUnusable
from lampion.domain.kms.key import Key, KeyState
from tests.deployment import zipped
from tests.kms_in_memory import KmsInMemory
from tests.unit.code.conftest import PYTHON, ScriptedCompiler

SHM = Path("/dev/shm")
SECRET = b"SECRET = 'of a customer'\n"
pytestmark = pytest.mark.skipif(why_not(SHM) is not None, reason="no programs can be run from /dev/shm here")


@dataclass
class Stage:
    """Everything that these packages need, over a directory on disk and one in memory."""

    kms: KmsInMemory
    key: Key
    blobs: Blobs
    sealed: SealedCode
    packages: EncryptedPackages
    compiler: ScriptedCompiler
    clock: VirtualClock
    disk: Path
    memory: Path

    async def stored(self, content: bytes = SECRET, name: str = "f") -> DeploymentPackage:
        """Of a zip with this as its one file."""
        plain = zipped({"index.py": content})
        package = DeploymentPackage("", "bm8gc3VjaCBkaWdlc3Q=", len(plain), unzipped_bytes=len(content))
        sealing = Sealing(FunctionKey("123456789012", "us-east-1", name), self.key.arn, self.kms.root)
        package, sealed = await self.sealed.seal(package, plain, sealing)
        assert await self.blobs.put(sealed) == package.sha256
        return package

    def unpacked(self) -> set[str]:
        return {path.name for path in self.memory.glob("lampion-code-*/trees/*")}

    async def prepare(self, package: DeploymentPackage) -> Path:
        return await self.packages.prepare(package, None, root="/var/task")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    memory = SHM / f"lampion-test-packages-{os.getpid()}"
    memory.mkdir()
    for part in ("blobs", "tmp"):
        (tmp_path / part).mkdir()
    kms, clock, compiler = KmsInMemory(tmp_path), VirtualClock(), ScriptedCompiler()
    blobs = Blobs(tmp_path / "blobs", tmp_path / "tmp")
    sealed = SealedCode(blobs, kms.function_keys, kms.rng)
    packages = EncryptedPackages(sealed, MemoryPlace([memory]), clock, compiler, most_bytes=64 * 1024)
    yield Stage(kms, await kms.key(), blobs, sealed, packages, compiler, clock, tmp_path, memory)
    packages.close()
    memory.rmdir()


async def test_it_is_unpacked_in_memory_and_lies_sealed_on_disk(stage: Stage):
    package = await stage.stored()
    first, second = await asyncio.gather(stage.prepare(package), stage.prepare(package))
    assert first == second
    assert (first / "index.py").read_bytes() == SECRET
    assert first.is_relative_to(stage.memory)
    assert stat.S_IMODE(first.parents[2].stat().st_mode) == 0o700
    assert {stat.S_IMODE(part.stat().st_mode) for part in stage.memory.glob("lampion-code-*/*")} == {0o700}
    assert not any(SECRET[:6] in path.read_bytes() for path in stage.disk.rglob("*") if path.is_file())
    assert (package.is_encrypted, package.source_kms_key_arn) == (True, stage.key.arn)


async def test_with_bytecode_it_is_another_tree(stage: Stage):
    package = await stage.stored()
    plain = await stage.prepare(package)
    compiled = await stage.packages.prepare(package, PYTHON, root="/var/task")
    assert (plain != compiled, len(stage.compiler.trees)) == (True, 1)
    assert stage.unpacked() == {package.sha256, f"{package.sha256}.python3.12"}


async def test_the_same_zip_is_sealed_differently_each_time(stage: Stage):
    one, other = await stage.stored(), await stage.stored()
    assert one.sha256 != other.sha256
    keys = {await stage.sealed.data_key(package.sha256) for package in (one, other)}
    assert len(keys) == 2


@pytest.mark.parametrize("state", [KeyState.DISABLED, KeyState.PENDING_DELETION])
async def test_whoever_wants_it_must_be_able_to_use_the_key_now(stage: Stage, state: KeyState):
    package = await stage.stored()
    await stage.prepare(package)
    await stage.kms.put_state(stage.key, state)
    with pytest.raises(KeyUnusable):
        await stage.prepare(package)
    with pytest.raises(KeyUnusable):
        await stage.packages.check(package)
    with pytest.raises(KeyUnusable):
        await stage.stored()
    await stage.kms.put_state(stage.key, KeyState.ENABLED)
    await stage.prepare(package)
    await stage.packages.check(package)
    await stage.kms.delete(stage.key)
    with pytest.raises(KeyUnusable):
        await stage.prepare(package)


async def test_a_package_opens_for_its_own_function_alone(stage: Stage):
    package = await stage.stored()
    sealed = await stage.blobs.read(package.sha256)
    head = read_head(sealed)
    other = replace(head, function_arn=head.function_arn.replace(":f", ":g"))
    moved = await stage.blobs.put(other.to_bytes() + sealed[len(head.to_bytes()) :])
    with pytest.raises(BlobDamaged):
        await stage.sealed.read(moved)


async def test_what_is_damaged_or_missing_is_said_to_be(stage: Stage):
    package = await stage.stored()
    with pytest.raises(BlobMissing):
        await stage.prepare(replace(package, sha256="0" * 64))
    with pytest.raises(BlobDamaged):
        await stage.prepare(replace(package, sha256=await stage.blobs.put(b"not sealed at all")))
    (path,) = (path for path in (stage.disk / "blobs").glob("*/*") if path.name == package.sha256)
    content = path.read_bytes()
    for at in range(0, len(content), 7):
        flipped = bytearray(content)
        flipped[at] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(BlobDamaged):
            await stage.prepare(package)
    assert stage.unpacked() == set()


async def test_it_leaves_memory_some_time_after_its_last_use(stage: Stage):
    package, used = await stage.stored(), set[str]()
    running = asyncio.create_task(stage.packages.run(lambda: used))
    await stage.prepare(package)
    used.add(package.sha256)
    await stage.clock.advance(10 * UNUSED_SECONDS)
    assert stage.unpacked() == {package.sha256}
    used.clear()
    await stage.clock.advance(UNUSED_SECONDS)
    for _ in range(200):
        if not stage.unpacked():
            break
        await asyncio.sleep(0.01)
    assert stage.unpacked() == set()
    running.cancel()


async def test_it_stays_for_a_while_after_it_was_unpacked_though_nothing_runs_from_it_yet(stage: Stage):
    package = await stage.stored()
    await stage.prepare(package)
    await stage.clock.advance(UNUSED_SECONDS - 1)
    assert (await stage.packages.sweep(), stage.unpacked()) == (0, {package.sha256})
    await stage.clock.advance(1)
    assert (await stage.packages.sweep(), stage.unpacked()) == (1, set())


async def test_as_much_as_there_may_be_fits(stage: Stage):
    content = SECRET.ljust(64 * 1024, b"#")
    await stage.prepare(await stage.stored(content))
    with pytest.raises(NoMemoryForCode):
        await stage.prepare(await stage.stored(content + b"#"))


@pytest.mark.parametrize(("number", "told"), [(errno.ENOSPC, NoMemoryForCode), (errno.EIO, OSError)])
async def test_what_cant_be_unpacked_counts_for_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, number: int, told: type[OSError]
):
    def fail(content: bytes, tree: Path, *, staging: Path) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("lampion.code.encrypted_packages.extract", fail)
    with pytest.raises(OSError, match=r"full|Input/output") as failed:
        await stage.prepare(await stage.stored())
    assert type(failed.value) is told
    assert (stage.unpacked(), vars(stage.packages)["_sizes"]) == (set(), {})


async def test_so_much_and_no_more_is_in_memory(stage: Stage):
    used = set[str]()
    running = asyncio.create_task(stage.packages.run(lambda: used))
    await asyncio.sleep(0)
    first, second, third = [await stage.stored(SECRET * 1000, name) for name in "abc"]  # 24 KiB each
    for package in (first, second):
        used.add(package.sha256)
        await stage.prepare(package)
    with pytest.raises(NoMemoryForCode, match="--encrypted-code-bytes"):
        await stage.prepare(third)
    assert stage.unpacked() == {first.sha256, second.sha256}
    used.remove(first.sha256)
    await stage.prepare(third)
    assert stage.unpacked() == {second.sha256, third.sha256}
    running.cancel()


async def test_what_somebody_removed_is_unpacked_again_elsewhere(stage: Stage):
    package = await stage.stored()
    first = await stage.prepare(package)
    shutil.rmtree(next(stage.memory.iterdir()))
    second = await stage.prepare(package)
    assert (first != second, (second / "index.py").read_bytes()) == (True, SECRET)


async def test_what_a_dead_server_left_is_cleared_at_the_start(stage: Stage):
    (stage.memory / "lampion-code-dead" / "trees").mkdir(parents=True)
    await stage.packages.open()
    assert list(stage.memory.iterdir()) == []


async def test_what_code_really_takes_is_what_counts(stage: Stage):
    """Each file takes whole pages of memory, however short it is."""
    package = await stage.stored(b"x")
    await stage.prepare(package)
    assert vars(stage.packages)["_sizes"][package.sha256] >= 4096


async def test_at_the_end_of_a_server_nothing_is_left(stage: Stage):
    await stage.prepare(await stage.stored())
    stage.packages.close()
    assert list(stage.memory.iterdir()) == []
