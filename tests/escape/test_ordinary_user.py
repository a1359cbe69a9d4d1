"""The user that the suite makes is what it says, and gone at the end."""

import json
import pwd
from pathlib import Path

import pytest

from tests.ordinary_user import missing, ordinary_user, run_as

PROGRAM = """
import json, os, pwd
from pathlib import Path
import msgspec, uvloop, boto3, lampion.sandbox.drivers.namespace
name = pwd.getpwuid(os.getuid()).pw_name
print(json.dumps({
    "ids": [os.getuid(), os.geteuid(), *os.getgroups()],
    "subordinate": [line for line in Path("/etc/subuid").read_text().splitlines() if line.startswith(name + ":")],
    "cgroups": [line for line in Path("/proc/self/cgroup").read_text().splitlines() if "-user" in line],
}))
"""

pytestmark = pytest.mark.skipif(missing() != "", reason=f"{missing()} (make escape installs what it can)")


@pytest.mark.parametrize("has_everything", [True, False])
def test_it_has_ids_and_cgroups_or_neither(has_everything):
    with ordinary_user(has_ids=has_everything, has_cgroups=has_everything) as user:
        told = json.loads(run_as(user, ["-c", PROGRAM], 60).stdout)
        directories = [Path(file).parent for file in user.cgroup_files]
        assert user.user_id != 0
        assert set(told["ids"]) == {user.user_id}
        assert (len(told["subordinate"]) == 1, len(told["cgroups"]) > 0) == (has_everything, has_everything)
        assert bool(directories) == has_everything
        assert all(directory.stat().st_uid == user.user_id for directory in directories)
    assert user.name not in [each.pw_name for each in pwd.getpwall()]
    assert user.name not in Path("/etc/subuid").read_text()
    assert not [path for path in (user.home, *directories) if path.exists()]


def test_it_is_gone_after_a_failure_as_well():
    seen = []

    def fail() -> None:
        with ordinary_user(has_ids=True, has_cgroups=True) as user:
            seen.append(user)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert seen[0].name not in [each.pw_name for each in pwd.getpwall()]
    assert not seen[0].home.exists()
