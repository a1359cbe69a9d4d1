"""Whoever dies first, server or launcher, nothing of a sandbox stays; what could stay is swept at the next start."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lampion.sandbox.cgroup_host import probe_cgroups, remove_cgroups
from lampion.sandbox.cgroups import plan_cgroups
from lampion.sandbox.driver import Exit
from lampion.sandbox.drivers.namespace import NamespaceDriver
from tests.sandbox.boxes import (
    CLOCK,
    HAS_DISKS,
    cgroups_named,
    disks_in,
    eventually,
    family_of,
    may_have_cgroups,
    output_of,
    output_pipe,
    patiently,
    processes_with,
    read,
    sandbox_cgroups,
    spec_of,
    started,
    writers_to,
)
from tests.sandbox.conftest import CGROUP_PARENT

ROOT = Path(__file__).parent.parent.parent
HOLDER = Path(__file__).parent / "holder.py"
SLEEP = "import os, time; print('up', flush=True); time.sleep(600)"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user can't become another one")
needs_cgroups = pytest.mark.skipif(not may_have_cgroups(), reason="no cgroup is delegated to this user")


def children_of(pid: int) -> list[int]:
    """Those that run the launcher program (process 1 of a sandbox runs it too, but under another name)."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid for pid in map(int, children) if b"lampion-launch" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    except OSError:
        return []


def launchers() -> list[int]:
    """Launcher processes of this process's sandboxes: children of the daemon that it started."""
    return [launcher for daemon in children_of(os.getpid()) for launcher in children_of(daemon)]


@pytest.fixture
async def holder(scratch):
    """A killed-to-be server with three sandboxes, each with four processes: (its process, their mark)."""
    mark = f"lampion-test-holder-{os.getpid()}"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HOLDER),
        "hold",
        mark,
        mark,
        "3",
        str(scratch),
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    async with asyncio.timeout(patiently(30)):
        assert await process.stdout.readline() == b"holding 3\n"
    yield process, mark
    if process.returncode is None:
        process.kill()
        await process.wait()


async def test_nothing_outlives_a_server_that_is_killed(holder, scratch):
    process, mark = holder
    assert await eventually(lambda: len(processes_with(mark)) >= 3 * 4)
    if may_have_cgroups():
        assert len(sandbox_cgroups(mark)) >= 3
    assert len(disks_in(scratch)) == 3 if HAS_DISKS else True
    mounts = Path("/proc/self/mountinfo").read_text()
    process.kill()
    await process.wait()
    assert await eventually(lambda: processes_with(mark) == [] and cgroups_named(mark) == [], seconds=5)
    assert await eventually(lambda: disks_in(scratch) == [], seconds=5)
    assert Path("/proc/self/mountinfo").read_text() == mounts


async def test_a_killed_launcher_takes_its_sandbox_along_and_the_driver_cleans_up(namespace, scratch):
    spec = spec_of(SLEEP, environ={"MARK": f"orphaned-{os.getpid()}"}, sandbox_id="orphaned")
    async with started(namespace, spec) as sandbox:
        await read(sandbox.output, until=b"up")
        for pid in launchers():
            os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(patiently(10)):
            assert await sandbox.wait() == Exit(None, signal.SIGKILL)
        assert await eventually(lambda: processes_with(f"orphaned-{os.getpid()}") == [])
        assert await eventually(lambda: sandbox_cgroups(CGROUP_PARENT) == [])
        assert await eventually(lambda: disks_in(scratch) == [])


async def test_a_killed_launcher_of_a_frozen_sandbox_leaves_nothing_either(namespace):
    async with started(namespace, spec_of(SLEEP)) as sandbox:
        await read(sandbox.output, until=b"up")
        pipe = output_pipe(sandbox)
        sandbox.freeze()
        for pid in launchers():
            os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(patiently(10)):
            assert await sandbox.wait() == Exit(None, signal.SIGKILL)
        assert await eventually(lambda: writers_to(pipe) == [])
        assert await eventually(lambda: sandbox_cgroups(CGROUP_PARENT) == [])


@needs_root
async def test_who_may_not_kill_what_is_left_frozen_thaws_it_and_it_ends_by_itself(monkeypatch):
    """As process 1 of a sandbox does, whose launcher has gone; an ordinary user may not signal its sandboxes' users."""
    layout = probe_cgroups(CGROUP_PARENT).layout
    plan = plan_cgroups(layout, CGROUP_PARENT, "nobody", "frozen")
    assert plan.freeze_file is not None
    left = plan.freeze_file.path.parent
    left.mkdir(parents=True)
    process = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE)
    try:
        (left / "cgroup.procs").write_text(str(process.pid))
        plan.freeze_file.path.write_text(plan.freeze_file.frozen)
        assert process.stdin is not None
        process.stdin.close()

        def forbidden(pid: int, number: int) -> None:
            raise PermissionError

        monkeypatch.setattr(os, "kill", forbidden)
        await remove_cgroups([left], CLOCK)
        assert not left.exists()
        process.wait(5)
    finally:
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            plan.freeze_file.path.write_text(plan.freeze_file.thawed)
        process.kill()
        process.wait()
        for directory in (left.parent, left.parent.parent):
            directory.rmdir()


async def test_a_killed_launcher_during_the_start_is_an_error_or_an_end(namespace):
    for _ in range(10):
        start = asyncio.create_task(output_of(namespace, "import time; time.sleep(600)"))
        assert await eventually(lambda: len(launchers()) > 0)
        for pid in launchers():
            os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(patiently(10)):
            result = (await asyncio.gather(start, return_exceptions=True))[0]
        assert isinstance(result, Exception)
    assert await eventually(lambda: launchers() == [])


@needs_cgroups
async def test_what_a_dead_server_left_is_swept_and_nothing_else(namespace):
    assert await output_of(namespace, "print(1)") == "1\n"  # makes the parent
    parent = family_of("pids", CGROUP_PARENT)
    pid_namespace = Path("/proc/self/ns/pid").stat().st_ino
    stale = parent / f"{pid_namespace}-999999-12345" / "box"
    foreign_namespace = parent / "1-999999-12345" / "box"
    unknown = parent / "somebody" / "box"
    for directory in (stale, foreign_namespace, unknown):
        directory.mkdir(parents=True)
    victim = subprocess.Popen(["/bin/sleep", "600"])
    bystander = subprocess.Popen(["/bin/sleep", "600"])
    try:
        (stale / "cgroup.procs").write_text(str(victim.pid))
        (unknown / "cgroup.procs").write_text(str(bystander.pid))
        mark = f"lampion-test-alive-{os.getpid()}"
        async with started(namespace, spec_of(SLEEP, environ={"MARK": mark})) as running:
            await read(running.output, until=b"up")
            assert await namespace.sweep() == 1
            assert await namespace.sweep() == 0
            assert processes_with(mark) != []
            assert await running.stop(0) == Exit(None, signal.SIGKILL)
            assert processes_with(mark) == []
        assert victim.wait(patiently(5)) == -signal.SIGKILL
        assert not stale.parent.exists()
        assert foreign_namespace.exists()
        assert unknown.exists()
        assert bystander.poll() is None
    finally:
        for process in (victim, bystander):
            process.kill()
            process.wait()
        for directory in (stale, foreign_namespace, unknown):
            for path in (directory, directory.parent):
                if path.exists():
                    assert await eventually(lambda path=path: _removed(path))


def _removed(path: Path) -> bool:
    try:
        path.rmdir()
    except OSError:
        return False
    return True


async def test_the_sweep_of_one_server_leaves_another_ones_sandboxes_alone(namespace, holder):
    _, mark = holder
    assert await eventually(lambda: len(processes_with(mark)) >= 3 * 4)
    other = NamespaceDriver(CLOCK, mark)
    assert await other.sweep() == 0
    await other.close()
    assert len(processes_with(mark)) >= 3 * 4


@pytest.fixture
def public_copy() -> Iterator[Path]:
    """The packages where every user can read them, as this checkout may be out of reach."""
    with tempfile.TemporaryDirectory(prefix="lampion-test-") as name:
        copy = Path(name)
        for part in ("src/lampion/sandbox", "src/lampion/clock", "src/lampion/domain", "tests/sandbox"):
            shutil.copytree(ROOT / part, copy / part)
        (copy / "src/lampion/__init__.py").touch()
        (copy / "tests/__init__.py").touch()
        subprocess.run(["/bin/chmod", "-R", "a+rX", name], check=True)
        yield copy


@needs_root
def test_an_ordinary_user_gets_sandboxes_too_and_is_told_what_they_lack(public_copy):
    python = shutil.which("python3", path="/usr/bin")
    assert python is not None, "this test needs the system's Python: apt-get install python3"
    done = subprocess.run(
        [python, str(public_copy / "tests/sandbox/holder.py"), "once", f"lampion-test-{os.getpid()}"],
        env={"PYTHONPATH": f"{public_copy / 'src'}:{public_copy}", "PATH": "/usr/bin:/bin"},
        user=65534,
        group=65534,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=patiently(60),
        cwd="/",
        check=False,
    )
    assert done.stderr == ""
    first, *findings = done.stdout.splitlines()
    assert first == "0 993 sbx_user1051 0 basic"
    assert [line.split(":")[0] for line in findings] == [
        "cgroup-memory",
        "cgroup-cpu",
        "cgroup-pids",
        "subordinate-ids",
        "tmp-in-memory",
        "snapshots",
    ]
    assert all("Delegate=yes" in line for line in findings[:3])
    assert "usermod --add-subuids" in findings[3]
    assert "as root" in findings[4]
