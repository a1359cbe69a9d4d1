"""Run as a program by an ordinary user: a server's stand-in that tries its own sandboxes and prints what it found."""

import asyncio
import json
import os
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from lampion.code.memory_place import MemoryPlace
from lampion.sandbox.driver import DirectoryRefused
from lampion.sandbox.drivers.namespace import NamespaceDriver
from lampion.sandbox.spec import Mount, SharedDirectory
from tests.sandbox.boxes import CLOCK, cgroup_of, eventually, output_of, owners_of, read, run, spec_of, started

WHO = """if True:
    import os, pwd, time
    print(os.getresuid(), os.getresgid(), os.getgroups(), pwd.getpwuid(os.getuid()).pw_name, flush=True)
    time.sleep(60)"""
FORK = """if True:
    import os, time
    count = 0
    try:
        while True:
            if os.fork() == 0: time.sleep(60)
            count += 1
    except BlockingIOError: print(count)"""
WRITE = "open('/mnt/files/file', 'a').write('x')"
SPIN = "print('up', flush=True)\nwhile True: pass"


async def users(driver: NamespaceDriver) -> dict[str, object]:
    """Two functions at once: who they are inside, and who their processes are on the host."""
    async with started(driver, spec_of(WHO)) as one, started(driver, spec_of(WHO)) as other:
        told = [(await read(box.output, until=b"\n")).decode().strip() for box in (one, other)]
        return {"inside": told, "on the host": [sorted(owners_of(box)) for box in (one, other)]}


async def limits(driver: NamespaceDriver, parent: str) -> dict[str, object]:
    """Whether each limit was felt."""
    ending, _ = await run(driver, spec_of("b = bytearray(b'x' * (256 << 20))", memory_mib=64))
    forked = await output_of(driver, FORK, max_processes=20)
    async with started(driver, spec_of(SPIN, cpu_cores=0.2)) as sandbox:
        await read(sandbox.output, until=b"up")
        sandbox.limit_cpu()
        statistics = cgroup_of("cpu", parent) / "cpu.stat"
        throttled = await eventually(lambda: "nr_throttled 0\n" not in statistics.read_text())
        allowed = int((cgroup_of("pids", parent) / "pids.max").read_text())
    return {"memory": asdict(ending), "processes": int(forked), "throttled": throttled, "pids.max": allowed}


async def sharing(driver: NamespaceDriver) -> dict[str, object]:
    """A directory written to as the server's own user, and as another."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        own = SharedDirectory(
            source=Path(name).resolve(), beneath="", target="/mnt/files", user_id=os.geteuid(), group_id=os.getegid()
        )
        await run(driver, replace(spec_of(WRITE), shared=own))
        await run(driver, replace(spec_of(WRITE), shared=own))
        file = Path(name) / "file"
        found: dict[str, object] = {"text": file.read_text(), "is own": file.stat().st_uid == os.geteuid()}
        try:
            await run(driver, replace(spec_of(WRITE), shared=replace(own, user_id=os.geteuid() + 1)))
        except DirectoryRefused as error:
            found["as another"] = str(error)
    return found


async def in_memory(driver: NamespaceDriver) -> str:
    """What a function reads, and a program says, in a private directory in memory, as encrypted code has one."""
    place = MemoryPlace([Path("/dev/shm")])
    tree = place.path() / "files"
    try:
        tree.mkdir(mode=0o755)
        program = tree / "program"
        program.write_text("#!/bin/sh\necho ran\n")
        program.chmod(0o755)
        spec = spec_of("import subprocess; print(subprocess.check_output('/var/task/program').decode(), end='')")
        _, output = await run(driver, replace(spec, mounts=(*spec.mounts, Mount(tree, "/var/task"))))
        return output.strip()
    finally:
        place.close()


async def main(parent: str) -> None:
    driver = NamespaceDriver(CLOCK, parent)
    holds = driver.capabilities()
    found: dict[str, object] = {
        "user": os.getuid(),
        "grade": holds.grade,
        "findings": {finding.name: finding.mend for finding in holds.findings},
    }
    found |= await users(driver)
    found["shared"] = await sharing(driver)
    found["in memory"] = await in_memory(driver)
    if holds.memory_limit and holds.cpu_limit:
        found |= await limits(driver, parent)
    await driver.close()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
