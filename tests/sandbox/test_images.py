"""Images: made alike from like trees, mounted as they were made, and from nobody's files but the server's."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lampion.code.images import ImageDamaged, check_image, make_image
from lampion.code.manifest import survey
from lampion.sandbox.launcher.build import SOURCES, find_compiler
from lampion.sandbox.tool_runner import SubprocessToolRunner
from tests.sandbox.boxes import CLOCK
from tests.unit.code.test_manifest import make_tree

pytestmark = pytest.mark.skipif(shutil.which("mkfs.erofs") is None, reason="images need mkfs.erofs of erofs-utils")
MOUNTS = pytest.mark.skipif(
    os.geteuid() != 0 or "erofs" not in Path("/proc/filesystems").read_text(), reason="mounting needs root and erofs"
)


class Tool:
    """As app.py wires it."""

    async def run(self, argv: Sequence[str], *, timeout_seconds: float) -> bytes:
        result = await SubprocessToolRunner(CLOCK).run(argv, timeout_seconds)
        assert result.code == 0, result.stderr
        return result.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The launcher's images.c alone."""
    compiler, built = find_compiler(), tmp_path_factory.mktemp("images") / "images.so"
    assert compiler is not None
    flags = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "-o", built, SOURCES / "images.c"], check=True)
    return built


def _mounted(library: Path, image: Path) -> subprocess.CompletedProcess[str]:
    directory = image.with_name("mounted")
    directory.mkdir(exist_ok=True)
    program = Path(__file__).with_name("mount_image.py")
    private = ["unshare", "--mount", "--propagation", "private"]
    command = [*private, sys.executable, "-B", *map(str, (program, library, image, directory))]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


async def test_an_image_depends_on_its_tree_alone(tree: Path, tmp_path: Path):
    (tmp_path / "again").mkdir()
    first = await make_image(tree, tmp_path / "first", Tool())
    assert await make_image(make_tree(tmp_path / "again"), tmp_path / "second", Tool()) == first
    (tree / "index.py").chmod(0o755)
    assert await make_image(tree, tmp_path / "third", Tool()) != first
    assert (tmp_path / "first").stat().st_mode & 0o777 == 0o600


async def test_a_flipped_bit_is_found(tree: Path, tmp_path: Path):
    image = tmp_path / "image"
    sha256 = await make_image(tree, image, Tool())
    check_image(image, sha256)
    content = bytearray(image.read_bytes())
    content[len(content) // 2] ^= 4
    image.write_bytes(content)
    with pytest.raises(ImageDamaged):
        check_image(image, sha256)


async def test_nothing_is_overwritten_by_an_image(tree: Path, tmp_path: Path):
    (tmp_path / "image").write_text("mine")
    with pytest.raises(FileExistsError):
        await make_image(tree, tmp_path / "image", Tool())
    assert (tmp_path / "image").read_text() == "mine"


@MOUNTS
async def test_what_is_mounted_is_the_tree_read_only(tree: Path, tmp_path: Path, library: Path):
    before = Path("/proc/self/mountinfo").read_text()
    await make_image(tree, tmp_path / "image", Tool())
    ran = _mounted(library, tmp_path / "image")
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    assert told["tree"] == [list(entry) for entry in msgspec.to_builtins(survey(tree))]
    assert {"ro", "nosuid", "nodev"} <= set(told["options"].split(","))
    assert told["opened"] == 4, "only the mount stays open, beside the standard ones"
    assert Path("/proc/self/mountinfo").read_text() == before


def _writable_by_others(image: Path) -> None:
    image.chmod(0o622)


def _owned_by_another(image: Path) -> None:
    os.chown(image, 12345, 12345)


def _behind_a_link(image: Path) -> None:
    image.rename(image.with_name("real"))
    image.symlink_to("real")


def _pipe(image: Path) -> None:
    image.unlink()
    os.mkfifo(image)


def _no_image(image: Path) -> None:
    image.write_bytes(bytes(8192))


@MOUNTS
@pytest.mark.parametrize(
    "change", [_writable_by_others, _owned_by_another, _behind_a_link, _pipe, _no_image, Path.unlink]
)
async def test_what_others_may_have_made_is_not_mounted(tree: Path, tmp_path: Path, library: Path, change: Any):
    await make_image(tree, tmp_path / "image", Tool())
    change(tmp_path / "image")
    ran = _mounted(library, tmp_path / "image")
    assert ran.returncode == 1
    assert ran.stderr.strip()
    assert not ran.stdout
