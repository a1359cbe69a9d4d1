"""Layers that are made to be dear: what unpacking them costs is bounded in memory, time, depth and names."""

import errno
import gzip
import io
import os
import time
from pathlib import Path

import pytest

from lampion.code.images import unpack
from lampion.code.images.streams import BadLayer, LayerStream
from lampion.code.images.unpack import Rootfs
from tests.images.making import Item, archive, directory, hard_link, link

MIB = 1024 * 1024
CHAIN = "/".join("a" * 100)
LONG = "/".join(["d" * 200] * 10)


@pytest.fixture
def rootfs(tmp_path: Path) -> Rootfs:
    return Rootfs(tmp_path / "root")


def lay(rootfs: Rootfs, *items: Item, compression: str = "") -> None:
    data = archive(*items)
    rootfs.lay(LayerStream(io.BytesIO(gzip.compress(data) if compression else data), compression, 64 * MIB))


@pytest.mark.parametrize("path", [CHAIN, LONG], ids=["deep", "long"])
def test_links_make_no_path_deeper_or_longer_than_a_name_may_be(tmp_path: Path, rootfs: Rootfs, path: str) -> None:
    """Trees are removed level by level, and moved to where their names are longer."""
    lay(rootfs, directory(path), link("l", path))
    for name in (f"l/{path}", f"l/{path}/x"):
        with pytest.raises(BadLayer, match="too deep, or too long"):
            lay(rootfs, Item(name))
    names = [str(found.relative_to(tmp_path / "root")) for found in (tmp_path / "root").rglob("*")]
    assert max(name.count("/") for name in names) < 128
    assert max(map(len, names)) <= 3000


def test_a_file_behind_a_link_has_no_longer_path_either(rootfs: Rootfs) -> None:
    lay(rootfs, directory("/".join(["d" * 200] * 14)), link("l", "/".join(["d" * 200] * 14)))
    lay(rootfs, Item("l/" + "x" * 180))
    with pytest.raises(BadLayer, match="too deep, or too long"):
        lay(rootfs, Item("l/" + "x" * 200))


def test_directories_that_no_archive_names_are_counted(rootfs: Rootfs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "ENTRIES_MAX", 8)
    lay(rootfs, Item("a/b/c/d/e"), Item("a/b/c/d/f"))
    lay(rootfs, Item("a/b/c/d/g"), directory("h"))
    with pytest.raises(BadLayer, match="more than 8 files"):
        lay(rootfs, Item("i"))


def test_names_are_counted_all_together(rootfs: Rootfs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "NAMES_BYTES_MAX", 1000)
    lay(rootfs, *(Item("n" * 100 + str(number)) for number in range(9)))
    with pytest.raises(BadLayer, match="names of its files are too long"):
        lay(rootfs, Item("n" * 100))


def test_ways_are_remembered_for_few_directories(rootfs: Rootfs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "_WAYS_MAX", 3)
    lay(rootfs, *(Item(f"{number}/file") for number in range(20)))
    assert len(rootfs._ways) <= 3


def test_what_cannot_be_made_on_a_disk_is_the_images_fault(rootfs: Rootfs) -> None:
    with pytest.raises(BadLayer, match="can't be made"):
        lay(rootfs, Item("a/b"), hard_link("a", "a/b"))
    with pytest.raises(BadLayer, match="can't be made"):
        lay(rootfs, Item("c"), hard_link("d/c", "c"), hard_link("d", "d/c"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_is_full_or_broken_is_not(rootfs: Rootfs, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fchmod", fail)
    with pytest.raises(OSError, match=os.strerror(number)):
        lay(rootfs, Item("a"))


def test_opaque_directories_in_one_another_cost_one_look(rootfs: Rootfs, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []
    hide = Rootfs._hide

    def look(rootfs: Rootfs, path: Path) -> None:
        looks.append(path)
        hide(rootfs, path)

    monkeypatch.setattr(Rootfs, "_hide", look)
    opaque = [Item(f"{'/'.join('a' * depth)}/.wh..wh..opq") for depth in range(100, 0, -1)]
    lay(rootfs, *(Item(f"{CHAIN}/{number}") for number in range(50)), *opaque, *opaque, *reversed(opaque))
    assert len(looks) == 50 + 99  # each file when the deepest one came, each directory when the one above it did


def test_an_opaque_directory_within_another_hides_what_came_from_below(tmp_path: Path, rootfs: Rootfs) -> None:
    lay(rootfs, Item("a/b/old"), Item("a/old"), Item("a/c/old"), Item("e/old"))
    lay(
        rootfs,
        Item("a/b/new"),
        Item("a/b/.wh..wh..opq"),
        Item("a/.wh..wh..opq"),
        Item("a/c/.wh..wh..opq"),
        Item("a/c/new"),
    )
    names = {str(path.relative_to(tmp_path / "root")) for path in (tmp_path / "root").rglob("*")}
    assert names == {"a", "a/b", "a/b/new", "a/c", "a/c/new", "e", "e/old"}


def test_links_that_cannot_be_looked_through_are_hidden_like_others(tmp_path: Path, rootfs: Rootfs) -> None:
    lay(rootfs, link("a/l", "t" * 300), link("a/m", "m"), Item("a/.kept"))
    lay(rootfs, Item("a/.wh..wh..opq"), Item("a/new"))
    assert [path.name for path in (tmp_path / "root/a").iterdir()] == ["new"]


def test_a_layer_of_very_many_small_members_costs_what_it_brings() -> None:
    """What a member leaves of the input was copied for each of them: 0.7 s for a megabyte."""
    data = gzip.compress(b"") * 100_000 + gzip.compress(b"end")
    began = time.process_time()
    stream = LayerStream(io.BytesIO(data), "gzip", MIB)
    assert stream.read(10) == b"end"
    assert time.process_time() - began < 0.9
    single = b"".join(gzip.compress(bytes((number % 256,))) for number in range(3000))
    assert LayerStream(io.BytesIO(single), "gzip", MIB).read(MIB) == bytes(number % 256 for number in range(3000))


def test_times_before_1970_are_those_of_1970(tmp_path: Path, rootfs: Rootfs) -> None:
    """GNU's tar writes them as negative numbers in binary form."""
    data = bytearray(archive(Item("a", modified_seconds=5)))
    data[136:148] = (-5 & (1 << 96) - 1).to_bytes(12)
    data[148:156] = b" " * 8
    data[148:155] = b"%06o\0" % sum(data[:512])
    rootfs.lay(LayerStream(io.BytesIO(bytes(data)), "", MIB))
    assert (tmp_path / "root/a").stat().st_mtime == 0.0
