"""A server's part with a way out, to be killed: prints "ready" when a sandbox with one runs."""

import asyncio
import sys

from lampion.sandbox.drivers.namespace import NamespaceDriver
from lampion.sandbox.network.router import Outside
from lampion.sandbox.spec import Network, NetworkMode
from tests.sandbox.boxes import CLOCK, spec_of


async def main(parent: str) -> None:
    driver = NamespaceDriver(CLOCK, parent, outside=Outside())
    await driver.start(spec_of("import time; time.sleep(600)", network=Network(NetworkMode.EGRESS)))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.sleep(600)


asyncio.run(main(sys.argv[1]))
