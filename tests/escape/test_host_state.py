"""A change of the host doesn't go unseen."""

import os
import subprocess
import sys
import tempfile

from tests.escape.__main__ import changes_since
from tests.escape.host_state import is_of_another_run, look
from tests.escape.scoreboard import Column
from tests.live_server import MARK

NAME = f"{MARK}-state"


def test_nothing_changes_while_nothing_happens():
    before = look(NAME)
    assert before.settings
    assert before.differences(look(NAME)) == []


def test_a_file_and_a_process_of_ours_that_are_left_are_seen():
    before = look(NAME)
    with (
        tempfile.TemporaryDirectory(prefix=NAME),
        subprocess.Popen([sys.executable, "-c", "input()", NAME], stdin=subprocess.PIPE) as left,
    ):
        found = before.differences(look(NAME))
        assert sorted(each.partition(":")[0] for each in found) == ["files", "processes"]
        assert str(left.pid) in "".join(found)
    assert before.differences(look(NAME)) == []


def test_a_mount_and_a_changed_setting_are_seen():
    """In namespaces of their own: the host is neither mounted on nor set."""
    program = (
        "import ctypes, sys; from tests.escape.host_state import look; before = look('no-such-mark');"
        "libc = ctypes.CDLL(None, use_errno=True);"
        "assert libc.mount(b'tmpfs', b'/mnt', b'tmpfs', 0, None) == 0;"
        "open('/proc/sys/kernel/hostname', 'w').write('changed');"
        "print(*sorted({each.partition(':')[0] for each in before.differences(look('no-such-mark'))}))"
    )
    command = ["unshare", "-mur", "--propagation", "private", sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stdout.split() == ["identity", "mounts", "settings"]


def test_what_a_run_of_another_process_leaves_is_seen_by_that_runs_mark():
    before = look(f"{MARK}-")
    column = Column(title="run", grade="basic", findings=(), verdicts=(), marks=("lampion-test-live-other",))
    assert changes_since(before, [column]) == []
    with tempfile.TemporaryDirectory(prefix="lampion-test-live-other-"):
        assert [each.partition(":")[0] for each in changes_since(before, [column])] == ["files"]


def test_a_key_of_another_run_is_no_change_and_any_other_of_ours_is():
    mark = "lampion-test-live-12"
    assert is_of_another_run("keyring lampion-test-live-34-2-sandbox: empty", (f"{mark}-",))
    assert is_of_another_run("keyring lampion-test-live-123-sandbox: empty", (f"{mark}-",))
    assert not is_of_another_run(f"keyring {mark}-2-sandbox: empty", (f"{mark}-",))
    assert not is_of_another_run("user lampion-probe: 4", (f"{mark}-",))
