"""A sandbox's part of the processors: what can't be set ends no invocation, but a limit that doesn't hold is told."""

from contextlib import closing
from pathlib import Path

import pytest

from lampion.sandbox.cgroups import SERVER_LEAF, weight_file
from lampion.sandbox.cpu_files import set_quota, set_weight
from lampion.sandbox.server_leaf import HandedDown


@pytest.mark.parametrize("version", [1, 2])
def test_giving_way_is_a_thirtieth_of_the_weight_and_is_taken_back(tmp_path: Path, version: int) -> None:
    file = weight_file(tmp_path, version)
    set_weight(file, gives_way=True)
    small = int(file.path.read_text())
    set_weight(file, gives_way=False)
    assert 25 <= int(file.path.read_text()) / small <= 35


def test_a_weight_that_cannot_be_set_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "cpu.weight").mkdir()
    set_weight(weight_file(tmp_path, 2), gives_way=True)
    set_weight(weight_file(tmp_path / "gone", 2), gives_way=True)
    set_weight(None, gives_way=True)


def test_a_quota_is_not_missed_once_the_cgroup_has_gone(tmp_path: Path) -> None:
    set_quota(tmp_path / "gone" / "cpu.max", "1")
    set_quota(None, "1")
    with pytest.raises(IsADirectoryError):
        set_quota(tmp_path, "1")


def test_the_leaf_of_servers_has_the_highest_weight(tmp_path: Path) -> None:
    for name in ("cgroup.subtree_control", "cgroup.procs"):
        (tmp_path / name).touch()
    with closing(HandedDown(tmp_path, "+cpu")):
        assert (tmp_path / SERVER_LEAF / "cpu.weight").read_text() == "10000"
