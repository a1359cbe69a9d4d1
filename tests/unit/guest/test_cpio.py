"""The archive has the kernel's format ("newc": Documentation/driver-api/early-userspace/buffer-format)."""

import struct

import pytest

from tests.guest.cpio import archive, character_device, directory, file

NAMES = ["inode", "mode", "uid", "gid", "links", "mtime", "size"]
NAMES += ["device_major", "device_minor", "node_major", "node_minor", "name_size", "checksum"]


def records(content: bytes) -> list[tuple[str, dict[str, int], bytes]]:
    """Name, header and content of each record, read as the kernel reads them."""
    found, position = [], 0
    while position < len(content):
        magic, *words = struct.unpack_from("6s" + "8s" * 13, content, position)
        assert magic == b"070701"
        header = dict(zip(NAMES, (int(word, 16) for word in words), strict=True))
        begin = position + 110
        name = content[begin : begin + header["name_size"]]
        assert name.endswith(b"\0")
        begin = (begin + header["name_size"] + 3) & ~3
        found.append((name[:-1].decode(), header, content[begin : begin + header["size"]]))
        position = (begin + header["size"] + 3) & ~3
    assert position == len(content)
    return found


def test_files_folders_and_devices_are_told_apart():
    content = archive([directory("dev"), character_device("dev/console", 5, 1), file("init", b"#!/x", 0o755)])
    (dev, dev_header, _), (console, console_header, _), (init, init_header, init_content), _ = records(content)
    assert (dev, dev_header["mode"], dev_header["links"]) == ("dev", 0o40755, 2)
    assert (console, console_header["mode"]) == ("dev/console", 0o20600)
    assert (console_header["node_major"], console_header["node_minor"]) == (5, 1)
    assert (init, init_header["mode"], init_header["links"], init_content) == ("init", 0o100755, 1, b"#!/x")


@pytest.mark.parametrize("size", range(9))
def test_content_of_any_length_is_aligned(size):
    name, _, content = records(archive([file("x" * (size + 1), b"c" * size), file("next", b"n")]))[0]
    assert (name, content) == ("x" * (size + 1), b"c" * size)


def test_each_entry_has_an_inode_of_its_own_or_the_kernel_would_link_them():
    found = records(archive([file("a", b"1"), file("b", b"2")]))
    assert len({header["inode"] for _, header, _ in found}) == 3


def test_the_end_is_marked():
    assert [name for name, _, _ in records(archive([]))] == ["TRAILER!!!"]
