"""Run as a program: a server's stand-in that holds sandboxes until it is killed. Prints a line when they run."""

import asyncio
import sys

from lampion.clock.clock import SystemClock
from lampion.sandbox.drivers.namespace import NamespaceDriver
from tests.sandbox.boxes import run, spec_of


async def hold(parent: str, mark: str, count: int) -> None:
    driver = NamespaceDriver(SystemClock(), parent)
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


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        asyncio.run(hold(sys.argv[2], sys.argv[3], int(sys.argv[4])))
    else:
        asyncio.run(once(sys.argv[2]))
