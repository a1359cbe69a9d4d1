"""Cgroup layouts as machines really have them, and the plan that follows. Pure."""

from pathlib import Path

import pytest

from lampion.sandbox.cgroups import (
    FREEZER,
    Cgroup,
    CgroupPlan,
    Hierarchy,
    Layout,
    cpu_quota,
    delegation,
    limit_settings,
    parse_layout,
    plan_cgroups,
)
from lampion.sandbox.spec import Limits

HYBRID_MOUNTS = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
HYBRID_OWN = "9:name=systemd:/\n8:pids:/\n4:memory:/jobs/4f46\n1:cpu:/\n0::/\n"
DEBIAN_V1_MOUNTS = """\
25 31 0:22 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
28 25 0:25 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:11 - cgroup cgroup rw,cpu,cpuacct
29 25 0:26 / /sys/fs/cgroup/memory rw,nosuid shared:12 - cgroup cgroup rw,memory
30 25 0:27 / /sys/fs/cgroup/pids rw,nosuid shared:13 - cgroup cgroup rw,pids
"""
DEBIAN_V1_OWN = """\
5:pids:/user.slice/user-0.slice/session-2.scope
4:memory:/user.slice/user-0.slice/session-2.scope
3:cpu,cpuacct:/user.slice
1:name=systemd:/user.slice/user-0.slice/session-2.scope
"""
V2_MOUNTS = (
    "24 23 0:22 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
)
V2_OWN = "0::/system.slice/lampion.service\n"
DOCKER_V1_MOUNTS = """\
700 690 0:60 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw,mode=755
701 700 0:26 /docker/abc /sys/fs/cgroup/memory ro,nosuid master:12 - cgroup cgroup rw,memory
702 700 0:25 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:11 - cgroup cgroup rw,cpu,cpuacct
703 700 0:27 /docker/abc /sys/fs/cgroup/pids ro,nosuid master:13 - cgroup cgroup rw,pids
"""
DOCKER_V1_OWN = "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n2:pids:/docker/abc\n"
DOCKER_V2_MOUNTS = "700 690 0:22 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate\n"
ALL = ("cpuset", "cpu", "io", "memory", "pids")
TOP = Path("/sys/fs/cgroup")
LIMITS = Limits(memory_mib=128, cpu_cores=0.5, max_processes=10)


def directories(layout: Layout) -> dict[str, tuple[int, str]]:
    found = {name: (h.version, str(h.directory.relative_to(TOP))) for name, h in layout.controllers.items()}
    found.pop(FREEZER, None)
    return found


@pytest.mark.parametrize(
    ("mounts", "own", "unified", "expected"),
    [
        pytest.param(
            HYBRID_MOUNTS,
            HYBRID_OWN,
            ("hugetlb",),
            {"memory": (1, "memory/jobs/4f46"), "cpu": (1, "cpu"), "pids": (1, "pids")},
            id="hybrid, controllers in version 1",
        ),
        pytest.param(
            HYBRID_MOUNTS.replace("rw,memory", "rw,blkio"),
            HYBRID_OWN,
            ("memory",),
            {"memory": (2, "unified"), "cpu": (1, "cpu"), "pids": (1, "pids")},
            id="hybrid, memory in version 2",
        ),
        pytest.param(
            DEBIAN_V1_MOUNTS,
            DEBIAN_V1_OWN,
            (),
            {
                "memory": (1, "memory/user.slice/user-0.slice/session-2.scope"),
                "cpu": (1, "cpu,cpuacct/user.slice"),
                "pids": (1, "pids/user.slice/user-0.slice/session-2.scope"),
            },
            id="version 1",
        ),
        pytest.param(
            V2_MOUNTS,
            V2_OWN,
            ALL,
            dict.fromkeys(("memory", "cpu", "pids"), (2, "system.slice/lampion.service")),
            id="version 2",
        ),
        pytest.param(
            V2_MOUNTS,
            V2_OWN.rstrip() + "/lampion-servers\n",
            ALL,
            dict.fromkeys(("memory", "cpu", "pids"), (2, "system.slice/lampion.service")),
            id="version 2, the server in its own leaf already",
        ),
        pytest.param(
            DOCKER_V1_MOUNTS,
            DOCKER_V1_OWN,
            (),
            {"memory": (1, "memory"), "cpu": (1, "cpu,cpuacct"), "pids": (1, "pids")},
            id="a container on version 1",
        ),
        pytest.param(
            DOCKER_V2_MOUNTS,
            "0::/\n",
            ("cpu", "memory"),
            {"memory": (2, "."), "cpu": (2, ".")},
            id="a container on version 2 without pids",
        ),
        pytest.param(DOCKER_V2_MOUNTS, "0::/../../other\n", ("cpu",), {"cpu": (2, ".")}, id="outside what we see"),
        pytest.param(V2_MOUNTS, V2_OWN, (), {}, id="no controllers"),
        pytest.param("", "", ALL, {}, id="no cgroups at all"),
        pytest.param("nonsense\n1 2 - x\n - - -\n", "nonsense\n:\n", ALL, {}, id="nonsense"),
    ],
)
def test_each_controller_is_found_where_it_is(mounts, own, unified, expected):
    assert directories(parse_layout(mounts, own, unified)) == expected


def test_on_a_machine_of_its_own_version_2_cgroups_are_made_at_the_top():
    layout = parse_layout(V2_MOUNTS, V2_OWN, ALL, is_container=False)
    assert {hierarchy.directory for hierarchy in layout.hierarchies()} == {TOP}


def test_a_server_that_sits_among_its_sandboxes_finds_the_cgroup_that_it_came_from():
    own = DEBIAN_V1_OWN.replace("/user.slice\n", "/user.slice/lampion/4026531836-77-1234\n")
    assert directories(parse_layout(DEBIAN_V1_MOUNTS, own, ()))["cpu"] == (1, "cpu,cpuacct/user.slice")


def test_a_mount_point_may_have_blanks():
    mounts = "24 23 0:22 / /a\\040b rw - cgroup2 cgroup2 rw\n"
    assert parse_layout(mounts, "0::/\n", ["cpu"]).controllers["cpu"].directory == Path("/a b")


FREEZER_MOUNT = "42 31 0:39 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer\n"


@pytest.mark.parametrize(
    ("mounts", "own", "file", "can_kill_frozen"),
    [
        pytest.param(
            HYBRID_MOUNTS + FREEZER_MOUNT, HYBRID_OWN + "7:freezer:/\n", "freezer/*/freezer.state", False, id="both"
        ),
        pytest.param(HYBRID_MOUNTS, HYBRID_OWN, "unified/*/cgroup.freeze", True, id="version 2 beside version 1"),
        pytest.param(V2_MOUNTS, V2_OWN, "system.slice/lampion.service/*/cgroup.freeze", True, id="version 2"),
        pytest.param(DEBIAN_V1_MOUNTS, DEBIAN_V1_OWN, None, None, id="none"),
    ],
)
def test_processes_are_stopped_by_a_file_of_either_version(mounts, own, file, can_kill_frozen):
    freeze_file = plan_cgroups(parse_layout(mounts, own, ()), "l", "1-2-3", "box").freeze_file
    assert (None if freeze_file is None else str(freeze_file.path.relative_to(TOP))) == (
        file and file.replace("*", "l/1-2-3/box")
    )
    assert (None if freeze_file is None else freeze_file.can_kill_frozen) is can_kill_frozen


def test_a_tree_for_the_freezer_alone_hands_nothing_down():
    plan = plan_cgroups(parse_layout(HYBRID_MOUNTS, HYBRID_OWN, ()), "l", "o", "box")
    unified = [cgroup for cgroup in plan.cgroups if "unified" in str(cgroup.path)]
    assert [cgroup.settings for cgroup in unified] == [(), (), ()]


def settings_of(layout: Layout, plan: CgroupPlan) -> list[tuple[Path, str, str]]:
    return [(setting.path, setting.file, setting.value) for setting in limit_settings(layout, plan, LIMITS)]


def test_the_plan_for_version_1_limits_each_controller_in_its_own_tree():
    layout = parse_layout(HYBRID_MOUNTS, HYBRID_OWN, ())
    layout = Layout(layout.controllers, frozenset({"memory.memsw.limit_in_bytes"}))
    plan = plan_cgroups(layout, "lampion", "1-2-3", "box")
    memory, cpu, pids = TOP / "memory/jobs/4f46", TOP / "cpu", TOP / "pids"
    size = str(128 << 20)
    assert plan.cgroups == (
        Cgroup(memory / "lampion", True),
        Cgroup(memory / "lampion/1-2-3", True),
        Cgroup(memory / "lampion/1-2-3/box", False),
        Cgroup(cpu / "lampion", True),
        Cgroup(cpu / "lampion/1-2-3", True),
        Cgroup(cpu / "lampion/1-2-3/box", False),
        Cgroup(pids / "lampion", True),
        Cgroup(pids / "lampion/1-2-3", True),
        Cgroup(pids / "lampion/1-2-3/box", False),
        Cgroup(TOP / "unified/lampion", True),
        Cgroup(TOP / "unified/lampion/1-2-3", True),
        Cgroup(TOP / "unified/lampion/1-2-3/box", False),
    )
    assert settings_of(layout, plan) == [
        (memory / "lampion/1-2-3/box", "memory.limit_in_bytes", size),
        (memory / "lampion/1-2-3/box", "memory.memsw.limit_in_bytes", size),
        (cpu / "lampion/1-2-3/box", "cpu.cfs_period_us", "100000"),
        (cpu / "lampion/1-2-3/box", "cpu.cfs_quota_us", "100000"),
        (pids / "lampion/1-2-3/box", "pids.max", "11"),
    ]
    assert plan.oom_file == memory / "lampion/1-2-3/box/memory.oom_control"
    assert plan.peak_file == memory / "lampion/1-2-3/box/memory.max_usage_in_bytes"
    assert plan.cpu_file == cpu / "lampion/1-2-3/box/cpu.cfs_quota_us"


def test_the_plan_for_version_2_is_one_directory_whose_ancestors_hand_the_controllers_down():
    layout = parse_layout(V2_MOUNTS, V2_OWN, ALL)
    layout = Layout(layout.controllers, frozenset({"memory.swap.max", "memory.peak"}))
    plan = plan_cgroups(layout, "lampion", "1-2-3", "box")
    family = TOP / "system.slice/lampion.service/lampion"
    handed_down = (("cgroup.subtree_control", "+memory +cpu +pids"),)
    assert plan.cgroups == (
        Cgroup(family, True, handed_down),
        Cgroup(family / "1-2-3", True, handed_down),
        Cgroup(family / "1-2-3/box", False),
    )
    assert settings_of(layout, plan) == [
        (family / "1-2-3/box", "memory.max", str(128 << 20)),
        (family / "1-2-3/box", "memory.swap.max", "0"),
        (family / "1-2-3/box", "cpu.max", "100000 100000"),
        (family / "1-2-3/box", "pids.max", "11"),
    ]
    assert plan.oom_file == family / "1-2-3/box/memory.events"
    assert plan.peak_file == family / "1-2-3/box/memory.peak"
    assert plan.cpu_file == family / "1-2-3/box/cpu.max"


def test_an_older_kernel_has_no_peak_and_no_swap_limit():
    layout = parse_layout(V2_MOUNTS, V2_OWN, ["memory"])
    plan = plan_cgroups(layout, "lampion", "o", "box")
    assert plan.peak_file is not None
    assert plan.peak_file.name == "memory.current"
    assert settings_of(layout, plan) == [(plan.cgroups[-1].path, "memory.max", str(128 << 20))]
    assert plan.cpu_file is None


def test_without_controllers_there_is_no_plan():
    plan = plan_cgroups(Layout({}), "lampion", "o", "box")
    assert (plan.cgroups, plan.oom_file, plan.peak_file, plan.cpu_file) == ((), None, None, None)


def test_only_the_controllers_of_a_hierarchy_are_handed_down():
    two, one = Hierarchy(2, TOP, TOP), Hierarchy(1, TOP / "pids", TOP / "pids")
    assert delegation(Layout({"memory": two, "cpu": two, "pids": one}), two) == "+memory +cpu"


@pytest.mark.parametrize(
    ("cores", "one", "two"),
    [
        (1, "100000", "100000 100000"),
        (128 / 1769, "7236", "7236 100000"),
        (5.79, "579000", "579000 100000"),
        (0.001, "1000", "1000 100000"),
    ],
)
def test_a_share_of_a_core_becomes_a_quota_that_the_kernel_accepts(cores, one, two):
    assert (cpu_quota(cores, 1), cpu_quota(cores, 2)) == (one, two)
