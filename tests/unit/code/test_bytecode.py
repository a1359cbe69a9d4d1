"""Bytecode goes beside the sources that are there, and nowhere else, whatever the compiler says."""

import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampion.code.bytecode import add_bytecode, place_bytecode
from tests.unit.code.conftest import PYTHON, ScriptedCompiler, frame, unchecked

CODE = unchecked(b"code")
TAG = frame(b"", b"cpython-312")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    (made / "package").mkdir(parents=True)
    for name in ("index.py", "package/__init__.py", "data.txt"):
        (made / name).write_text("x = 1\n")
    return made


def _place(tree: Path, *frames: bytes) -> set[str]:
    """What is there that wasn't."""
    before = set(_paths(tree))
    placed = place_bytecode(tree, io.BytesIO(b"".join(frames)))
    made = set(_paths(tree)) - before
    assert placed == sum(name.endswith(".pyc") for name in made)
    return made


def _descriptor_count() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _paths(directory: Path) -> list[str]:
    return [str(path.relative_to(directory)) for path in directory.rglob("*")]


def test_each_source_gets_its_bytecode(tree: Path):
    frames = [TAG, frame(b"index.py", CODE), frame(b"package/__init__.py", unchecked(b"other"))]
    assert _place(tree, *frames) == {
        "__pycache__",
        "__pycache__/index.cpython-312.pyc",
        "package/__pycache__",
        "package/__pycache__/__init__.cpython-312.pyc",
    }
    assert (tree / "__pycache__/index.cpython-312.pyc").read_bytes() == CODE
    modes = {path.name: path.stat().st_mode & 0o7777 for path in tree.rglob("*__pycache__*")}
    assert modes == {"__pycache__": 0o755}
    assert (tree / "__pycache__/index.cpython-312.pyc").stat().st_mode & 0o7777 == 0o644


@pytest.mark.parametrize(
    "path",
    [
        b"../index.py",
        b"/etc/passwd",
        b"package/../index.py",
        b"./index.py",
        b"nothere.py",
        b"data.txt",
        b"package",
        b"",
        b"index.py\0",
        b"__pycache__/index.cpython-312.pyc",
        b"\xff.py",
    ],
)
def test_nothing_is_written_for_what_is_no_source(tree: Path, path: bytes):
    above = set(_paths(tree.parent))
    assert _place(tree, TAG, frame(path, CODE)) == set()
    assert set(_paths(tree.parent)) == above


@pytest.mark.parametrize(
    "content",
    [
        b"",
        CODE[:16],
        b"\xcb\r\r\n" + bytes(12) + b"checked by time",
        b"\xcb\r\r\n" + (3).to_bytes(4, "little") + bytes(8) + b"checked by hash",
    ],
)
def test_only_bytecode_that_is_used_unchecked_is_kept(tree: Path, content: bytes):
    assert _place(tree, TAG, frame(b"index.py", content)) == set()


@pytest.mark.parametrize("tag", [b"", b"../../x", b"cpython-312/x", b"cpython-312\n", b"pypy39", b"cpython-", b"\xff"])
def test_only_a_cache_tag_gets_into_names(tree: Path, tag: bytes):
    assert _place(tree, frame(b"", tag), frame(b"index.py", CODE)) == set()


def test_what_was_said_before_it_was_cut_off_counts(tree: Path):
    whole, cut = frame(b"index.py", CODE), frame(b"package/__init__.py", CODE)
    for length in range(len(cut)):
        for made in tree.rglob("*.pyc"):
            made.unlink()
        _place(tree, TAG, whole, cut[:length])
        assert [path.name for path in tree.rglob("*.pyc")] == ["index.cpython-312.pyc"]


def test_a_source_gets_bytecode_once(tree: Path):
    assert "__pycache__/index.cpython-312.pyc" in _place(
        tree, TAG, frame(b"index.py", CODE), frame(b"index.py", unchecked(b"again"))
    )
    assert (tree / "__pycache__/index.cpython-312.pyc").read_bytes() == CODE


def test_what_the_package_has_itself_stays(tree: Path):
    (tree / "__pycache__").mkdir()
    (tree / "__pycache__/index.cpython-312.pyc").write_bytes(b"the user's")
    (tree / "package/__pycache__").write_text("a file")
    (tree / "linked").mkdir()
    (tree / "linked/module.py").write_text("")
    (tree / "linked/__pycache__").symlink_to("../package")
    frames = [frame(name, CODE) for name in (b"index.py", b"package/__init__.py", b"linked/module.py")]
    assert _place(tree, TAG, *frames) == set()
    assert (tree / "__pycache__/index.cpython-312.pyc").read_bytes() == b"the user's"


def test_a_link_in_place_of_bytecode_is_not_followed(tree: Path):
    victim = tree.parent / "victim"
    victim.write_text("untouched")
    (tree / "__pycache__").mkdir()
    (tree / "__pycache__/index.cpython-312.pyc").symlink_to(victim)
    (tree / "package/__pycache__").mkdir()
    (tree / "package/__pycache__/__init__.cpython-312.pyc").symlink_to(tree.parent / "not there")
    assert _place(tree, TAG, frame(b"index.py", CODE), frame(b"package/__init__.py", CODE)) == set()
    assert victim.read_text() == "untouched"
    assert not (tree.parent / "not there").exists()


def test_linked_sources_and_those_behind_links_get_none(tree: Path):
    (tree / "linked.py").symlink_to("index.py")
    (tree / "elsewhere").symlink_to("package")
    assert _place(tree, TAG, frame(b"linked.py", CODE), frame(b"elsewhere/__init__.py", CODE)) == set()


def test_a_name_that_has_no_room_for_the_tag_is_left_out(tree: Path):
    name = "x" * 250 + ".py"
    (tree / name).write_text("")
    assert _place(tree, TAG, frame(name.encode(), CODE), frame(b"index.py", CODE)) == {
        "__pycache__",
        "__pycache__/index.cpython-312.pyc",
    }


@given(st.data())
def test_no_output_makes_anything_but_bytecode_of_sources(data: st.DataObject):
    paths = st.sampled_from([b"index.py", b"package/__init__.py", b"../index.py", b"data.txt", b"__pycache__/a.py"])
    noise = st.one_of(
        st.binary(max_size=64),
        st.builds(frame, st.one_of(paths, st.binary(max_size=40)), st.one_of(st.just(CODE), st.binary(max_size=40))),
    )
    said = data.draw(st.sampled_from([TAG, b""])) + b"".join(data.draw(st.lists(noise, max_size=6)))
    with tempfile.TemporaryDirectory(prefix="lampion-test-") as root:
        tree = Path(root) / "files"
        (tree / "package").mkdir(parents=True)
        for name in ("index.py", "package/__init__.py", "data.txt"):
            (tree / name).write_text("x = 1\n")
        before = set(_paths(Path(root)))
        place_bytecode(tree, io.BytesIO(said))
        assert set(_paths(Path(root))) - before <= {
            "files/__pycache__",
            "files/__pycache__/index.cpython-312.pyc",
            "files/package/__pycache__",
            "files/package/__pycache__/__init__.cpython-312.pyc",
        }
        assert (tree / "index.py").read_text() == "x = 1\n"


async def test_a_compiler_that_cannot_run_leaves_the_tree_as_it_is(tree: Path, caplog: pytest.LogCaptureFixture):
    before = set(_paths(tree.parent))
    compiler = ScriptedCompiler(error=OSError("no sandboxes today"))
    assert not await add_bytecode(tree, PYTHON, compiler, root="/var/task")
    assert set(_paths(tree.parent)) == before
    assert "no sandboxes today" in caplog.text


async def test_what_a_compiler_says_does_not_stay_on_disk(tree: Path):
    descriptors = _descriptor_count()
    assert await add_bytecode(tree, PYTHON, ScriptedCompiler(), root="/var/task")
    assert [path.name for path in tree.parent.iterdir()] == ["files"]
    assert _descriptor_count() == descriptors
    assert (tree / "__pycache__/index.cpython-312.pyc").exists()
