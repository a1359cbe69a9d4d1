"""What the sandbox tests share: a Python inside a sandbox, its output, and what the host looks like."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from lampion.clock.clock import SystemClock
from lampion.sandbox.driver import Driver, Exit, Sandbox
from lampion.sandbox.spec import Limits, Mount, SandboxSpec

PREFIX = Path(sys.base_prefix)
INTERPRETER = f"/var/lang/bin/python{sys.version_info.major}.{sys.version_info.minor}"
CLOCK = SystemClock()
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
    )


def close(sandbox: Sandbox) -> None:
    """What the holder of a sandbox does at the end."""
    sandbox.runtime_api.close()
    os.close(sandbox.output)
    os.close(sandbox.telemetry)


@asynccontextmanager
async def started(driver: Driver, spec: SandboxSpec) -> AsyncIterator[Sandbox]:
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


def cgroup_of(controller: str, name: str) -> Path:
    """The one cgroup of this machine with that name in which `controller` is at work, be it of version 1 or 2."""
    (found,) = (
        Path(path)
        for path in cgroups_named(f"/{name}")
        if Path(path).name == name and any(file.name.startswith(f"{controller}.") for file in Path(path).iterdir())
    )
    return found


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


def processes_with(part: str) -> list[int]:
    """Processes other than this one whose command line or environment mentions `part`."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                content = Path(entry.path, "cmdline").read_bytes() + Path(entry.path, "environ").read_bytes()
            except OSError:
                continue
            if part.encode() in content:
                found.append(int(entry.name))
    return found


async def eventually(condition, seconds: float = 10) -> bool:
    """Whether `condition()` becomes true in that time."""
    for _ in range(int(patiently(seconds) / 0.02)):
        if condition():
            return True
        await asyncio.sleep(0.02)
    return bool(condition())
