"""Unpacked packages: made once, whole or not at all, thrown away when nobody needs them."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from lampion.code import archive
from lampion.code import packages as packages_module
from lampion.code.blobs import BlobMissing
from lampion.code.zip_format import BadZip
from tests.unit.code.conftest import PYTHON, Rooms, make_rooms
from tests.unit.code.zips import file, make, ordinary


async def test_a_package_is_unpacked_once_for_many_callers(rooms: Rooms, monkeypatch: pytest.MonkeyPatch):
    calls: list[Path] = []
    real = archive.extract

    def counted(zipped: bytes, target: Path, *, staging: Path) -> None:
        assert staging.is_relative_to(rooms.root / "tmp")
        calls.append(target)
        real(zipped, target, staging=staging)

    monkeypatch.setattr(packages_module, "extract", counted)
    sha256 = await rooms.blobs.put(ordinary(index__py=b"x"))
    paths = await asyncio.gather(*(rooms.packages.prepare(sha256) for _ in range(20)))
    assert set(paths) == {rooms.root / "packages" / sha256 / "files"}
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


async def test_discard_removes_it_and_prepare_brings_it_back(rooms: Rooms):
    sha256 = await rooms.blobs.put(ordinary())
    await rooms.packages.prepare(sha256)
    await asyncio.gather(rooms.packages.discard(sha256), rooms.packages.discard(sha256))
    assert rooms.unpacked() == set()
    await rooms.packages.discard(sha256)
    outcomes = await asyncio.gather(rooms.packages.prepare(sha256), rooms.packages.discard(sha256))
    assert outcomes[0] == rooms.root / "packages" / sha256 / "files"
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


async def test_each_python_gets_a_tree_with_its_bytecode_and_others_the_package_as_it_is(rooms: Rooms):
    sha256 = await rooms.blobs.put(ordinary(index__py=b"x = 1\n"))
    newer = replace(PYTHON, runtime="python3.13", version="3.13.0")
    plain, one, other = [await rooms.packages.prepare(sha256, which) for which in (None, PYTHON, newer)]
    assert [path.name for path in plain.iterdir()] == ["index.py"]
    assert (one / "__pycache__/index.cpython-312.pyc").read_bytes().endswith(b"of x = 1\n")
    assert len({plain, one, other}) == 3
    assert await rooms.packages.prepare(sha256, replace(PYTHON, runtime="nodejs22.x")) == plain
    assert [(runtime, root) for _, runtime, root in rooms.compiler.trees] == [
        ("python3.12", "/var/task"),
        ("python3.13", "/var/task"),
    ]
    assert rooms.leftovers() == []
    await rooms.packages.discard(sha256)
    assert rooms.unpacked() == set()


async def test_another_version_of_the_interpreter_compiles_anew(rooms: Rooms):
    sha256 = await rooms.blobs.put(ordinary())
    await rooms.packages.prepare(sha256, PYTHON)
    for version, compilations in (("3.12.1", 0), ("3.12.2", 1)):
        again = make_rooms(rooms.root)
        await again.packages.prepare(sha256, replace(PYTHON, version=version))
        assert len(again.compiler.trees) == compilations
        assert again.leftovers() == []


async def test_a_compiler_that_could_not_run_is_tried_again_by_the_next_server(rooms: Rooms):
    sha256 = await rooms.blobs.put(ordinary())
    rooms.compiler.error = OSError("no sandboxes today")
    for _ in range(2):
        path = await rooms.packages.prepare(sha256, PYTHON)
    assert [entry.name for entry in path.iterdir()] == ["index.py"]
    assert len(rooms.compiler.trees) == 1
    again = make_rooms(rooms.root)
    path = await again.packages.prepare(sha256, PYTHON)
    assert {entry.name for entry in path.iterdir()} == {"index.py", "__pycache__"}


async def test_sweep_sees_every_form_of_a_package(rooms: Rooms):
    live, unused = [await rooms.blobs.put(ordinary(index__py=code)) for code in (b"1", b"2")]
    for sha256 in (live, unused):
        await rooms.packages.prepare(sha256)
        await rooms.packages.prepare(sha256, PYTHON)
    await rooms.clock.advance(1000)
    assert await rooms.packages.sweep({live}, unused_seconds=500) == 2
    assert {path.name for path in (rooms.root / "packages").iterdir()} == {live, f"{live}.python3.12"}
