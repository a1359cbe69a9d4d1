"""What the sandbox tests share: a Python inside a sandbox, its output, and what the host looks like."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import lampion
from lampion.clock.clock import SystemClock
from lampion.sandbox.driver import Driver, Exit, Sandbox
from lampion.sandbox.drivers.namespace import NamespaceDriver, NamespaceSandbox
from lampion.sandbox.snapshots import Snapshot
from lampion.sandbox.spec import Limits, Mount, Network, SandboxSpec, Template, WorkerStart
from tests.sandbox.census import everything

PREFIX = Path(sys.base_prefix)
INTERPRETER = f"/var/lang/bin/python{sys.version_info.major}.{sys.version_info.minor}"
CLOCK = SystemClock()
HAS_DISKS = os.geteuid() == 0 and Path("/dev/loop-control").exists()
"""Whether sandboxes are to have /tmp on a disk: then a driver that gives them none fails its tests."""
PATIENCE_FACTOR = float(os.environ.get("LAMPION_TEST_PATIENCE", "1"))
"""How much slower than usual this machine is: an emulated one may need 10 times as long for everything."""


def patiently(seconds: float) -> float:
    """The longest that something may take here which takes at most `seconds` elsewhere."""
    return seconds * PATIENCE_FACTOR


PATIENCE_SECONDS = patiently(30)
_numbers = iter(range(1_000_000))


def spec_of(
    code: str,
    *,
    task: Path | None = None,
    environ: Mapping[str, str] | None = None,
    arguments: tuple[str, ...] = (),
    sandbox_id: str | None = None,
    network: Network | None = None,
    **limits: float,
) -> SandboxSpec:
    """A sandbox that runs `code` in the Python of the tests."""
    mounts = (Mount(PREFIX, "/var/lang"), *((Mount(task, "/var/task"),) if task else ()))
    return SandboxSpec(
        sandbox_id=sandbox_id or f"box{next(_numbers)}",
        argv=(INTERPRETER, "-I", "-S", "-c", code, *arguments),
        environ={"PATH": "/usr/bin:/bin"} if environ is None else environ,
        working_directory="/var/task",
        mounts=mounts,
        limits=Limits(**{"memory_mib": 128, "cpu_cores": 1.0, **limits}),  # type: ignore[arg-type]
        network=network or Network(),
    )


_SHARED = (
    Mount(PREFIX, "/var/lang"),
    Mount(Path(lampion.__file__).parent / "runtimes/python", "/var/runtime"),
    Mount(Path(__file__).parent / "waiting", "/var/waiting"),
)
WAITING = Template(
    worker=(INTERPRETER, "-S", "/var/waiting/program.py"),
    start=WorkerStart.FORK,
    environ=(("PYTHONPATH", "/var/runtime"),),
    mounts=_SHARED,
)


class CopyingDriver(NamespaceDriver):
    """Runs the same specs in copies of a zygote; others, of other programs than a Python with code, as they are."""

    async def start(self, spec: SandboxSpec) -> NamespaceSandbox:
        is_other = spec.argv[:4] != (INTERPRETER, "-I", "-S", "-c") or "\0" in "".join(spec.argv)
        if is_other or spec.shared is not None or spec.companions is not None:
            return await super().start(spec)
        order = json.dumps({"code": spec.argv[4], "arguments": spec.argv[5:]})
        own = tuple(mount for mount in spec.mounts if mount.target != "/var/lang")
        waiting = replace(
            spec,
            argv=(),
            environ={**spec.environ, "LAMPION_TEST_ORDER": order, "PWD": spec.working_directory},
            mounts=(*_SHARED, *own),
            template=WAITING,
        )
        return await super().start(waiting)


def close(sandbox: Sandbox) -> None:
    """What the holder of a sandbox does at the end."""
    sandbox.runtime_api.close()
    if sandbox.gateway is not None:
        sandbox.gateway.close()
    os.close(sandbox.output)
    os.close(sandbox.telemetry)
    if sandbox.processes is not None:
        sandbox.processes.close()


@asynccontextmanager
async def started(driver: Driver | Snapshot, spec: SandboxSpec) -> AsyncIterator[Sandbox]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        sandbox = await driver.start(spec)
    try:
        yield sandbox
    finally:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await sandbox.stop(0)
        close(sandbox)


async def read(descriptor: int, until: bytes | None = None) -> bytes:
    """Everything up to the end of the pipe, or to the first appearance of `until`."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    content = bytearray()

    def take() -> None:
        chunk = os.read(descriptor, 65536)
        content.extend(chunk)
        if (not chunk or (until is not None and until in content)) and not done.done():
            done.set_result(None)

    loop.add_reader(descriptor, take)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await done
    finally:
        loop.remove_reader(descriptor)
    return bytes(content)


async def run(driver: Driver, spec: SandboxSpec) -> tuple[Exit, str]:
    """Start it, read all it writes, wait for its end."""
    async with started(driver, spec) as sandbox:
        output = await read(sandbox.output)
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await sandbox.wait(), output.decode()


async def output_of(driver: Driver, code: str, **more) -> str:
    """What `code` printed; it must have ended well."""
    ending, output = await run(driver, spec_of(code, **more))
    assert ending == Exit(0), output
    return output


def cgroup_of(controller: str, parent: str) -> Path:
    """The one cgroup of a sandbox below `parent` in which `controller` is at work, be it of version 1 or 2."""
    (found,) = (path for path in sandbox_cgroups(parent) if _is_at_work(controller, path))
    return found


def family_of(controller: str, parent: str) -> Path:
    """The cgroup `parent` itself, under the same condition."""
    named = map(Path, cgroups_named(f"/{parent}"))
    (found,) = (path for path in named if path.name == parent and _is_at_work(controller, path))
    return found


def _is_at_work(controller: str, cgroup: Path) -> bool:
    return any(file.name.startswith(f"{controller}.") for file in cgroup.iterdir())


def sandbox_cgroups(parent: str) -> list[Path]:
    """Every cgroup of a sandbox of the servers that use `parent`; with version 1, one for each controller."""
    return [path for path in map(Path, cgroups_named(f"/{parent}/")) if path.parts[-3] == parent]


def cgroups_named(part: str) -> list[str]:
    """Every cgroup of this machine whose path mentions `part`, but not the one that we live in."""
    own = own_cgroup()
    return [path for path, _, _ in os.walk("/sys/fs/cgroup") if part in path and path != str(own)]


def own_cgroup() -> Path:
    """Of version 2, where the machine has that alone; a driver without root moves its server to a leaf of its own."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    return Path("/sys/fs/cgroup", *(line.removeprefix("0::/") for line in lines if line.startswith("0::/")))


def may_have_cgroups() -> bool:
    """Root may; an ordinary user to whom a cgroup of version 2 is delegated."""
    return os.geteuid() == 0 or os.access(own_cgroup() / "cgroup.subtree_control", os.W_OK)


def disks_in(scratch: Path) -> list[Path]:
    """The loop devices whose files lie there, deleted or not."""
    found = []
    for device in Path("/sys/block").glob("loop*"):
        with contextlib.suppress(OSError):  # it is attached to nothing
            if (device / "loop/backing_file").read_text().startswith(f"{scratch}/"):
                found.append(Path("/dev", device.name))
    return found


def processes_with(part: str) -> list[int]:
    """Processes other than this one whose command line or environment mentions `part`."""
    return [pid for pid, seen in everything().items() if part in seen.words]


def output_pipe(sandbox: Sandbox) -> Path:
    """What names the sandbox's output in every process that has it open."""
    return Path(f"/proc/self/fd/{sandbox.output}").readlink()


def writers_to(pipe: Path) -> list[Path]:
    """The processes (of /proc) beside this one that have the pipe open: all that a sandbox's function started."""
    return [Path("/proc", str(pid)) for pid, seen in everything().items() if str(pipe) in seen.files]


def owners_of(sandbox: Sandbox) -> set[int]:
    """The users, as the host numbers them, of the function's processes and of their parents in the sandbox."""
    users: set[int] = set()
    for process in writers_to(output_pipe(sandbox)):
        users |= {_owner(process), _owner(Path("/proc", _parent(process)))}
    return users - {os.geteuid()}


def _owner(process: Path) -> int:
    return int((process / "status").read_text().partition("Uid:")[2].split()[0])


def _parent(process: Path) -> str:
    return (process / "status").read_text().partition("PPid:")[2].split()[0]


async def eventually(condition, seconds: float = 10) -> bool:
    """Whether `condition()` becomes true in that time."""
    give_up_at = time.monotonic() + patiently(seconds)
    while not condition():
        if time.monotonic() > give_up_at:
            return False
        await asyncio.sleep(0.02)
    return True
