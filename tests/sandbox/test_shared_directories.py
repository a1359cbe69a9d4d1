"""A directory that several sandboxes write to: as whom, what can't be done there, and that nothing leads out of it."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lampion.sandbox.driver import DirectoryRefused, Driver, Exit
from lampion.sandbox.drivers.oci import OciDriver
from lampion.sandbox.drivers.process import ProcessDriver
from lampion.sandbox.spec import Companions, Mount, SandboxSpec, SharedDirectory
from tests.live_server import marked_directory
from tests.sandbox.boxes import CLOCK, eventually, patiently, run, spec_of, started
from tests.sandbox.test_death import ROOT

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can let a function act as another user")

USER, GROUP = 1_234_567, 1_234_568
CALL = """
import ctypes, errno, os
def attempt(what, *arguments):
    try: print(what.__name__, what(*arguments), flush=True)
    except OSError as error: print(what.__name__, errno.errorcode[error.errno], flush=True)
"""


@pytest.fixture
def shared() -> Iterator[Path]:
    """A host directory that belongs to the access point's user."""
    with marked_directory() as directory:
        os.chown(directory, USER, GROUP)
        directory.chmod(0o750)
        yield directory


def sharing(code: str, directory: Path, beneath: str = "") -> SandboxSpec:
    view = SharedDirectory(source=directory, beneath=beneath, target="/mnt/files", user_id=USER, group_id=GROUP)
    return replace(spec_of(code), shared=view)


async def said_by(driver: Driver, spec: SandboxSpec) -> str:
    """What it printed; it must have ended well."""
    ending, output = await run(driver, spec)
    assert ending == Exit(0), output
    return output


async def test_what_a_function_writes_stays_and_belongs_to_the_user_of_the_access_point(namespace, shared):
    first = 'import os; os.mkdir("/mnt/files/new"); open("/mnt/files/new/text", "w").write("from the first")'
    second = 'print(open("/mnt/files/new/text").read()); open("/mnt/files/new/text", "a").write(", and more")'
    await run(namespace, sharing(first, shared))
    assert await said_by(namespace, sharing(second, shared)) == "from the first\n"
    text = shared / "new/text"
    assert text.read_text() == "from the first, and more"
    for path in (text, text.parent):
        assert (path.stat().st_uid, path.stat().st_gid) == (USER, GROUP)


async def test_the_function_sees_that_users_files_as_its_own(namespace, shared):
    code = 'import os; s = os.stat("/mnt/files"); print((s.st_uid, s.st_gid) == (os.getuid(), os.getgid()))'
    assert await said_by(namespace, sharing(code, shared)) == "True\n"


@pytest.mark.parametrize(
    ("mode", "answers"),
    [(0o600, ["EACCES", "EACCES"]), (0o604, ["1", "EACCES"]), (0o606, ["1", "1"])],
    ids=["its owner's alone", "for all to read", "for all to write"],
)
async def test_a_file_of_somebody_else_is_open_as_far_as_its_mode_says(namespace, shared, mode, answers):
    """Also one of root, whom the function's sandbox doesn't know."""
    for name, owner in (("roots", 0), ("anothers", 4711)):
        file = shared / name
        file.write_text("x")
        os.chown(file, owner, owner)
        file.chmod(mode)
        code = CALL + (
            f'read = lambda: len(open("/mnt/files/{name}").read())\n'
            f'write = lambda: open("/mnt/files/{name}", "a").write("y")\n'
            "for what in (read, write): attempt(what)"
        )
        said = (await said_by(namespace, sharing(code, shared))).split()
        assert said[1::2] == answers


async def test_only_what_is_beneath_is_there(namespace, shared):
    (shared / "part").mkdir()
    os.chown(shared / "part", USER, GROUP)
    (shared / "secret").write_text("of another access point")
    code = CALL + (
        'attempt(os.listdir, "/mnt/files"); attempt(os.stat, "/mnt/files/../secret")\n'
        'os.chdir("/mnt/files"); attempt(os.stat, "../secret"); attempt(os.mkdir, "/mnt/files/made")'
    )
    said = (await said_by(namespace, sharing(code, shared, "part"))).splitlines()
    assert said == ["listdir []", "stat ENOENT", "stat ENOENT", "mkdir None"]
    assert (shared / "part/made").is_dir()


@pytest.mark.parametrize("link", ["/etc", "../..", "inner"], ids=["absolute", "upwards", "within"])
@pytest.mark.parametrize("place", ["part", "part/deep"])
async def test_a_link_that_a_function_left_leads_the_launcher_nowhere(namespace, shared, link, place):
    (shared / "inner/deep").mkdir(parents=True)
    (shared / "part").symlink_to(link)
    with pytest.raises(DirectoryRefused, match=r"file-system .*: Too many levels of symbolic links"):
        await run(namespace, sharing("print('ran')", shared, place))


@pytest.mark.parametrize("beneath", ["..", "part/../../..", "/etc"])
async def test_a_part_outside_of_the_directory_is_refused(namespace, shared, beneath):
    (shared / "part").mkdir()
    with pytest.raises(DirectoryRefused, match="file-system"):
        await run(namespace, sharing("print('ran')", shared, beneath))


async def test_a_link_leads_the_function_to_its_own_files_only(namespace, shared):
    (shared / "link").symlink_to(shared.parent)
    code = CALL + 'attempt(os.listdir, "/mnt/files/link/"); attempt(os.readlink, "/mnt/files/link")'
    said = (await said_by(namespace, sharing(code, shared))).splitlines()
    assert said[1] == f"readlink {shared.parent}"
    assert shared.name not in said[0]


async def test_nothing_it_writes_runs_as_its_user_on_the_host(namespace, shared):
    """Neither set-user-id programs nor devices, by whichever call."""
    code = (
        CALL
        + """
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0: raise OSError(ctypes.get_errno(), "")
import platform
numbers = {"x86_64": (268, 452, 437), "aarch64": (53, 452, 437)}[platform.machine()]
open("/mnt/files/program", "w").close()
path = b"/mnt/files/program"
attempt(os.chmod, path, 0o4755)
attempt(os.chmod, path, 0o2755)
attempt(os.fchmod, os.open(path, os.O_RDONLY), 0o4755)
attempt(call, numbers[0], -100, path, 0o4755)
attempt(call, numbers[1], -100, path, 0o4755, 0)
attempt(os.open, "/mnt/files/created", os.O_CREAT | os.O_WRONLY, 0o4755)
attempt(os.mknod, "/mnt/files/pipe", 0o4755 | 0o10000)
attempt(os.mkdir, "/mnt/files/directory", 0o2755)
how = (ctypes.c_ulonglong * 3)(os.O_CREAT | os.O_WRONLY, 0o4755, 0)
attempt(call, numbers[2], -100, b"/mnt/files/other", how, 24)
attempt(os.mknod, "/mnt/files/null", 0o20666, os.makedev(1, 3))
attempt(os.chmod, path, 0o755)
"""
    )
    said = (await said_by(namespace, sharing(code, shared))).splitlines()
    assert [line.split()[1] for line in said] == [*["EPERM"] * 8, "ENOSYS", "EACCES", "None"]
    for path in shared.iterdir():
        assert not path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)


async def test_a_program_that_the_host_marked_runs_as_the_function(namespace, shared):
    """The mount is nosuid."""
    code = 'import os; print(os.statvfs("/mnt/files").f_flag)'
    flags = int(await said_by(namespace, sharing(code, shared)))
    assert flags & os.ST_NOSUID
    assert not flags & os.ST_RDONLY


async def test_a_program_beside_the_function_has_the_same_files_and_the_same_walls(namespace, shared, tmp_path):
    """An extension is the function's code as well."""
    program = tmp_path / "extension"
    program.write_text(
        "#!/bin/sh\necho there > /mnt/files/text && chmod 4755 /mnt/files/text || echo refused >> /mnt/files/text\n"
        "touch /mnt/files/done\nexec sleep 60\n"
    )
    program.chmod(0o755)
    tmp_path.chmod(0o755)
    spec = sharing("import time; time.sleep(60)", shared)
    beside = Companions(("/opt/beside/extension",), {"PATH": "/usr/bin:/bin"})
    spec = replace(spec, mounts=(*spec.mounts, Mount(tmp_path, "/opt/beside")), companions=beside)
    async with started(namespace, spec):
        assert await eventually((shared / "done").exists)
        assert (shared / "text").read_text() == "there\nrefused\n"
        assert ((shared / "text").stat().st_uid, (shared / "text").stat().st_mode & 0o7777) == (USER, 0o644)


async def test_modes_are_free_where_nothing_is_shared(namespace):
    code = 'import os; open("/tmp/program", "w").close(); os.chmod("/tmp/program", 0o4755); print("done")'
    assert await said_by(namespace, spec_of(code)) == "done\n"


def test_what_is_mounted_beneath_stays_outside(shared):
    """In mounts of our own, in which the directory has another file system beneath."""
    (shared / "other").mkdir()
    code = f"""
import asyncio, subprocess
from pathlib import Path
from lampion.sandbox.drivers.namespace import NamespaceDriver
from tests.sandbox.conftest import CGROUP_PARENT
from tests.sandbox.test_shared_directories import CLOCK, said_by, sharing
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "{shared}/other"], check=True)
Path("{shared}/other/file").touch()
async def main():
    driver = NamespaceDriver(CLOCK, CGROUP_PARENT)
    try: print(await said_by(driver, sharing("import os; print(os.listdir('/mnt/files/other'))", Path("{shared}"))))
    finally: await driver.close()
asyncio.run(main())
"""
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=patiently(60), check=False)
    assert done.stdout.strip() == "[]", done.stderr


async def test_a_directory_that_is_missing_is_refused_and_leaves_nothing(namespace, shared):
    with pytest.raises(DirectoryRefused, match=r"file-system .*: No such file or directory"):
        await run(namespace, sharing("print('ran')", shared / "missing"))


async def test_other_drivers_say_that_they_have_none(shared):
    for driver in (ProcessDriver(CLOCK), OciDriver(CLOCK, ("crun",))):
        with pytest.raises(DirectoryRefused, match=f"the sandbox driver {driver.name} gives functions no file system"):
            await driver.start(sharing("", shared))
        await driver.close()
