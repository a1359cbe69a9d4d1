"""A manifest tells every change of a tree, a stamp every change that the file system knows of."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampion.code.manifest import (
    Manifest,
    ManifestDamaged,
    find_damage,
    read_manifest,
    stamp,
    survey,
    write_manifest,
)


def make_tree(root: Path) -> Path:
    tree = root / "files"
    (tree / "package/empty").mkdir(parents=True)
    for name, content in {"index.py": b"x = 1\n", "package/data.bin": bytes(range(256)), "package/none": b""}.items():
        (tree / name).write_bytes(content)
        (tree / name).chmod(0o644)
    (tree / "package/link").symlink_to("data.bin")
    return tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path)


def _replaced_by_a_link(tree: Path) -> None:
    (tree / "index.py").rename(tree.parent / "elsewhere")
    (tree / "index.py").symlink_to(tree.parent / "elsewhere")


def _swapped(tree: Path) -> None:
    (tree / "index.py").rename(tree / "aside")
    (tree / "package/none").rename(tree / "index.py")
    (tree / "aside").rename(tree / "package/none")


def _relinked(tree: Path) -> None:
    (tree / "package/link").unlink()
    (tree / "package/link").symlink_to("none")


def _flip(tree: Path) -> None:
    """One bit, and the times as they were."""
    status = (tree / "package/data.bin").stat()
    with (tree / "package/data.bin").open("r+b") as file:
        file.seek(77)
        file.write(bytes([77 ^ 0x10]))
    os.utime(tree / "package/data.bin", ns=(status.st_atime_ns, status.st_mtime_ns))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a flipped bit": (_flip, "'package/data.bin' has changed"),
    "a file cut off": (lambda tree: os.truncate(tree / "index.py", 3), "'index.py' has changed"),
    "a file grown": (lambda tree: (tree / "package/none").write_bytes(b"x"), "'package/none' has changed"),
    "a file gone": (lambda tree: (tree / "index.py").unlink(), "'index.py' is missing"),
    "a file more": (lambda tree: (tree / "package/evil.py").write_text(""), "'package/evil.py' was added"),
    "a directory more": (lambda tree: (tree / "evil").mkdir(), "'evil' was added"),
    "a directory gone": (lambda tree: (tree / "package/empty").rmdir(), "'package/empty' is missing"),
    "another mode": (lambda tree: (tree / "index.py").chmod(0o666), "'index.py' has changed"),
    "set-uid": (lambda tree: (tree / "index.py").chmod(0o4755), "'index.py' has changed"),
    "another mode of the root": (lambda tree: tree.chmod(0o777), "'' has changed"),
    "a link in place of a file": (_replaced_by_a_link, "'index.py' has changed"),
    "two files swapped": (_swapped, "'index.py' has changed"),
    "another target": (_relinked, "'package/link' has changed"),
    "a pipe": (lambda tree: os.mkfifo(tree / "pipe"), "'pipe' was added"),
}


def _stamp(tree: Path, manifest: Manifest) -> int | None:
    try:
        return stamp(manifest.names(tree))
    except FileNotFoundError:
        return None


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_is_found_by_reading_and_by_the_stamp(tree: Path, damage: str):
    manifest = Manifest("", survey(tree))
    before = _stamp(tree, manifest)
    assert find_damage(tree, manifest) is None
    assert _stamp(tree, manifest) == before
    do, words = DAMAGES[damage]
    do(tree)
    assert find_damage(tree, manifest) == words
    assert _stamp(tree, manifest) != before


def test_reading_does_not_change_the_stamp(tree: Path):
    manifest = Manifest("", survey(tree))
    before = _stamp(tree, manifest)
    for path in tree.rglob("*"):
        path.is_file() and path.read_bytes()
    assert _stamp(tree, manifest) == before


def test_a_tree_that_is_gone_or_cannot_be_read_is_damaged(tree: Path):
    manifest = Manifest("", survey(tree))
    tree.rename(tree.with_name("moved"))
    damage = find_damage(tree, manifest)
    assert damage is not None
    assert "can't be read" in damage


def test_a_manifest_is_read_as_it_was_written(tree: Path):
    manifest, file = Manifest("3.12.1", survey(tree)), tree.parent / "manifest"
    write_manifest(file, manifest)
    assert read_manifest(file) == manifest


@given(at=st.integers(min_value=0), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_manifest_is_not_believed(at: int, bit: int, cut: bool):
    with tempfile.TemporaryDirectory(prefix="lampion-test-") as root:
        file = Path(root) / "manifest"
        write_manifest(file, Manifest("3.12.1", survey(make_tree(Path(root)))))
        content = bytearray(file.read_bytes())
        at %= len(content)
        content[at] ^= 1 << bit
        file.write_bytes(content[:at] if cut else content)
        with pytest.raises(ManifestDamaged):
            read_manifest(file)
