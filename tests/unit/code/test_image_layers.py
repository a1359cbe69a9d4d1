"""Layers laid over one another, of honest images and of hostile ones."""

import io
import os
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lampion.code.images.streams import BadLayer, LayerStream
from lampion.code.images.unpack import Rootfs
from tests.images.making import Item, archive, directory, hard_link, link

MIB = 1024 * 1024
Lay = Callable[..., Path]


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    """`lay(archive, ...)` unpacks them over one another; the root."""

    def unpack(*archives: bytes, most_bytes: int = MIB) -> Path:
        rootfs = Rootfs(tmp_path / "root")
        for data in archives:
            rootfs.lay(LayerStream(io.BytesIO(data), "", most_bytes))
        return tmp_path / "root"

    return unpack


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_files_keep_their_content_modes_and_times_but_no_special_bits(lay: Lay) -> None:
    root = lay(
        archive(
            directory("usr/bin/", 0o1777),
            Item("usr/bin/su", b"\x7fELF", 0o6755, modified_seconds=1_600_000_000.5),
            Item("./etc/shadow", b"secret", 0o000),
        )
    )
    program = root / "usr/bin/su"
    assert program.read_bytes() == b"\x7fELF"
    assert program.stat().st_mode & 0o7777 == 0o755
    assert program.stat().st_mtime == 1_600_000_000.5
    assert (root / "usr/bin").stat().st_mode & 0o7777 == 0o777
    assert (root / "etc/shadow").stat().st_mode & 0o7777 == 0o400


def test_long_names_and_names_of_all_letters_survive(lay: Lay) -> None:
    long, odd = "/".join(["part" * 20] * 10), "Főtanúsítvány = ☃"
    pax = archive(Item(long, b"1"), Item(odd, b"2"))
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w", format=tarfile.GNU_FORMAT) as tar:
        info = tarfile.TarInfo("gnu/" + long)
        info.size = 1
        tar.addfile(info, io.BytesIO(b"3"))
        info = tarfile.TarInfo("gnu/link")
        info.type, info.linkname = tarfile.SYMTYPE, "t" * 300
        tar.addfile(info)
    root = lay(pax, memory.getvalue())
    assert [(root / name).read_bytes() for name in (long, odd, "gnu/" + long)] == [b"1", b"2", b"3"]
    assert str((root / "gnu/link").readlink()) == "t" * 300


def test_a_name_may_be_as_long_as_a_disk_takes(lay: Lay) -> None:
    root = lay(archive(Item("n" * 255), link("l", "t" * 4095)))
    assert sorted(os.listdir(root)) == ["l", "n" * 255]  # noqa: PTH208 - what looks at links can't take this one
    assert len(str((root / "l").readlink())) == 4095


def test_a_whiteout_hides_what_lower_layers_have_and_nothing_of_its_own(lay: Lay) -> None:
    lower = archive(Item("a/gone"), Item("a/stays"), Item("b/x/deep"), Item("b/y"), Item("c/old"))
    upper = archive(
        Item("a/.wh.gone"),
        Item("b/new"),
        Item("b/.wh..wh..opq"),
        Item("b/x/newer"),
        Item("c/both", b"own"),
        Item("c/.wh.both"),
        Item("c/.wh.old"),
        Item(".wh..wh.plnk"),
    )
    assert names(lay(lower, upper)) == ["a", "a/stays", "b", "b/new", "b/x", "b/x/newer", "c", "c/both"]


def test_an_opaque_directory_keeps_what_its_own_layer_put_there_before(lay: Lay) -> None:
    lower, upper = archive(Item("b/x/deep"), Item("b/y")), archive(Item("b/x/newer"), Item("b/.wh..wh..opq"))
    assert names(lay(lower, upper)) == ["b", "b/x", "b/x/newer"]


def test_anything_may_take_the_place_of_anything(lay: Lay) -> None:
    lower = archive(Item("file"), Item("directory/inside"), link("link", "directory"), Item("kept/inside"))
    upper = archive(Item("file/now"), Item("directory", b"now"), directory("link"), directory("kept", 0o700))
    root = lay(lower, upper)
    assert names(root) == ["directory", "file", "file/now", "kept", "kept/inside", "link"]
    assert (root / "directory").read_bytes() == b"now"
    assert not (root / "link").is_symlink()


def test_a_hard_link_is_the_same_file_until_a_layer_replaces_it(lay: Lay) -> None:
    lower = archive(Item("a", b"one"), hard_link("b", "a"), hard_link("c", "./a"))
    root = lay(lower, archive(Item("a", b"two")))
    assert [(root / name).read_bytes() for name in "abc"] == [b"two", b"one", b"one"]
    assert (root / "b").stat().st_ino == (root / "c").stat().st_ino


def test_paths_through_links_of_the_image_stay_in_the_image(lay: Lay) -> None:
    """/lib -> usr/lib is usual, and absolute links are; each leads from the image's root."""
    lower = archive(directory("usr/lib"), link("lib", "usr/lib"), link("abs", "/usr"), link("up", "usr/lib/../.."))
    root = lay(lower, archive(Item("lib/one", b"1"), Item("abs/lib/two", b"2"), Item("up/three", b"3")))
    assert names(root) == ["abs", "lib", "three", "up", "usr", "usr/lib", "usr/lib/one", "usr/lib/two"]
    assert (root / "lib").is_symlink()


def test_a_directory_that_becomes_a_link_leads_later_files_of_the_layer_where_it_leads(lay: Lay) -> None:
    root = lay(archive(Item("a/one"), Item("b/two"), Item("c/x")), archive(link("a", "b"), Item("a/three")))
    assert names(root) == ["a", "b", "b/three", "b/two", "c", "c/x"]


def test_a_directory_that_becomes_a_link_upwards_leads_nothing_out(lay: Lay, tmp_path: Path) -> None:
    """What was found out about a way counts no more when something on it is replaced."""
    (tmp_path / "out").mkdir()
    with pytest.raises(BadLayer, match="leads out"):
        lay(archive(Item("a/b/one")), archive(Item("a/b/two"), link("a", "../out"), Item("a/b/three")))
    assert list((tmp_path / "out").iterdir()) == []


def test_links_that_lead_nowhere_are_kept_as_they_are(lay: Lay) -> None:
    root = lay(archive(link("a", "../../../../etc/passwd"), link("b", "/nowhere"), link("c", "c")))
    assert [str((root / name).readlink()) for name in "abc"] == ["../../../../etc/passwd", "/nowhere", "c"]


def test_what_sandboxes_have_of_their_own_is_left_out(lay: Lay) -> None:
    device = Item("dev/null", kind=tarfile.CHRTYPE)
    assert names(lay(archive(device, Item("proc/x"), Item("sys/y"), Item("tmp/kept")))) == ["tmp", "tmp/kept"]


HOSTILE = {
    "a path upwards": archive(Item("../outside")),
    "a path upwards behind a directory": archive(Item("a/../../outside")),
    "an absolute path": archive(Item("/outside")),
    "a file through a link upwards": archive(link("a", "../.."), Item("a/outside")),
    "a file through links in a circle": archive(link("a", "b"), link("b", "a"), Item("a/x")),
    "a whiteout through a link upwards": archive(link("a", ".."), Item("a/.wh.outside")),
    "a whiteout of everything above": archive(Item("a/.wh...")),
    "a whiteout of no name": archive(Item("a/.wh.")),
    "a hard link upwards": archive(hard_link("a", "../outside")),
    "a hard link to an absolute path": archive(hard_link("a", "/etc/hostname")),
    "a hard link through a link upwards": archive(link("a", ".."), hard_link("b", "a/outside")),
    "a hard link to nothing": archive(hard_link("a", "b")),
    "a hard link to a directory": archive(directory("b"), hard_link("a", "b")),
    "a device": archive(Item("a", kind=tarfile.BLKTYPE)),
    "a character device": archive(Item("etc/null", kind=tarfile.CHRTYPE)),
    "a fifo": archive(Item("a", kind=tarfile.FIFOTYPE)),
    "a link without a target": archive(link("a", "")),
    "a file in a file": archive(Item("a"), Item("a/b"), hard_link("c", "a/b/d")),
    "a name that is too long": archive(Item("a" * 256)),
    "a name that is not UTF-8": archive(Item(b"caf\xe9".decode("utf-8", "surrogateescape"))),
    "a link that is not UTF-8": archive(link("a", b"caf\xe9".decode("utf-8", "surrogateescape"))),
    "a path that is too long": archive(Item("/".join(["x" * 200] * 20))),
    "names that are too deep": archive(Item("/".join("a" * 200))),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_path_tricks_are_refused_and_touch_nothing_outside(lay: Lay, tmp_path: Path, hostile: bytes) -> None:
    (tmp_path / "outside").write_bytes(b"untouched")
    with pytest.raises(BadLayer):
        lay(hostile)
    assert (tmp_path / "outside").read_bytes() == b"untouched"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "root"]


def test_a_link_of_a_lower_layer_leads_an_upper_one_nowhere_else(lay: Lay, tmp_path: Path) -> None:
    with pytest.raises(BadLayer, match="leads out"):
        lay(archive(link("a", str(Path("..", tmp_path.name)))), archive(Item("a/x")))


def test_links_that_lead_round_and_round_cost_little_and_nothing_is_written_through_them(lay: Lay) -> None:
    links = [link(f"l{number}", "/".join([f"l{number + 1}/.."] * 500)) for number in range(30)]
    with pytest.raises(BadLayer, match="leads out"):
        lay(archive(*links, directory("l30/x"), Item("l0/file")))


def test_a_file_of_users_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    rootfs = Rootfs(tmp_path / "root")
    base = archive(Item("etc/passwd", b"x" * (2 * MIB)), Item("etc/hosts", b"h"))
    rootfs.lay(LayerStream(io.BytesIO(base), "", 4 * MIB))
    rootfs.furnish()
    assert (tmp_path / "root/etc/passwd").stat().st_size == 2 * MIB


def test_a_file_in_place_of_etc_stays(tmp_path: Path) -> None:
    rootfs = Rootfs(tmp_path / "root")
    rootfs.lay(LayerStream(io.BytesIO(archive(Item("etc", b"odd"))), "", MIB))
    rootfs.furnish()
    assert (tmp_path / "root/etc").read_bytes() == b"odd"


def header(name: bytes, kind: bytes, size: bytes, *, magic: bytes = b"ustar\x0000") -> bytes:
    block = bytearray(512)
    block[: len(name)], block[100:107], block[124 : 124 + len(size)] = name, b"0000644", size
    block[156:157], block[257:265], block[148:156] = kind, magic, b" " * 8
    block[148:155] = b"%06o\0" % sum(block)
    return bytes(block)


BROKEN = {
    "no archive at all": b"x" * 1024,
    "an end in the middle of a file": archive(Item("a", b"x" * 5000))[:2000],
    "an end in the middle of a header": archive(Item("a"))[:300],
    "a wrong checksum": b"y" + archive(Item("a"))[1:],
    "a size beyond all": header(b"a", b"0", b"\x80" + b"\xff" * 11),
    "a negative size": header(b"a", b"0", b"\xff" * 12),
    "a size that is no number": header(b"a", b"0", b"12x45678901"),
    "a header of a gigabyte": header(b"a", b"x", b"10000000000"),
    "a name of a gigabyte": header(b"a", b"L", b"10000000000"),
    "headers without end": (header(b"a", b"x", b"00000000000")) * 100,
    "a record that isn't one": header(b"a", b"x", b"00000000012") + b"7 =abcdefg".ljust(512, b"\0"),
    "a record longer than all": header(b"a", b"x", b"00000000012") + b"999 a=bcde".ljust(512, b"\0"),
    "a sparse file": header(b"a", b"S", b"00000000000"),
    "an unknown kind": header(b"a", b"V", b"00000000000"),
    "a time that is no number": archive(Item("a", modified_seconds=1e9 + 0.5)).replace(
        b"1000000000.5", b"nan         "
    ),
    "a time that is none": archive(Item("é" * 80)).replace(b"path=", b"mtime=", 1)[:512]
    + b"13 mtime=now\n".ljust(512, b"\0")
    + header(b"a", b"0", b"00000000000"),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_archives_that_are_broken_are_refused(lay: Lay, broken: bytes) -> None:
    with pytest.raises(BadLayer):
        lay(broken)


def test_more_than_an_image_may_hold_is_refused_before_it_is_written(lay: Lay, tmp_path: Path) -> None:
    with pytest.raises(BadLayer, match="10 GB"):
        lay(archive(Item("a", b"x" * 3 * MIB)))
    assert (tmp_path / "root/a").stat().st_size <= MIB


def test_too_many_names_in_the_root_directory_are_refused(tmp_path: Path) -> None:
    rootfs = Rootfs(tmp_path / "root")
    rootfs.lay(LayerStream(io.BytesIO(archive(*(Item(f"n{number}") for number in range(101)))), "", MIB))
    with pytest.raises(BadLayer, match="root directory"):
        rootfs.furnish()


def test_a_sandboxs_user_has_a_name_and_its_own_files_have_places(lay: Lay, tmp_path: Path) -> None:
    rootfs = Rootfs(tmp_path / "root")
    base = archive(
        Item("etc/passwd", b"root:x:0:0::/:/bin/sh"),
        Item("etc/hosts", b"10.0.0.1 db\n"),
        link("etc/resolv.conf", "/run/r"),
    )
    rootfs.lay(LayerStream(io.BytesIO(base), "", MIB))
    rootfs.furnish()
    etc = tmp_path / "root/etc"
    assert (etc / "passwd").read_text().splitlines() == [
        "root:x:0:0::/:/bin/sh",
        "sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin",
    ]
    assert (etc / "hosts").read_bytes() == b"10.0.0.1 db\n"
    assert (etc / "resolv.conf").is_file()
    assert not (etc / "resolv.conf").is_symlink()


def test_checksums_of_signed_bytes_are_taken_too(lay: Lay) -> None:
    block = bytearray(header("é".encode(), b"0", b"00000000000"))
    blank = block[:148] + b" " * 8 + block[156:]
    block[148:155] = b"%06o\0" % (sum(struct.unpack("512b", blank)) & 0o777777)
    assert names(lay(bytes(block))) == ["é"]
