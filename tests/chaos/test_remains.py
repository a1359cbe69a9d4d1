"""What a killed server may leave behind is noticed: a process below it, also one that has lost its parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.chaos.remains import Remains, remains_of, still_there

_PARENT = """
import subprocess, sys
child = subprocess.Popen(["sleep", "60"])
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_an_orphan_is_noticed_until_it_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        remains = remains_of(parent.pid, "lampion-test-no-such-parent")
        parent.kill()
    try:
        assert remains.left() == [f"process {orphan}"]
        assert still_there(remains.left, within_seconds=0.05) != []
    finally:
        os.kill(orphan, signal.SIGKILL)
    assert still_there(remains.left, within_seconds=10) == []


def test_a_directory_of_a_control_group_is_noticed(tmp_path: Path) -> None:
    remains = Remains(frozenset(), frozenset({tmp_path, tmp_path / "gone"}))
    assert remains.left() == [f"cgroup {tmp_path}"]
