"""The runtime's own files get bytecode in the data directory, whatever the installation allows."""

from dataclasses import replace
from pathlib import Path

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.code.manifest import survey
from lampion.code.runtime_trees import RuntimeTrees
from tests.unit.code.conftest import PYTHON, ScriptedCompiler


class Installation:
    """A server's runtimes; a second `trees()` is a restart."""

    def __init__(self, root: Path) -> None:
        self.sources, self.root = root / "sources", root
        for directory in (self.sources / "python", self.sources / "nodejs", root / "runtimes", root / "tmp"):
            directory.mkdir(parents=True)
        (self.sources / "python/bootstrap.py").write_text("start = 1\n")
        self.compiler = ScriptedCompiler()
        self.clock = VirtualClock()

    def trees(self) -> RuntimeTrees:
        self.compiler = ScriptedCompiler(error=self.compiler.error)
        directories = (self.sources, self.root / "sdk", self.root / "runtimes", self.root / "tmp")
        return RuntimeTrees(*directories, self.clock, self.compiler)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


async def test_each_python_gets_bytecode_and_the_installation_is_left_alone(installation: Installation):
    before = survey(installation.sources)
    trees = installation.trees()
    one, other = [await trees.prepare(replace(PYTHON, runtime=name)) for name in ("python3.12", "python3.13")]
    assert one != other
    assert sorted(str(path.relative_to(one)) for path in one.rglob("*")) == [
        "__pycache__",
        "__pycache__/bootstrap.cpython-312.pyc",
        "bootstrap.py",
    ]
    assert {root for _, _, root in installation.compiler.trees} == {"/var/runtime"}
    assert survey(installation.sources) == before
    assert one.stat().st_mode & 0o777 == 0o755


async def test_it_is_made_again_for_another_lampion_and_for_another_interpreter(installation: Installation):
    await installation.trees().prepare(PYTHON)
    for change, compilations in ((None, 0), ("start = 2\n", 1), (None, 0)):
        if change is not None:
            (installation.sources / "python/bootstrap.py").write_text(change)
        tree = await installation.trees().prepare(PYTHON)
        assert len(installation.compiler.trees) == compilations
    assert (tree / "__pycache__/bootstrap.cpython-312.pyc").read_bytes().endswith(b"of start = 2\n")
    await installation.trees().prepare(replace(PYTHON, version="3.12.2"))
    assert len(installation.compiler.trees) == 1


async def test_damage_is_mended(installation: Installation):
    tree = await installation.trees().prepare(PYTHON)
    (tree / "bootstrap.py").write_text("evil = 1\n")
    assert (await installation.trees().prepare(PYTHON) / "bootstrap.py").read_text() == "start = 1\n"


async def test_other_languages_and_trouble_use_the_installation_itself(
    installation: Installation, caplog: pytest.LogCaptureFixture
):
    assert await installation.trees().prepare(replace(PYTHON, runtime="nodejs22.x")) == installation.sources / "nodejs"
    (installation.root / "runtimes").rmdir()
    assert await installation.trees().prepare(PYTHON) == installation.sources / "python"
    assert "python3.12 starts slower than it could" in caplog.text


async def test_all_but_java_s_are_made_ahead_of_the_first_function(installation: Installation):
    names = ("python3.12", "python3.13")
    java = replace(PYTHON, runtime="java17", version="17.0.1")
    await installation.trees().prepare_all([*(replace(PYTHON, runtime=name) for name in names), java])
    assert sorted(path.name for path in (installation.root / "runtimes").iterdir()) == list(names)


def put_sdk(installation: Installation, runtime: str, **files: str) -> None:
    for path, content in files.items():
        file = installation.root / "sdk" / runtime / path.replace("__", "/", 1)
        file = file.with_suffix(".py") if runtime.startswith("python") else file.with_suffix(".json")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


async def test_an_installed_sdk_lies_beside_the_runtimes_own_files_and_replaces_none(installation: Installation):
    own = {"boto3____init__": "__version__ = '1.2.3'\n", "botocore____init__": "", "bootstrap": "evil = 1\n"}
    put_sdk(installation, "python3.12", **own)
    (installation.root / "sdk/python3.12/link.py").symlink_to("/etc/passwd")
    tree = await installation.trees().prepare(PYTHON)
    assert (tree / "bootstrap.py").read_text() == "start = 1\n"
    assert (tree / "boto3/__init__.py").read_text() == "__version__ = '1.2.3'\n"
    assert (tree / "boto3/__pycache__/__init__.cpython-312.pyc").is_file()
    assert (tree / "boto3").stat().st_mode & 0o777 == 0o755
    assert not (tree / "link.py").is_symlink()
    other = await installation.trees().prepare(replace(PYTHON, runtime="python3.13"))
    assert not (other / "boto3").exists()


async def test_another_sdk_takes_effect_with_the_next_server(installation: Installation):
    put_sdk(installation, "python3.12", boto3____init__="__version__ = '1'\n", botocore____init__="")
    trees = installation.trees()
    tree = await trees.prepare(PYTHON)
    put_sdk(installation, "python3.12", boto3____init__="__version__ = '22'\n")
    assert (await trees.prepare(PYTHON) / "boto3/__init__.py").read_text() == "__version__ = '1'\n"
    assert (await installation.trees().prepare(PYTHON) / "boto3/__init__.py").read_text() == "__version__ = '22'\n"
    assert len(installation.compiler.trees) == 1
    (installation.root / "sdk/python3.12/boto3/__init__.py").unlink()
    tree = await installation.trees().prepare(PYTHON)
    assert sorted(path.name for path in tree.iterdir()) == ["__pycache__", "bootstrap.py"]


async def test_a_language_without_bytecode_gets_a_tree_only_with_an_sdk(installation: Installation):
    (installation.sources / "nodejs/warm").mkdir()
    (installation.sources / "nodejs/warm/module.mjs").write_text("export const a = 1;")
    node = replace(PYTHON, runtime="nodejs22.x", version="22.1.0")
    package = "node_modules__@aws-sdk/client-lambda/package"
    put_sdk(installation, "nodejs22.x", **{package: '{"version": "3.4.5"}'})
    tree = await installation.trees().prepare(node)
    assert tree == installation.root / "runtimes/nodejs22.x/files"
    assert (tree / "warm/module.mjs").is_file()
    assert (tree / "node_modules/@aws-sdk/client-lambda/package.json").is_file()
    assert installation.compiler.trees == []
    (installation.root / "sdk/nodejs22.x/node_modules/@aws-sdk/client-lambda/package.json").unlink()
    assert await installation.trees().prepare(node) == installation.sources / "nodejs"
    assert not tree.exists()


@pytest.mark.parametrize(("has_sdk", "seconds"), [(False, 1.0), (True, 60.0)])
async def test_damage_is_seen_at_the_next_look_which_is_rarer_with_an_sdk(
    installation: Installation, has_sdk: bool, seconds: float
):
    if has_sdk:
        put_sdk(installation, "python3.12", boto3____init__="", botocore____init__="")
    trees = installation.trees()
    tree = await trees.prepare(PYTHON)
    (tree / "bootstrap.py").write_text("evil = 1\n")
    await installation.clock.advance(seconds - 0.1)
    assert (await trees.prepare(PYTHON) / "bootstrap.py").read_text() == "evil = 1\n"
    await installation.clock.advance(0.2)
    assert (await trees.prepare(PYTHON) / "bootstrap.py").read_text() == "start = 1\n"
