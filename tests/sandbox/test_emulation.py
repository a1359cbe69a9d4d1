"""A program of another architecture in a sandbox: it runs where the kernel hands it to an emulator, and only there."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import own_binfmt
from tests.foreign_program import arm64_program
from tests.live_server import marked_directory
from tests.sandbox.boxes import patiently
from tests.sandbox.conftest import CGROUP_PARENT
from tests.sandbox.test_death import ROOT

pytestmark = pytest.mark.skipif(own_binfmt.missing() != "", reason=own_binfmt.missing())


@pytest.fixture
def task() -> Iterator[Path]:
    with marked_directory() as directory:
        directory.chmod(0o755)
        program = directory / "program"
        program.write_bytes(arm64_program(b"from another architecture\n"))
        program.chmod(0o755)
        yield directory


def ran(task: Path, *wrapper: str) -> str:
    command = [sys.executable, *wrapper, sys.executable, "-m", "tests.sandbox.emulated", CGROUP_PARENT, str(task)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=patiently(60), check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("flags", ["F", ""], ids=["held open by the kernel", "found in the sandbox"])
def test_it_runs_by_an_emulator(task: Path, flags: str) -> None:
    wrapper = ("-m", "tests.own_binfmt", flags, own_binfmt.emulator())
    assert ran(task, *wrapper) == "7 from another architecture\n"


def test_an_emulator_that_a_sandbox_doesnt_see_must_be_held_open(task: Path) -> None:
    elsewhere = task / "emulator"
    shutil.copy(own_binfmt.emulator(), elsewhere)
    assert ran(task, "-m", "tests.own_binfmt", "F", str(elsewhere)) == "7 from another architecture\n"
    assert "No such file or directory" in ran(task, "-m", "tests.own_binfmt", "", str(elsewhere))


def test_the_machines_own_list_stays_as_it_is(task: Path) -> None:
    before = os.listdir("/proc/sys/fs/binfmt_misc")  # noqa: PTH208
    ran(task, "-m", "tests.own_binfmt", "F", own_binfmt.emulator())
    assert os.listdir("/proc/sys/fs/binfmt_misc") == before  # noqa: PTH208
