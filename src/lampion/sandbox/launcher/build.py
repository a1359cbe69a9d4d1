"""Builds the launcher beside its sources: `python -m lampion.sandbox.launcher.build`. Knows only a C compiler."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from lampion.sandbox.driver import SandboxError

SOURCES: Final = Path(__file__).parent
LAUNCHER: Final = SOURCES / "lampion-launch"
INSTALL_COMPILER: Final = "apt-get install gcc libc6-dev"
_FLAGS: Final = ("-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror")
_COMPILE_SECONDS: Final = 120


def find_compiler() -> str | None:
    """The path of the C compiler, if there is one."""
    return shutil.which("cc") or shutil.which("gcc")


def is_current(launcher: Path = LAUNCHER, sources: Path = SOURCES) -> bool:
    """Whether the launcher exists and is no older than any of its sources."""
    if not launcher.is_file():
        return False
    built = launcher.stat().st_mtime_ns
    return all(source.stat().st_mtime_ns <= built for source in _source_files(sources))


def ensure_launcher(launcher: Path = LAUNCHER, sources: Path = SOURCES) -> Path:
    """Build what isn't there or is older than its sources. Raises SandboxError that names what is missing."""
    if is_current(launcher, sources):
        return launcher
    compiler = find_compiler()
    if compiler is None:
        raise SandboxError(f"the sandbox launcher isn't built and there is no C compiler: {INSTALL_COMPILER}")
    # Built aside and renamed, so that a server starting meanwhile never runs half a program.
    unfinished = launcher.with_name(f"{launcher.name}.{os.getpid()}")
    try:
        # A static program starts about 0.3 ms sooner; not every machine has the C library for it.
        failure = _compile(compiler, sources, unfinished, "-static") and _compile(compiler, sources, unfinished)
        if failure:
            raise SandboxError(f"the sandbox launcher doesn't compile ({INSTALL_COMPILER} may help):\n{failure}")
        unfinished.replace(launcher)
    except OSError as error:
        raise SandboxError(f"the sandbox launcher can't be built at {launcher}: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return launcher


def _source_files(sources: Path) -> list[Path]:
    return sorted(sources.glob("*.[ch]"))


def _compile(compiler: str, sources: Path, target: Path, *more: str) -> str:
    """What the compiler complained about; empty when it succeeded."""
    files = [str(file) for file in _source_files(sources) if file.suffix == ".c"]
    command = [compiler, *_FLAGS, *more, "-o", str(target), *files]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMPILE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no result within {_COMPILE_SECONDS} s"
    return "" if done.returncode == 0 else done.stderr[-2000:] or f"{compiler} ended with {done.returncode}"


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{ensure_launcher()}\n")
    except SandboxError as problem:
        sys.exit(str(problem))
