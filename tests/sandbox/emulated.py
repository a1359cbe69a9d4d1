"""Run as a program: a sandbox with a program of another architecture in it; prints what became of it."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from lampion.sandbox.driver import SandboxError
from lampion.sandbox.drivers.namespace import NamespaceDriver
from tests.sandbox.boxes import CLOCK, run, spec_of


async def main(parent: str, task: Path) -> None:
    driver = NamespaceDriver(CLOCK, parent)
    try:
        ending, output = await run(driver, replace(spec_of("", task=task), argv=("/var/task/program",)))
        sys.stdout.write(f"{ending.code} {output}")
    except SandboxError as error:
        sys.stdout.write(str(error))
    finally:
        await driver.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
