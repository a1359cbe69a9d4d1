"""Run as a program: a server's stand-in that holds sandboxes until it is killed. Prints a line when they run."""

import asyncio
import os
import sys
from pathlib import Path

from lampion.clock.clock import SystemClock
from lampion.sandbox.drivers.namespace import NamespaceDriver
from tests.sandbox.boxes import eventually, read, run, spec_of, started


async def hold(parent: str, mark: str, count: int, scratch: Path) -> None:
    driver = NamespaceDriver(SystemClock(), parent, scratch=scratch)
    code = "import os, time; os.fork(); os.fork(); time.sleep(600)"
    sandboxes = [await driver.start(spec_of(code, environ={"MARK": mark})) for _ in range(count)]
    sys.stdout.write(f"holding {len(sandboxes)}\n")
    sys.stdout.flush()
    await asyncio.sleep(600)


async def once(parent: str) -> None:
    """One whole life of a sandbox, and what the driver says of itself."""
    driver = NamespaceDriver(SystemClock(), parent)
    code = "import os, pwd; print(os.getuid(), pwd.getpwuid(os.getuid()).pw_name, len(os.listdir('/tmp')))"
    ending, output = await run(driver, spec_of(code))
    sys.stdout.write(f"{ending.code} {output.strip()} {driver.capabilities().grade}\n")
    for finding in driver.capabilities().findings:
        sys.stdout.write(f"{finding.name}: {finding.effect}: {finding.mend}\n")
    await driver.close()


async def sweep(parent: str) -> None:
    """What a server does first, and last."""
    driver = NamespaceDriver(SystemClock(), parent)
    await driver.sweep()
    await driver.close()


async def full(parent: str, scratch: Path) -> None:
    """What happens when the disk under all sandboxes is full."""
    driver = NamespaceDriver(SystemClock(), parent, scratch=scratch)
    assert driver.capabilities().grade != "none"

    def free_mib() -> int:
        space = os.statvfs(scratch)
        return space.f_bavail * space.f_frsize >> 20

    write = "import os; f = os.open('/tmp/x', os.O_CREAT | os.O_WRONLY); os.write(f, b'x' * ({} << 20)); os.fsync(f)"
    free = free_mib()
    remove = "; print('up', flush=True); os.close(f); os.unlink('/tmp/x'); os.sync(); print('gone', flush=True)"
    async with started(driver, spec_of(write.format(20) + remove + "; import time; time.sleep(60)")) as sandbox:
        await read(sandbox.output, until=b"gone")
        given_back = await eventually(lambda: free_mib() >= free - 4)
        sys.stdout.write(f"given back {given_back}\n")
    async with started(driver, spec_of("import time; time.sleep(3)")) as other:
        _, output = await run(driver, spec_of(write.format(100)))
        sys.stdout.write(f"the writer: {output.strip().splitlines()[-1].partition('] ')[2]}\n")
        sys.stdout.write(f"another function: {(await other.wait()).code}\n")
    await eventually(lambda: free_mib() >= free - 4)
    ending, _ = await run(driver, spec_of(write.format(20)))
    sys.stdout.write(f"afterwards: {ending.code}\n")
    await driver.close()


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        asyncio.run(hold(sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5])))
    elif sys.argv[1] == "full":
        asyncio.run(full(sys.argv[2], Path(sys.argv[3])))
    elif sys.argv[1] == "sweep":
        asyncio.run(sweep(sys.argv[2]))
    else:
        asyncio.run(once(sys.argv[2]))
