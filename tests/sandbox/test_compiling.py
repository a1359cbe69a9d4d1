"""The compiler in its sandbox: it makes bytecode that interpreters use, and hostile sources get nowhere."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lampion.clock.rng import SeededRng
from lampion.code.bytecode import add_bytecode
from lampion.code.interpreters import Interpreter
from lampion.code.manifest import survey
from lampion.environments import compiling
from lampion.environments.compiling import SandboxCompiler
from lampion.sandbox.driver import Driver
from lampion.sandbox.drivers.process import ProcessDriver
from lampion.sandbox.guarded import Guarded
from tests.sandbox.boxes import CLOCK, INTERPRETER, PREFIX

TAG = sys.implementation.cache_tag
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
VERSION = ".".join(map(str, sys.version_info[:3]))
PYTHON = Interpreter(RUNTIME, VERSION, Path(sys.executable), PREFIX, INTERPRETER, ((PREFIX, "/var/lang"),))


async def _compiled(driver: Driver, tree: Path, root: str = "/var/task") -> set[str]:
    """Paths of the bytecode made, without their tag; nothing else may change."""
    before = survey(tree)
    assert await add_bytecode(tree, PYTHON, SandboxCompiler(driver, CLOCK, SeededRng(1)), root=root)
    after = survey(tree)
    kept = {entry for entry in after if "__pycache__" not in entry.path.split("/")}
    assert kept == {entry for entry in before if "__pycache__" not in entry.path.split("/")}
    made = {entry.path for entry in after} - {entry.path for entry in before}
    return {path.removesuffix(f".{TAG}.pyc") for path in made if path.endswith(".pyc")}


@pytest.fixture
def tree(task: Path) -> Path:
    made = task / "files"
    (made / "package").mkdir(parents=True)
    (made / "index.py").write_text("import package.part\nNAME = package.part.__name__\n")
    (made / "package/part.py").write_text("def f():\n    raise ValueError\n")
    return made


async def test_bytecode_is_used_without_a_look_at_the_source(driver: Driver, tree: Path):
    """The sources are replaced by ones that fail: who gets the old values didn't read them."""
    assert await _compiled(driver, tree) == {"__pycache__/index", "package/__pycache__/part"}
    for path in tree.rglob("*.py"):
        path.write_text("raise SystemExit('compiled anew')\n")
    code = "import sys; sys.path.insert(0, sys.argv[1]); import index; print(index.NAME)"
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code, tree], capture_output=True, text=True, check=True)
    assert ran.stdout == "package.part\n"


async def test_bytecode_names_the_files_where_functions_see_them(driver: Driver, tree: Path):
    await _compiled(driver, tree, root="/var/elsewhere")
    content = (tree / f"package/__pycache__/part.{TAG}.pyc").read_bytes()
    assert b"/var/elsewhere/package/part.py" in content
    assert str(tree).encode() not in content


async def test_nothing_of_the_tree_is_run(driver: Driver, tree: Path, tmp_path_factory: pytest.TempPathFactory):
    """Neither modules, nor what could pass for a standard module, a codec or a start-up file."""
    proof = tmp_path_factory.mktemp("proof") / "ran"
    hostile = f"open({str(proof)!r}, 'w').write(__file__)\n"
    names = ("index", "struct", "os", "importlib/__init__", "encodings/rot99", "sitecustomize", "resource", "warnings")
    for name in names:
        (tree / f"{name}.py").parent.mkdir(exist_ok=True)
        (tree / f"{name}.py").write_text(hostile)
    (tree / "hook.pth").write_text(f"import os; {hostile}")
    (tree / "coded.py").write_bytes(b"# -*- coding: rot99 -*-\n")
    assert "__pycache__/index" in await _compiled(driver, tree)
    assert not proof.exists()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "no Python": lambda: b"def (:\n",
    "NUL": lambda: b"x = 1\0\n",
    "no UTF-8": lambda: b"x = '\xff\xfe'\n",
    "an unknown coding": lambda: b"# coding: nosuchcode\n",
    "brackets": lambda: b"(" * 100_000 + b")" * 100_000,
    "nested": lambda: b"x = " + b"-" * 300_000 + b"1\n",
    "attributes": lambda: b"a" + b".a" * 200_000 + b"\n",
    "additions": lambda: b"1" + b"+x" * 200_000 + b"\n",
    "blocks": lambda: b"".join(b" " * depth + b"if x:\n" for depth in range(150)),
    "folding": lambda: b"x = 2 ** 2 ** 2 ** 2 ** 2 ** 2 ** 2\ny = 'a' * 4000 * 4000 * 4000\n",
    "a warning": lambda: b"x = () is 1\n",
    "a digit string": lambda: b"x = " + b"9" * 100_000 + b"\n",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_source_costs_at_most_its_own_bytecode(driver: Driver, tree: Path, name: str):
    source = HOSTILE[name]()
    (tree / "zz_hostile.py").write_bytes(source)
    made = await _compiled(driver, tree)
    # A source smaller than the others is met first; should the compiler crash over it, the rest stays without.
    assert {"__pycache__/index", "package/__pycache__/part"} <= made
    if name in {"no Python", "NUL", "no UTF-8", "an unknown coding", "a warning"}:
        assert "__pycache__/zz_hostile" not in made


async def test_names_and_depths_of_any_kind(driver: Driver, tree: Path):
    deep = tree / "/".join(["d"] * 90)
    deep.mkdir(parents=True)
    names = ["new\nline", "-W", "ümlaut", "sp ace", "'quote\"", "x" * 250]
    for name in names:
        (deep / f"{name}.py").write_text("x = 1\n")
    (tree / "dangling.py").symlink_to("nowhere")
    (tree / "loop").symlink_to(".")
    (tree / "directory.py").mkdir()
    prefix = f"{deep.relative_to(tree)}/__pycache__"
    assert await _compiled(driver, tree) == {
        "__pycache__/index",
        "package/__pycache__/part",
        *(f"{prefix}/{name}" for name in names[:-1]),
    }


async def test_what_the_package_ships_is_left_alone(driver: Driver, tree: Path):
    (tree / "__pycache__").mkdir()
    (tree / f"__pycache__/index.{TAG}.pyc").write_bytes(b"theirs")
    assert await _compiled(driver, tree) == {"package/__pycache__/part"}
    assert (tree / f"__pycache__/index.{TAG}.pyc").read_bytes() == b"theirs"


class Program:
    """Any program in the compiler's place: what a hostile source could make of it."""

    def __init__(self, directory: Path, code: str) -> None:
        directory.mkdir()
        directory.chmod(0o755)
        (directory / "compile_tree.py").write_text(code)


@pytest.mark.parametrize(
    "code",
    [
        "import os\nwhile True: os.write(1, bytes(65536))",
        "import os, time\nos.write(1, b'x' * 100)\nif os.fork() == 0: time.sleep(600)\ntime.sleep(600)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)",
        "x = []\nwhile True: x.append(bytes(1 << 24))",
        "import sys\nsys.exit(3)",
    ],
    ids=["endless", "hanging", "crashing", "greedy", "failing"],
)
async def test_a_compiler_out_of_control_is_ended(
    namespace: Driver, tree: Path, monkeypatch: pytest.MonkeyPatch, code: str
):
    Program(tree.parent / "program", code)
    monkeypatch.setattr(compiling, "_COMPILER", tree.parent / "program")
    monkeypatch.setattr(compiling, "COMPILE_SECONDS", 2.0)
    monkeypatch.setattr(compiling, "_OUTPUT_BYTES_MAX", 1 << 20)
    monkeypatch.setattr(compiling, "_MEMORY_MIB", 64)
    compiler = SandboxCompiler(namespace, CLOCK, SeededRng(1))
    descriptors: list[set[Path]] = []
    for _ in range(2):  # at its first start a driver opens what it keeps
        with tempfile.TemporaryFile() as output:
            async with asyncio.timeout(20):
                await compiler.compile(tree, PYTHON, root="/var/task", output=output.fileno())
            assert os.fstat(output.fileno()).st_size <= (1 << 20) + 65_536
        descriptors.append(set(Path("/proc/self/fd").iterdir()))
    assert descriptors[0] == descriptors[1]


async def test_a_compiler_in_its_sandbox_reaches_nothing_of_the_host(
    namespace: Driver, tree: Path, monkeypatch: pytest.MonkeyPatch
):
    code = (
        "import os, struct\n"
        "def tried(path):\n"
        "    try: os.close(os.open(path, os.O_WRONLY | os.O_CREAT)); return b'written'\n"
        "    except OSError as error: return type(error).__name__.encode()\n"
        "said = [b'%d' % (os.getuid() == 0)]\n"
        "said += [tried(path) for path in ('/var/task/index.py', '/var/task/new', '/etc/new')]\n"
        f"said.append(b'%d' % os.path.exists({str(tree)!r}))\n"
        "os.write(1, b' '.join(said))\n"
    )
    Program(tree.parent / "program", code)
    monkeypatch.setattr(compiling, "_COMPILER", tree.parent / "program")
    with tempfile.TemporaryFile() as output:
        compiler = SandboxCompiler(namespace, CLOCK, SeededRng(1))
        await compiler.compile(tree, PYTHON, root="/var/task", output=output.fileno())
        said = os.pread(output.fileno(), 1000, 0).split()
    assert said[0] == b"0"
    assert b"written" not in said
    assert said[-1] == b"0"


async def test_the_end_of_the_server_is_no_verdict_on_the_package(
    namespace: Driver, tree: Path, monkeypatch: pytest.MonkeyPatch
):
    Program(tree.parent / "program", "import os, time\nos.write(1, b'x')\ntime.sleep(600)")
    monkeypatch.setattr(compiling, "_COMPILER", tree.parent / "program")
    with tempfile.TemporaryFile() as output:
        compiler = SandboxCompiler(namespace, CLOCK, SeededRng(1))
        compiled = asyncio.create_task(compiler.compile(tree, PYTHON, root="/var/task", output=output.fileno()))
        async with asyncio.timeout(20):
            while not os.fstat(output.fileno()).st_size:
                await asyncio.sleep(0.01)
            await namespace.close()
            with pytest.raises(OSError, match="stopped"):
                await compiled


async def test_no_sandbox_is_an_error_of_the_machine(tree: Path):
    driver = Guarded(ProcessDriver(CLOCK), CLOCK)
    await driver.close()
    compiler = SandboxCompiler(driver, CLOCK, SeededRng(1))
    with tempfile.TemporaryFile() as output, pytest.raises(OSError, match="shutting down"):
        await compiler.compile(tree, PYTHON, root="/var/task", output=output.fileno())
