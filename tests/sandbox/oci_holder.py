"""Run as a program: a server's stand-in that holds two containers until it is killed. RUNTIME MARK"""

import asyncio
import sys

from lampion.clock.clock import SystemClock
from lampion.sandbox.drivers.oci import OciDriver
from tests.sandbox.boxes import spec_of


async def hold(runtime: str, mark: str) -> None:
    driver = OciDriver(SystemClock(), (runtime,), mark)
    code = "import time; time.sleep(600)"
    sandboxes = [await driver.start(spec_of(code, environ={"MARK": mark})) for _ in range(2)]
    sys.stdout.write("holding\n" if len(sandboxes) == 2 else "")
    sys.stdout.flush()
    await asyncio.sleep(600)


asyncio.run(hold(*sys.argv[1:]))
