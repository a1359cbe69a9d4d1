"""Servers that share a cgroup of version 2 hand controllers down, and leave it as it was. Runs in `make guest`."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lampion.sandbox.cgroups import SERVER_LEAF
from lampion.sandbox.server_leaf import HandedDown
from tests.sandbox.boxes import eventually, own_cgroup, patiently
from tests.sandbox.test_death import HOLDER, ROOT

WANTED = "+memory +pids"
NAME = f"lampion-test-{os.getpid()}"
AROUND = own_cgroup().parent
HOLD = "import sys; from lampion.sandbox.server_leaf import HandedDown; from pathlib import Path; " + (
    "held = HandedDown(Path(sys.argv[1]), sys.argv[2]); print('held', flush=True); sys.stdin.read()"
)

pytestmark = pytest.mark.skipif(
    not os.access(AROUND / "cgroup.subtree_control", os.W_OK)
    or "memory" not in (AROUND / "cgroup.subtree_control").read_text(),
    reason="the cgroup above ours isn't one of version 2 that we may write: make guest",
)


@pytest.fixture
def shared() -> Iterator[Path]:
    """A cgroup with two members, gone at the end."""
    directory = AROUND / f"{NAME}-shared"
    directory.mkdir()
    members = [subprocess.Popen(["/bin/sleep", "600"]) for _ in range(2)]
    try:
        for member in members:
            (directory / "cgroup.procs").write_text(str(member.pid))
        yield directory
    finally:
        for member in members:
            member.kill()
            member.wait()
        for left in (directory / SERVER_LEAF, directory):
            if left.exists():
                left.rmdir()


def handed_down(directory: Path) -> set[str]:
    return set((directory / "cgroup.subtree_control").read_text().split())


def members(directory: Path) -> list[str]:
    return (directory / "cgroup.procs").read_text().split()


def assert_as_before(directory: Path, there: list[str]) -> None:
    assert members(directory) == there
    assert handed_down(directory) == set()
    assert not (directory / SERVER_LEAF).exists()


def test_members_wait_in_the_leaf_and_come_back(shared):
    there = members(shared)
    assert len(there) == 2
    with closing(HandedDown(shared, WANTED)):
        assert handed_down(shared) == {"memory", "pids"}
        assert members(shared) == []
        assert members(shared / SERVER_LEAF) == there
    assert_as_before(shared, there)


def test_the_last_one_to_go_gives_it_back(shared):
    there = members(shared)
    first, second = HandedDown(shared, WANTED), HandedDown(shared, WANTED)
    first.close()
    first.close()
    assert handed_down(shared) == {"memory", "pids"}
    second.close()
    assert_as_before(shared, there)


def test_one_that_is_killed_is_not_waited_for(shared):
    there = members(shared)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, shared, WANTED], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder, closing(HandedDown(shared, WANTED)):
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.send_signal(signal.SIGKILL)
        holder.wait(patiently(10))
    assert_as_before(shared, there)


def test_what_uses_the_controllers_keeps_them(shared):
    there = members(shared)
    held = HandedDown(shared, WANTED)
    used = shared / "used"
    used.mkdir()
    held.close()
    assert handed_down(shared) == {"memory", "pids"}
    used.rmdir()
    HandedDown(shared, WANTED).close()
    assert_as_before(shared, there)


def test_what_cannot_be_handed_down_changes_nothing(shared):
    there = members(shared)
    with pytest.raises(OSError, match="Invalid argument") as caught:
        HandedDown(shared, "+nonsense")
    assert caught.value.errno == errno.EINVAL
    assert_as_before(shared, there)


def start_server(directory: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A server's stand-in as one more member of the cgroup."""
    return subprocess.Popen(
        [sys.executable, str(HOLDER), *arguments],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdout=subprocess.PIPE,
        preexec_fn=lambda: (directory / "cgroup.procs").write_text(str(os.getpid())) and None,
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root makes cgroups at the machine's top, where members do no harm")
async def test_two_servers_of_different_names_work_beside_strangers(shared, scratch):
    there = members(shared)
    with start_server(shared, "hold", f"{NAME}-one", f"{NAME}-one", "1", str(scratch)) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == b"holding 1\n"
        assert {child.name for child in shared.iterdir() if child.is_dir()} == {SERVER_LEAF, f"{NAME}-one"}
        with start_server(shared / SERVER_LEAF, "once", f"{NAME}-two") as two:
            told = two.communicate(timeout=patiently(60))[0].decode().splitlines()
        assert told[0].split()[0] == "0"
        assert [line for line in told if line.startswith("cgroup-")] == []
        assert {child.name for child in shared.iterdir() if child.is_dir()} == {SERVER_LEAF, f"{NAME}-one"}
        one.kill()
        one.wait()
    # The killed one's sandboxes go by themselves; the next server gives back what it couldn't.
    family = shared / f"{NAME}-one"
    assert await eventually(lambda: not any(path.is_dir() for owner in _below(family) for path in _below(owner)))
    with start_server(shared / SERVER_LEAF, "sweep", f"{NAME}-one") as last:
        assert last.wait(patiently(60)) == 0
    assert_as_before(shared, there)


def _below(directory: Path) -> list[Path]:
    return [child for child in directory.iterdir() if child.is_dir()] if directory.exists() else []
