"""Unpacked packages: made once, whole or not at all, thrown away when nobody needs them."""

import asyncio
import os
from pathlib import Path

import pytest

from lampion.code import archive
from lampion.code import packages as packages_module
from lampion.code.blobs import BlobMissing
from lampion.code.zip_format import BadZip
from tests.unit.code.conftest import Rooms, make_rooms
from tests.unit.code.zips import file, make, ordinary


async def test_a_package_is_unpacked_once_for_many_callers(rooms: Rooms, monkeypatch: pytest.MonkeyPatch):
    calls: list[Path] = []
    real = archive.extract

    def counted(zipped: bytes, target: Path, *, staging: Path) -> None:
        assert staging.parent == rooms.root / "tmp"
        calls.append(target)
        real(zipped, target, staging=staging)

    monkeypatch.setattr(packages_module, "extract", counted)
    sha256 = await rooms.blobs.put(ordinary(index__py=b"x"))
    paths = await asyncio.gather(*(rooms.packages.prepare(sha256) for _ in range(20)))
    assert set(paths) == {rooms.root / "packages" / sha256}
    assert (paths[0] / "index.py").read_bytes() == b"x"
    await rooms.packages.prepare(sha256)
    assert len(calls) == 1
    assert rooms.leftovers() == []


async def test_one_caller_that_gives_up_does_not_stop_the_others(rooms: Rooms):
    sha256 = await rooms.blobs.put(ordinary())
    first, second = (asyncio.create_task(rooms.packages.prepare(sha256)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).is_dir()
    assert first.cancelled()


async def test_a_package_that_cannot_be_unpacked_says_why_and_can_be_tried_again(rooms: Rooms):
    with pytest.raises(BlobMissing):
        await rooms.packages.prepare("0" * 64)
    bad = await rooms.blobs.put(make(file("../evil")))
    for _ in range(2):
        with pytest.raises(BadZip):
            await rooms.packages.prepare(bad)
    assert rooms.unpacked() == set()
    assert rooms.leftovers() == []


async def test_after_a_restart_it_is_there_and_half_made_ones_are_gone(rooms: Rooms):
    await rooms.packages.open()
    sha256 = await rooms.blobs.put(ordinary())
    await rooms.packages.prepare(sha256)
    inode = (rooms.root / "packages" / sha256).stat().st_ino
    half = rooms.root / "tmp" / "package-half"
    half.mkdir()
    (half / "index.py").write_text("half")
    (rooms.root / "tmp" / "blob-half").write_text("half")
    (rooms.root / "tmp" / "link").symlink_to(rooms.root / "blobs")

    again = make_rooms(rooms.root)
    await again.packages.open()
    assert again.leftovers() == []
    assert again.stored() == {sha256}
    await again.packages.prepare(sha256)
    assert (again.root / "packages" / sha256).stat().st_ino == inode


async def test_packages_of_an_earlier_boot_are_unpacked_anew(rooms: Rooms, monkeypatch: pytest.MonkeyPatch):
    await rooms.packages.open()
    sha256 = await rooms.blobs.put(ordinary(index__py=b"whole"))
    await rooms.packages.prepare(sha256)
    (rooms.root / "packages" / sha256 / "index.py").write_bytes(b"")  # as a power loss may leave it
    boot_id = rooms.root / "boot_id"
    boot_id.write_text("another boot")
    monkeypatch.setattr(packages_module, "_BOOT_ID", boot_id)

    again = make_rooms(rooms.root)
    await again.packages.open()
    assert again.unpacked() == set()
    await again.packages.prepare(sha256)
    assert (again.root / "packages" / sha256 / "index.py").read_bytes() == b"whole"
    assert again.leftovers() == []


async def test_discard_removes_it_and_prepare_brings_it_back(rooms: Rooms):
    sha256 = await rooms.blobs.put(ordinary())
    await rooms.packages.prepare(sha256)
    await asyncio.gather(rooms.packages.discard(sha256), rooms.packages.discard(sha256))
    assert rooms.unpacked() == set()
    await rooms.packages.discard(sha256)
    outcomes = await asyncio.gather(rooms.packages.prepare(sha256), rooms.packages.discard(sha256))
    assert outcomes[0] == rooms.root / "packages" / sha256
    assert (await rooms.packages.prepare(sha256)).is_dir()
    assert rooms.leftovers() == []


async def test_sweep_keeps_the_live_and_the_lately_used(rooms: Rooms):
    live, used, unused = [await rooms.blobs.put(ordinary(index__py=code)) for code in (b"1", b"2", b"3")]
    for sha256 in (live, used, unused):
        await rooms.packages.prepare(sha256)
    await rooms.clock.advance(1000)
    await rooms.packages.prepare(used)
    assert await rooms.packages.sweep({live}, unused_seconds=500) == 1
    assert rooms.unpacked() == {live, used}


async def test_what_is_mounted_cannot_be_written_by_others(rooms: Rooms):
    sha256 = await rooms.blobs.put(ordinary())
    path = await rooms.packages.prepare(sha256)
    assert all(entry.stat().st_mode & 0o022 == 0 for entry in [path, *path.rglob("*")])
    assert os.access(path, os.R_OK | os.X_OK)
