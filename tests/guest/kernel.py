"""Debian's kernel and a first file tree for the guest, made in a directory that git ignores; nothing is installed."""

import io
import platform
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.guest.cpio import Entry, archive, character_device, directory, file
from tests.guest.modules import canonical, dependencies, load_order

CACHE: Final = Path(__file__).parent.parent.parent / ".guest"
MODULES: Final = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
"""What the guest can't do without; `overlay` also for the sandboxes in it."""

_KERNEL: Final = "linux-image-amd64"  # the kernel for clouds has no 9p
_INIT: Final = Path(__file__).with_name("init")


class NoKernel(Exception):
    """There is no kernel for this guest; the message says why."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel's image, and the folder with its modules."""

    version: str
    image: Path
    modules: Path


def fetch_kernel(cache: Path = CACHE) -> Kernel:
    """Debian's current kernel, downloaded when `cache` hasn't got it yet."""
    known = _kernel_in(cache)
    if known is not None:
        return known
    if platform.machine() != "x86_64":
        raise NoKernel("the guest runs this machine's programs, which must be those of x86-64")
    cache.mkdir(exist_ok=True)
    for package in (_newest_kernel(), "busybox-static"):
        _unpack(_download(package, cache), cache)
    kernel = _kernel_in(cache)
    assert kernel is not None, f"{_KERNEL} holds no kernel"
    return kernel


def first_tree(kernel: Kernel, more_modules: Sequence[str] = (), cache: Path = CACHE) -> bytes:
    """The archive with which the kernel starts: a shell with tools, the modules, and the script `init`.

    Raises NoKernel when there is no such module.
    """
    paths = {canonical(path.stem): path for path in kernel.modules.rglob("*.ko")}
    builtin = {canonical(Path(line).stem) for line in (kernel.modules / "modules.builtin").read_text().splitlines()}

    def needs(name: str) -> tuple[str, ...]:
        if name not in paths:
            raise NoKernel(f"Linux {kernel.version} has no module {name}")
        return dependencies(paths[name].read_bytes())

    order = load_order((*MODULES, *more_modules), builtin, needs)
    return archive(_entries(order, paths, cache))


def _entries(order: Sequence[str], paths: dict[str, Path], cache: Path) -> Iterator[Entry]:
    yield directory("dev")
    yield character_device("dev/console", 5, 1)  # without it the first process has no output
    yield file("busybox", (cache / "bin/busybox").read_bytes(), 0o755)
    yield file("init", _INIT.read_bytes(), 0o755)
    yield directory("modules")
    yield file("modules/order", "".join(f"{name}\n" for name in order).encode())
    for name in order:
        yield file(f"modules/{name}.ko", paths[name].read_bytes())


def _kernel_in(cache: Path) -> Kernel | None:
    for image in sorted(cache.glob("boot/vmlinuz-*")):
        version = image.name.removeprefix("vmlinuz-")
        modules = cache / "lib/modules" / version
        if (modules / "modules.builtin").exists() and (cache / "bin/busybox").exists():
            return Kernel(version, image, modules)
    return None


def _newest_kernel() -> str:
    """The package that the one without a version stands for today."""
    told = _apt("apt-cache", "depends", _KERNEL)
    names = [line.split()[-1] for line in told.splitlines() if line.strip().startswith("Depends:")]
    return next(name for name in names if name.startswith("linux-image-"))


def _download(package: str, cache: Path) -> Path:
    # apt's own user need not be able to write here.
    _apt("apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", package, directory=cache)
    return next(cache.glob(f"{package}_*.deb"))


def _unpack(package: Path, cache: Path) -> None:
    """What we use of a package; the package itself is removed."""
    content = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        wanted = [member for member in tar if member.name.startswith(("./boot/vmlinuz", "./lib/modules", "./bin/busy"))]
        tar.extractall(cache, wanted, filter="tar")
    package.unlink()


def _apt(*command: str, directory: Path | None = None) -> str:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoKernel(f"{' '.join(command)}: {done.stderr.strip()}; apt-get update may help")
    return done.stdout
