"""Builds the launcher beside its sources: `python -m lampion.sandbox.launcher.build`. Knows only a C compiler."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lampion.sandbox.driver import SandboxError

SOURCES: Final = Path(__file__).parent
INSTALL_COMPILER: Final = "apt-get install gcc libc6-dev"
_FLAGS: Final = ("-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror")
_COMPILE_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Product:
    """Something to compile: the sources below SOURCES, and sets of flags of which the first that works is taken."""

    name: str
    sources: tuple[str, ...]
    flags: tuple[tuple[str, ...], ...]


# A static program starts about 0.3 ms sooner; not every machine has the C library for it.
_LAUNCHER: Final = Product("lampion-launch", ("*.c", "snapshot/*.c"), (("-static",), ()))
_ZYGOTE: Final = Product(
    "lampion-zygote.so",
    ("zygote/*.c", "channel.c", "steps.c", "descriptors.c", "privileges.c", "landlock.c", "seccomp.c"),
    (("-shared", "-fPIC", "-fvisibility=hidden"),),
)
_OCI_INIT: Final = Product("lampion-oci-init", ("oci/*.c",), (("-static",), ()))
PRODUCTS: Final = (_LAUNCHER, _ZYGOTE, _OCI_INIT)
LAUNCHER: Final = SOURCES / _LAUNCHER.name
ZYGOTE: Final = SOURCES / _ZYGOTE.name
OCI_INIT: Final = SOURCES / _OCI_INIT.name


def find_compiler() -> str | None:
    """The path of the C compiler, if there is one."""
    return shutil.which("cc") or shutil.which("gcc")


def is_current(directory: Path = SOURCES) -> bool:
    """Whether all products exist and are no older than any source."""
    newest = max(source.stat().st_mtime_ns for source in directory.rglob("*.[ch]"))
    products = [directory / product.name for product in PRODUCTS]
    return all(product.is_file() and newest <= product.stat().st_mtime_ns for product in products)


def ensure_launcher(directory: Path = SOURCES) -> Path:
    """Build what isn't there or is older than its sources. Raises SandboxError that names what is missing."""
    launcher = directory / _LAUNCHER.name
    if is_current(directory):
        return launcher
    compiler = find_compiler()
    if compiler is None:
        raise SandboxError(f"the sandbox launcher isn't built and there is no C compiler: {INSTALL_COMPILER}")
    for product in PRODUCTS:
        _make(compiler, directory, product)
    return launcher


def _make(compiler: str, directory: Path, product: Product) -> None:
    target = directory / product.name
    # Built aside and renamed, so that a server starting meanwhile never runs half a program.
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        for flags in product.flags:
            failure = _compile(compiler, directory, product, unfinished, flags)
            if not failure:
                break
        else:
            raise SandboxError(f"the sandbox launcher doesn't compile ({INSTALL_COMPILER} may help):\n{failure}")
        unfinished.replace(target)
    except OSError as error:
        raise SandboxError(f"the sandbox launcher can't be built at {target}: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _compile(compiler: str, directory: Path, product: Product, target: Path, flags: tuple[str, ...]) -> str:
    """What the compiler complained about; empty when it succeeded."""
    files = [str(file) for pattern in product.sources for file in sorted(directory.glob(pattern))]
    try:
        done = subprocess.run(
            [compiler, *_FLAGS, *flags, "-o", str(target), *files],
            capture_output=True,
            text=True,
            timeout=_COMPILE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no result within {_COMPILE_SECONDS} s"
    return "" if done.returncode == 0 else done.stderr[-2000:] or f"{compiler} ended with {done.returncode}"


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{ensure_launcher()}\n")
    except SandboxError as problem:
        sys.exit(str(problem))
