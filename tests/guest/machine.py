"""One run of the guest under qemu: the command goes in through a directory, the exit code comes out of it.

The guest sees the host's file tree read-only and has no network. It ends with this process, however that ends.
"""

import ctypes
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.guest.kernel import CACHE, fetch_kernel, first_tree

CHECKOUT: Final = CACHE.parent
EXCHANGE: Final = Path("/run/lampion-guest")
"""Where the guest finds the directory that it shares with the host."""
RESULTS: Final = EXCHANGE / "results"
"""For whatever the command wants to leave to the host; every user may write there."""

_CONSOLE_LINES: Final = 15
_SET_PARENT_DEATH_SIGNAL: Final = 1


class GuestFailed(Exception):
    """The guest ended without an exit code, or ran longer than it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What runs in the guest. `as_user`: as an ordinary user to whom a cgroup is delegated, instead of as root."""

    argv: tuple[str, ...]
    environ: dict[str, str] = field(default_factory=dict)
    as_user: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What the guest is made of."""

    memory_mib: int = 2048
    processors: int = 2
    modules: tuple[str, ...] = ()


def run(
    job: Job, hardware: Hardware, limit_seconds: float, collect: Callable[[Path], None] = lambda _results: None
) -> int:
    """The command's exit code; its output appears on our standard output while it runs.

    `collect` is called at the end with what the guest knows as RESULTS, which is then removed. Raises GuestFailed.
    """
    kernel = fetch_kernel()
    with tempfile.TemporaryDirectory(prefix="run-", dir=CACHE) as name:
        exchange = Path(name, "exchange")
        results = exchange / RESULTS.name
        results.mkdir(parents=True)
        results.chmod(0o777)  # whatever the umask says; above it lies a directory of ours alone
        Path(name, "tree.cpio").write_bytes(first_tree(kernel, hardware.modules))
        (exchange / "job.json").write_text(json.dumps(asdict(job)))
        (exchange / "start").write_text(_start_script())
        command = qemu_command(kernel.image, Path(name), hardware)
        with running(command) as guest:
            try:
                guest.wait(limit_seconds)
            except subprocess.TimeoutExpired:
                raise GuestFailed(f"the guest has not ended after {limit_seconds:g} s") from None
        collect(results)
        try:
            return int((exchange / "exit-code").read_text())
        except (OSError, ValueError):
            console = Path(name, "console").read_text(errors="replace").splitlines()[-_CONSOLE_LINES:]
            raise GuestFailed("\n".join(("the guest ended without an exit code; its console:", *console))) from None


def qemu_command(kernel: Path, directory: Path, hardware: Hardware) -> list[str]:
    """The kernel talks on the first serial line, which goes to a file; the command on the second, our output."""
    shares = {"host": "/,readonly=on,multidevs=remap", "exchange": _escaped(directory / "exchange")}
    command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    command += ["-machine", "pc", "-accel", "tcg,thread=multi", "-cpu", "max"]
    command += ["-smp", str(hardware.processors), "-m", str(hardware.memory_mib)]
    command += ["-kernel", str(kernel), "-initrd", str(directory / "tree.cpio")]
    command += ["-append", "console=ttyS0 quiet panic=-1"]
    command += ["-chardev", f"file,id=console,path={_escaped(directory / 'console')}", "-serial", "chardev:console"]
    command += ["-chardev", "stdio,id=output,signal=off", "-serial", "chardev:output"]
    for tag, path in shares.items():
        command += ["-fsdev", f"local,id={tag},security_model=none,path={path}"]
        command += ["-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
    return command


def _escaped(path: Path) -> str:
    """qemu ends a value at a comma, unless that is doubled."""
    return str(path).replace(",", ",,")


def _start_script() -> str:
    return f"cd {shlex.quote(str(CHECKOUT))} && exec {shlex.quote(sys.executable)} -m tests.guest.inside\n"


@contextmanager
def running(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The kernel kills the guest when we are killed; in every other case we do."""
    with _signals_raise():
        guest = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent(os.getpid()))
        try:
            yield guest
        finally:
            guest.kill()
            guest.wait()


def _die_with_parent(parent: int) -> Callable[[], None]:
    library = ctypes.CDLL(None)

    def ask_kernel() -> None:
        library.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask_kernel


@contextmanager
def _signals_raise() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind us as Ctrl-C does."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
