"""Reads, inside the guest, the files that a sandbox's interpreter maps, as they are in memory on a machine in use.

Whoever reads a page first is charged for it. In a guest that has just booted, that would be the first sandbox; when its
memory is full, the kernel drops those pages and reads them again, through 9p, for a minute or more before it gives up.
"""

import asyncio
from pathlib import Path
from typing import Final

from lampion.sandbox.drivers.namespace import NamespaceDriver
from tests.sandbox.boxes import CLOCK, PREFIX, output_of

_PARENT: Final = "lampion-test-page-cache"
_MAPPED: Final = """if True:
    import mmap
    print(*{line.split()[5] for line in open('/proc/self/maps') if '/' in line}, sep='\\n')"""


async def fill() -> None:
    driver = NamespaceDriver(CLOCK, _PARENT)
    names = (await output_of(driver, _MAPPED, memory_mib=512)).splitlines()
    await driver.close()
    for name in names:
        Path(name.replace("/var/lang", str(PREFIX), 1)).read_bytes()


if __name__ == "__main__":
    asyncio.run(fill())
