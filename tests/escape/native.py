"""Compiles the programs that probes bring along; functions may ship binaries, so an attacker does."""

import subprocess
from pathlib import Path

from lampion.sandbox.launcher.build import find_compiler

SOURCES = Path(__file__).parent / "probes" / "native"
_FLAGS = ("-std=c11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror")
_SECONDS = 120


def compile_native(target: Path) -> Path:
    """One static program of all sources: it runs in any sandbox, with no library of the host in sight."""
    compiler = find_compiler()
    assert compiler is not None, "the escape suite needs a C compiler: apt-get install gcc libc6-dev"
    sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
    subprocess.run([compiler, *_FLAGS, "-static", "-o", str(target), *sources], check=True, timeout=_SECONDS)
    target.chmod(0o755)
    return target
