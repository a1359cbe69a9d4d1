"""Trees are verified before they are mounted: no damage goes unseen, and what is damaged is made again."""

import asyncio
import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lampion.code import trees
from lampion.code.blobs import BlobDamaged
from lampion.code.manifest import stamp, survey
from lampion.code.trees import CHECK_SECONDS
from tests.unit.code.conftest import PYTHON, Rooms, make_rooms
from tests.unit.code.test_manifest import DAMAGES
from tests.unit.code.zips import directory, file, link, make, ordinary

PACKAGE = make(
    file("index.py", b"x = 1\n"),
    file("package/data.bin", bytes(range(256))),
    file("package/none", b"", method=0),
    directory("package/empty/"),
    link("package/link", "data.bin"),
)


async def _prepared(rooms: Rooms, zipped: bytes = PACKAGE) -> tuple[str, Path]:
    sha256 = await rooms.blobs.put(zipped)
    return sha256, await rooms.packages.prepare(sha256, PYTHON)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_damage_between_two_servers_is_mended_from_the_blob(
    rooms: Rooms, damage: str, caplog: pytest.LogCaptureFixture
):
    sha256, path = await _prepared(rooms)
    whole = survey(path)
    do, words = DAMAGES[damage]
    do(path)
    assert survey(path) != whole

    again = make_rooms(rooms.root)
    await again.packages.open()
    assert await again.packages.prepare(sha256, PYTHON) == path
    assert survey(path) == whole
    assert words in caplog.text


@pytest.mark.parametrize("damage", DAMAGES)
async def test_damage_under_a_running_server_is_mended_at_the_next_look(rooms: Rooms, damage: str):
    sha256, path = await _prepared(rooms)
    whole = survey(path)
    DAMAGES[damage][0](path)
    await rooms.clock.advance(CHECK_SECONDS)
    assert await rooms.packages.prepare(sha256, PYTHON) == path
    assert survey(path) == whole


async def test_what_is_set_aside_stays_for_those_who_have_it_mounted_until_the_next_start(rooms: Rooms):
    sha256, path = await _prepared(rooms)
    mounted = os.open(path, os.O_RDONLY)
    try:
        (path / "index.py").chmod(0o600)
        await rooms.clock.advance(CHECK_SECONDS)
        await rooms.packages.prepare(sha256, PYTHON)
        assert set(os.listdir(mounted)) == {"__pycache__", "index.py", "package"}  # noqa: PTH208
    finally:
        os.close(mounted)
    again = make_rooms(rooms.root)
    await again.packages.open()
    assert again.leftovers() == []


async def test_a_tree_that_was_only_touched_is_read_and_kept(rooms: Rooms):
    sha256, path = await _prepared(rooms)
    inode = path.stat().st_ino
    (path / "index.py").touch()
    await rooms.clock.advance(CHECK_SECONDS)
    assert (await rooms.packages.prepare(sha256, PYTHON)).stat().st_ino == inode
    assert len(rooms.compiler.trees) == 1


async def test_a_sound_tree_is_read_once_and_looked_at_once_a_second(rooms: Rooms, monkeypatch: pytest.MonkeyPatch):
    sha256, path = await _prepared(rooms)
    looks: list[int] = []

    def counted(names: tuple[str, ...]) -> int:
        looks.append(len(names))
        return stamp(names)

    monkeypatch.setattr(trees, "stamp", counted)
    monkeypatch.setattr(trees, "find_damage", lambda *_: pytest.fail("read again"))
    for _ in range(3):
        assert await rooms.packages.prepare(sha256, PYTHON) == path
    assert looks == []
    await rooms.clock.advance(CHECK_SECONDS)
    for _ in range(3):
        await rooms.packages.prepare(sha256, PYTHON)
    assert looks == [len(survey(path))]


async def test_a_damaged_blob_is_never_run(rooms: Rooms):
    sha256, path = await _prepared(rooms)
    (path / "index.py").write_text("x = 2\n")
    blob = rooms.root / "blobs" / sha256[:2] / sha256
    content = bytearray(blob.read_bytes())
    content[len(content) // 2] ^= 1
    blob.write_bytes(content)
    again = make_rooms(rooms.root)
    await again.packages.open()
    for _ in range(2):
        with pytest.raises(BlobDamaged):
            await again.packages.prepare(sha256, PYTHON)
    assert again.unpacked() == set()


@pytest.mark.parametrize("content", [None, b"", b"0" * 64 + b"\n{}"])
async def test_a_tree_without_a_true_manifest_is_made_again(rooms: Rooms, content: bytes | None):
    sha256, path = await _prepared(rooms)
    file = path.with_name("manifest")
    file.unlink() if content is None else file.write_bytes(content)
    (path / "index.py").write_text("x = 2\n")
    again = make_rooms(rooms.root)
    assert (await again.packages.prepare(sha256, PYTHON) / "index.py").read_text() == "x = 1\n"


@settings(deadline=None, max_examples=40)
@given(data=st.data())
async def test_no_random_damage_is_ever_mounted(data: st.DataObject):
    with tempfile.TemporaryDirectory(prefix="lampion-test-") as root:
        rooms = make_rooms(Path(root))
        sha256, path = await _prepared(rooms)
        whole = survey(path)
        for _ in range(data.draw(st.integers(1, 3))):
            _damage(path.parent, data)
        again = make_rooms(Path(root))
        await again.packages.open()
        assert survey(await again.packages.prepare(sha256, PYTHON)) == whole


def _damage(container: Path, data: st.DataObject) -> None:
    names = sorted(str(path.relative_to(container)) for path in container.rglob("*"))
    path = container / data.draw(st.sampled_from(names))
    if not os.path.lexists(path):
        return
    kind = data.draw(st.sampled_from(["flip", "cut", "remove", "mode", "add"]))
    if kind == "mode" and not path.is_symlink():
        path.chmod(data.draw(st.integers(0, 0o777)) | stat.S_IRWXU)
    elif kind == "add" and path.is_dir() and not path.is_symlink():
        (path / data.draw(st.sampled_from(["index.py", "new.py", "__init__.py"]))).write_text("evil")
    elif kind == "remove" and (path.is_file() or path.is_symlink()):
        path.unlink()
    elif path.is_file() and not path.is_symlink() and (content := bytearray(path.read_bytes())):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content[:at] if kind == "cut" else content)


async def test_kill_nine_between_two_steps_leaves_nothing_that_is_taken_for_a_tree(rooms: Rooms):
    sha256 = await rooms.blobs.put(ordinary())
    half = rooms.root / "tmp" / "tree-half"
    (half / "files").mkdir(parents=True)
    (half / "manifest").write_text("half")
    again = make_rooms(rooms.root)
    await again.packages.open()
    assert again.leftovers() == []
    assert (await again.packages.prepare(sha256, PYTHON) / "index.py").is_file()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("steps", range(5))
async def test_who_comes_just_when_damage_was_found_waits_for_what_mends_it(rooms: Rooms, steps: int):
    sha256, path = await _prepared(rooms)
    whole = survey(path)
    (path / "index.py").write_text("x = 2\n")
    await rooms.clock.advance(CHECK_SECONDS)

    async def come_later() -> Path:
        for _ in range(steps):
            await asyncio.sleep(0)
        return await rooms.packages.prepare(sha256, PYTHON)

    assert set(await asyncio.gather(rooms.packages.prepare(sha256, PYTHON), come_later())) == {path}
    assert survey(path) == whole
