"""A server of an ordinary user: what its sandboxes are depends on what the machine's root has given to that user."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lampion.sandbox.cgroups import SERVER_LEAF
from lampion.sandbox.spec import Limits
from tests.live_server import MARK
from tests.ordinary_user import OrdinaryUser, missing, ordinary_user, run_as
from tests.sandbox.boxes import eventually, patiently

NOT_WITHOUT_ROOT = {"tmp-in-memory", "snapshots"}
CGROUP_FINDINGS = {"cgroup-memory", "cgroup-cpu", "cgroup-pids"}
PARENT = f"{MARK}-ordinary"

pytestmark = pytest.mark.skipif(missing() != "", reason=missing())


def processes_below(user: OrdinaryUser) -> list[int]:
    """Those of the user, and of its subordinate ids."""
    ids = {user.user_id, *user.subordinate_ids}
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _owner(path) in ids]


def _owner(process: Path) -> int:
    try:
        return int((process / "status").read_text().partition("Uid:")[2].split()[0])
    except OSError:
        return -1


def cgroups_below(user: OrdinaryUser) -> list[Path]:
    """What lies in the directories that were given to the user, but the empty leaf of a server that was killed.

    The next server there gives that one back: test_server_leaf.py.
    """
    below = [path for file in user.cgroup_files for path in Path(file).parent.iterdir() if path.is_dir()]
    return [path for path in below if path.name != SERVER_LEAF or (path / "cgroup.procs").read_text()]


@contextmanager
def leaves_nothing(*, has_ids: bool, has_cgroups: bool) -> Iterator[OrdinaryUser]:
    with ordinary_user(has_ids=has_ids, has_cgroups=has_cgroups) as user:
        mounts = Path("/proc/self/mountinfo").read_text()
        yield user
        give_up_at = time.monotonic() + patiently(5)  # a launcher tells the end of its sandbox, and then ends itself
        while (left := [*processes_below(user), *cgroups_below(user)]) and time.monotonic() < give_up_at:
            time.sleep(0.02)
        assert left == []
        assert Path("/proc/self/mountinfo").read_text() == mounts


def found_by(user: OrdinaryUser) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run_as(user, ["-m", "tests.sandbox.one_server", PARENT], patiently(120)).stdout)
    return found


def check_sharing(user: OrdinaryUser, found: dict[str, Any]) -> None:
    """Functions write to a shared directory as the server's user, whatever they are otherwise, and as nobody else.

    They run programs from a directory in memory.
    """
    assert found["in memory"] == "ran"
    refusal = "only a server that is root can let functions act as user"
    assert (found["shared"]["text"], found["shared"]["is own"]) == ("xx", True)
    assert found["shared"]["as another"].startswith(f"{refusal} {user.user_id + 1} ")


def test_with_ids_and_cgroups_of_its_own_the_grade_is_strong_and_every_limit_holds():
    with leaves_nothing(has_ids=True, has_cgroups=True) as user:
        found = found_by(user)
        assert found["user"] == user.user_id != 0
        assert (found["grade"], set(found["findings"])) == ("strong", NOT_WITHOUT_ROOT)
        assert found["inside"] == ["(993, 993, 993) (990, 990, 990) [] sbx_user1051"] * 2
        ids = [id_ for pair in found["on the host"] for id_ in pair]
        assert len(set(ids)) == 4, "process 1 and the function of each sandbox are users of their own"
        assert set(ids) <= set(user.subordinate_ids)
        assert found["memory"] == {"code": None, "signal": 9, "out_of_memory": True}
        assert found["processes"] == 19
        assert found["pids.max"] == Limits(memory_mib=128, cpu_cores=1).max_processes + 1
        assert found["throttled"]
        check_sharing(user, found)


def test_without_ids_functions_run_as_the_servers_user_and_their_limits_hold():
    with leaves_nothing(has_ids=False, has_cgroups=True) as user:
        found = found_by(user)
        assert (found["grade"], set(found["findings"])) == ("basic", {"subordinate-ids"} | NOT_WITHOUT_ROOT)
        assert "usermod --add-subuids" in found["findings"]["subordinate-ids"]
        assert found["inside"] == ["(993, 993, 993) (990, 990, 990) [] sbx_user1051"] * 2
        assert found["on the host"] == [[], []], "nobody's but the server's"
        assert found["memory"] == {"code": None, "signal": 9, "out_of_memory": True}
        assert found["throttled"]
        check_sharing(user, found)


def test_without_cgroups_functions_are_isolated_and_not_limited():
    with leaves_nothing(has_ids=True, has_cgroups=False) as user:
        found = found_by(user)
        assert (found["grade"], set(found["findings"])) == ("basic", CGROUP_FINDINGS | NOT_WITHOUT_ROOT)
        assert all("Delegate=yes" in found["findings"][name] for name in CGROUP_FINDINGS)
        assert len({id_ for pair in found["on the host"] for id_ in pair}) == 4
        assert "memory" not in found


async def test_nothing_of_such_a_server_outlives_it():
    with leaves_nothing(has_ids=True, has_cgroups=True) as user:
        arguments = ("-m", "tests.sandbox.holder", "hold", PARENT, PARENT, "3", str(user.home))
        with subprocess.Popen(
            user.command(*arguments), env=user.environ(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        ) as server:
            try:
                assert server.stdout is not None
                assert server.stdout.readline() == b"holding 3\n"
                assert await eventually(lambda: len(processes_below(user)) >= 1 + 3 * 4), (
                    "on a slow machine they fork late"
                )
                assert len(cgroups_below(user)) >= 1
            finally:
                server.kill()
        assert await eventually(lambda: processes_below(user) == [] and cgroups_below(user) == [])
