"""Directories in memory: private, one for each server, cleared when their server has died, and only then."""

import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from lampion.code.memory_place import MemoryPlace, NoMemoryPlace, why_not

SHM = Path("/dev/shm")
pytestmark = pytest.mark.skipif(why_not(SHM) is not None, reason="no programs can be run from /dev/shm here")

HOLD = """
import sys, time
from pathlib import Path
from lampion.code.memory_place import MemoryPlace
place = MemoryPlace([Path(sys.argv[1])])
(place.path() / "code").write_text("plain")
print(place.path(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def candidate() -> Iterator[Path]:
    """A directory in memory of the test's own."""
    path = SHM / f"lampion-test-place-{os.getpid()}"
    path.mkdir()
    yield path
    shutil.rmtree(path)


def test_it_is_private_made_once_and_gone_when_closed(candidate: Path):
    place = MemoryPlace([candidate])
    assert list(candidate.iterdir()) == []
    path = place.path()
    assert (place.path(), path.parent, stat.S_IMODE(path.stat().st_mode)) == (path, candidate, 0o700)
    (path / "code").write_text("plain")
    place.close()
    place.close()
    assert list(candidate.iterdir()) == []


def test_what_a_living_server_has_is_left_alone_and_what_a_dead_one_left_is_removed(candidate: Path):
    mine, elsewhere = MemoryPlace([candidate]), MemoryPlace([candidate / "missing"], [candidate])
    server = subprocess.Popen([sys.executable, "-c", HOLD, str(candidate)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        theirs = Path(server.stdout.readline().strip())
        assert mine.clear_dead() == 0
        assert (theirs / "code").read_text() == "plain"
        server.send_signal(signal.SIGKILL)
        server.wait()
        assert theirs.is_dir()
        assert (elsewhere.clear_dead(), theirs.exists(), mine.clear_dead()) == (1, False, 0)
    finally:
        server.kill()
        server.communicate()


def test_our_own_is_not_taken_for_a_dead_ones(candidate: Path):
    place = MemoryPlace([candidate])
    path = place.path()
    assert (MemoryPlace([candidate]).clear_dead(), path.is_dir()) == (0, True)
    place.close()


def test_only_directories_of_its_name_are_looked_at(candidate: Path, tmp_path: Path):
    (candidate / "other").mkdir()
    (candidate / "lampion-code-file").touch()
    (tmp_path / "kept").mkdir()
    (candidate / "lampion-code-link").symlink_to(tmp_path)
    assert MemoryPlace([candidate]).clear_dead() == 0
    assert (tmp_path / "kept").is_dir()
    assert len(list(candidate.iterdir())) == 3


def test_a_place_that_is_not_in_memory_is_no_place(candidate: Path, tmp_path: Path):
    disk = MemoryPlace([tmp_path, tmp_path / "missing"])
    if why_not(tmp_path) is None:
        pytest.skip("the tests' directories are in memory")
    with pytest.raises(NoMemoryPlace) as caught:
        disk.path()
    assert caught.value.strerror == (
        f"no directory in memory to unpack encrypted code to ({tmp_path} isn't in memory (tmpfs); "
        f"{tmp_path / 'missing'} can't be used: No such file or directory); "
        "name one with --encrypted-code-directory"
    )
    place = MemoryPlace([tmp_path, candidate])
    assert place.path().parent == candidate
    place.close()


@pytest.mark.parametrize(
    ("name", "answer", "why"),
    [
        ("lampion.code.memory_place._file_system_of", lambda path: "ext4", "isn't in memory (tmpfs)"),
        ("os.statvfs", lambda path: SimpleNamespace(f_flag=os.ST_NOEXEC), "is mounted noexec"),
        ("os.access", lambda path, mode: False, "can't be written to"),
    ],
)
def test_why_a_place_will_not_do(candidate: Path, monkeypatch: pytest.MonkeyPatch, name: str, answer: object, why: str):
    with monkeypatch.context() as machine:
        machine.setattr(name, answer)
        assert why_not(candidate) == why
    assert why_not(candidate) is None


def test_what_another_user_left_is_left_alone(candidate: Path, monkeypatch: pytest.MonkeyPatch):
    theirs = candidate / "lampion-code-theirs"
    theirs.mkdir()
    with monkeypatch.context() as machine:
        machine.setattr("os.geteuid", lambda: theirs.stat().st_uid + 1)
        assert (MemoryPlace([candidate]).clear_dead(), theirs.is_dir()) == (0, True)
    assert (MemoryPlace([candidate]).clear_dead(), theirs.is_dir()) == (1, False)


def test_one_that_another_server_removed_before_it_was_locked_is_not_taken(
    candidate: Path, monkeypatch: pytest.MonkeyPatch
):
    """It looks like a dead one's until then."""
    locked = fcntl.flock

    def remove_first(lock: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", locked)
        for path in candidate.iterdir():
            path.rmdir()
        locked(lock, how)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    place = MemoryPlace([candidate])
    path = place.path()
    assert list(candidate.iterdir()) == [path]
    place.close()


def test_what_was_removed_is_made_anew(candidate: Path):
    place = MemoryPlace([candidate])
    first = place.path()
    first.rmdir()
    assert place.path().is_dir()
    place.close()
    assert list(candidate.iterdir()) == []
