"""Java functions for tests: compiled against what the runtime offers, as people's builds do it."""

import functools
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import lampion
from lampion.code.languages.java import RUNTIME_JAR

JAR = Path(lampion.__file__).parent / "runtimes" / "java" / RUNTIME_JAR
SOURCES = Path(__file__).parent / "conformance" / "java"


def tool(name: str) -> str:
    """A program of the Java that runs functions in tests."""
    found = shutil.which(name)
    assert found is not None, "run: make setup-java"
    return found


@functools.cache
def java_runtime() -> str:
    """The runtime whose Java is on PATH, such as java17."""
    told = subprocess.run([tool("java"), "-cp", str(JAR), "lampion.runtime.About"], capture_output=True, check=True)
    version: str = json.loads(told.stdout)["version"]
    return f"java{version.partition('.')[0]}"


@functools.cache
def functions_of_tests() -> Mapping[str, bytes]:
    """The classes of all functions in tests/conformance/java: whatever a test needs, its package has them all."""
    return classes(*sorted(SOURCES.rglob("*.java")))


def classes_of(texts: Mapping[str, str], *, release: int = 8) -> Mapping[str, bytes]:
    """The classes of sources given as texts by their paths."""
    with tempfile.TemporaryDirectory(prefix="lampion-test-") as directory:
        paths = [Path(directory) / name for name in texts]
        for path, text in zip(paths, texts.values(), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return classes(*paths, release=release)


def classes(*sources: Path, release: int = 8) -> Mapping[str, bytes]:
    """Class files by their paths in a package."""
    with tempfile.TemporaryDirectory(prefix="lampion-test-") as directory:
        command = [tool("javac"), "--release", str(release), "-nowarn", "-Xlint:-options", "-encoding", "UTF-8"]
        arguments = ["-cp", str(JAR), "-d", directory, *map(str, sources)]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = sorted(Path(directory).rglob("*.class"))
        return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}
