"""The pure parts of the OCI driver: what a runtime is told, and that it is what the launcher does."""

import errno
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lampion.sandbox.driver import Grade, SandboxError
from lampion.sandbox.host_view import Entry, EntryKind
from lampion.sandbox.launcher.build import SOURCES
from lampion.sandbox.launcher.description import Identity
from lampion.sandbox.oci import seccomp
from lampion.sandbox.oci.bundle import Controls, View, covers_of, make_bundle
from lampion.sandbox.oci.cgroup_files import oom_kills, own_cgroups
from lampion.sandbox.oci.runtime import passing_options
from lampion.sandbox.oci.trial import Report, assess
from lampion.sandbox.spec import Limits, Network, NetworkMode, SandboxSpec

SYSTEM_CALLS = (SOURCES / "system_calls.h").read_text()
SECCOMP_C = (SOURCES / "seccomp.c").read_text()
NUMBERS = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "TIOCSTI": 0x5412, "TIOCLINUX": 0x541C, "PR_SET_SECCOMP": 22}
SPEC = SandboxSpec(
    sandbox_id="box",
    argv=("/bin/x", "a b"),
    environ={"A": "ä"},
    working_directory="/var/task",
    mounts=(),
    limits=Limits(memory_mib=256, cpu_cores=0.5, max_processes=20),
)
ALL = Controls("/lampion/box", frozenset({"memory", "cpu", "pids"}), limits_swap=True)


def bundle(spec=SPEC, views=(), entries=(), controls=ALL):
    return make_bundle(
        spec,
        identity=Identity(7000, 7001),
        views=views,
        entries=entries,
        controls=controls,
        covers=covers_of((SOURCES / "proc.c").read_text()),
        seccomp=None,
    )


def test_process_1_is_our_own_and_runs_the_program_with_nothing_but_its_own_environment():
    process = bundle().configuration["process"]
    assert process["args"] == ["/init", "unset", "/var/task", "/bin/x", "a b"]
    assert process["env"] == [
        "AWS_ENDPOINT_URL=http://127.0.0.1:9002",
        "A=ä",
        "AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001",
        "_LAMBDA_TELEMETRY_LOG_FD=3",
    ]
    assert process["user"] == {"uid": 993, "gid": 990}
    assert set(map(tuple, process["capabilities"].values())) == {()}
    assert process["noNewPrivileges"] is True
    assert {"type": "RLIMIT_STACK", "soft": 8 << 20, "hard": (1 << 64) - 1} in process["rlimits"]


@pytest.mark.parametrize(("home", "word"), [({}, "unset"), ({"HOME": ""}, "empty"), ({"HOME": "/x"}, "keep")])
def test_a_home_that_the_runtime_would_add_is_taken_back(home, word):
    assert bundle(replace(SPEC, environ=home)).configuration["process"]["args"][1] == word


def test_without_a_network_no_endpoint_is_named():
    process = bundle(replace(SPEC, network=Network(NetworkMode.NONE))).configuration["process"]
    assert not [pair for pair in process["env"] if pair.startswith("AWS_ENDPOINT_URL")]


def test_users_are_mapped_one_by_one():
    linux = bundle().configuration["linux"]
    for ids, inside in (("uidMappings", 993), ("gidMappings", 990)):
        assert linux[ids] == [
            {"containerID": inside, "hostID": 7000, "size": 1},
            {"containerID": 0, "hostID": 7001, "size": 1},
        ]


def test_limits_are_asked_for_where_the_machine_has_them():
    assert bundle().configuration["linux"]["resources"] == {
        "memory": {"limit": 256 << 20, "swap": 256 << 20},
        "cpu": {"quota": 100_000, "period": 100_000},
        "pids": {"limit": 21},
    }
    assert bundle(controls=Controls("/x")).configuration["linux"]["resources"] == {}


def test_views_are_read_only_mounts_with_a_place_in_the_tree():
    views = [View(Path("/host/code"), "/var/task", True), View(Path("/host/f"), "/etc/f", False)]
    made = bundle(views=views, entries=[Entry(EntryKind.SYMLINK, "/bin", "usr/bin")])
    mounts = {mount["destination"]: mount for mount in made.configuration["mounts"]}
    assert mounts["/var/task"]["source"] == "/host/code"
    assert {"ro", "nosuid", "nodev"} <= set(mounts["/var/task"]["options"])
    assert ("directory", "/var/task", "") in made.tree
    assert ("file", "/etc/f", "") in made.tree
    assert ("symlink", "/bin", "usr/bin") in made.tree


@pytest.mark.parametrize(
    "target", ["x", "/a/../b", "/a//b", "/a/", "", "/", "/dev", "/tmp/x", "/bin/x", "/usr/x", "/init"]
)
def test_no_place_is_made_outside_of_the_tree_or_in_a_view_of_the_host(target):
    views = [View(Path("/usr"), "/usr", True), View(Path("/i"), "/init", False), View(Path("/host"), target, True)]
    if target == "/init":  # twice
        views[-1] = View(Path("/host"), "/init/x", True)
    with pytest.raises(SandboxError, match="no place for a mount"):
        bundle(views=views, entries=[Entry(EntryKind.SYMLINK, "/bin", "usr/bin")])


@pytest.mark.parametrize(("word", "said"), [("a\0b", "NUL"), ("\udc80", "UTF-8")])
def test_what_no_configuration_can_say_is_an_error(word, said):
    for spec in (replace(SPEC, argv=("/bin/x", word)), replace(SPEC, environ={"A": word})):
        with pytest.raises(SandboxError, match=said):
            bundle(spec)


def test_what_the_launcher_covers_of_proc_is_covered():
    linux = bundle().configuration["linux"]
    assert {"/proc/kcore", "/proc/kallsyms", "/proc/acpi", "/proc/cmdline"} <= set(linux["maskedPaths"])
    assert {"/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq"} == set(linux["readonlyPaths"])


def test_the_list_of_system_calls_is_the_launchers():
    one, other = (set(seccomp.listed_calls(SYSTEM_CALLS, machine)) for machine in ("x86_64", "aarch64"))
    everything = set(re.findall(r"(?:CALL|NEW)\((\w+)", SYSTEM_CALLS))
    assert one | other == everything - {"name"}
    assert {"open", "fork", "poll"} <= one - other
    assert {"openat", "read", "futex_wait", "newfstatat"} <= one & other
    section = seccomp.seccomp_section(SYSTEM_CALLS, "x86_64")
    assert section is not None
    assert set(section["syscalls"][0]["names"]) == one
    assert (section["defaultAction"], section["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", errno.EPERM)
    assert seccomp.seccomp_section(SYSTEM_CALLS, "riscv64") is None


@pytest.mark.parametrize(
    ("array", "values"),
    [
        ("families", seccomp.FAMILIES),
        ("pair_families", seccomp.PAIR_FAMILIES),
        ("terminal_tricks", seccomp.TERMINAL_TRICKS),
        ("filters", seccomp.FILTERS),
        ("personalities", seccomp.PERSONALITIES),
    ],
)
def test_calls_judged_by_their_arguments_are_judged_as_in_the_launcher(array, values):
    match = re.search(rf"\b{array}\[\] = \{{(.*?)\}}", SECCOMP_C)
    assert match is not None
    assert tuple(NUMBERS.get(word) or int(word, 0) for word in match[1].split(", ")) == values


def test_the_launcher_judges_no_other_call_by_its_arguments():
    of_every_sandbox = SECCOMP_C.partition("static void judge_modes")[0]
    judged = set(re.findall(r"(?:pass_with|pass_without|answer_to)\(__NR_(\w+)", of_every_sandbox)) | {"clone"}
    section = seccomp.seccomp_section(SYSTEM_CALLS, "x86_64")
    assert section is not None
    assert {name for rule in section["syscalls"][1:] for name in rule["names"]} == judged
    assert not judged & set(section["syscalls"][0]["names"])


@pytest.mark.parametrize("values", [(1, 2, 10), (0x5412, 0x541C), (22,)])
def test_the_other_numbers_are_all_32_bit_numbers_but_those_whatever_the_upper_half(values):
    pairs = seccomp.others(values)
    for number in [*values, *range(64), 0x5411, 0x5413, 0x541B, 0xFFFF_FFFF, 0x8000_0000]:
        for upper in (0, 1 << 32):
            fits = any((number | upper) & mask == value for mask, value in pairs)
            assert fits is (number not in values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("      --preserve-fds=N       pass additional FDs", ("--preserve-fds", "2")),
        ("   -pass-fd value\n    file descriptor passed", ("--pass-fd", "3:3", "--pass-fd", "4:4")),
        ("  -detach\n", None),
    ],
)
def test_descriptors_are_passed_on_in_the_words_of_the_runtime(text, words):
    assert passing_options(text) == words


MIXED = (
    "1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "2 0 0:2 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
    "3 0 0:3 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)


def test_a_cgroup_counts_only_where_it_is_the_containers_own():
    own = own_cgroups(MIXED, "2:memory:/up/box\n1:cpu:/server\n0::/box\n", "box")
    assert str(own.pop("memory").directory) == "/sys/fs/cgroup/memory/up/box"
    assert "cpu" not in own
    pure = "3 0 0:3 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    own = own_cgroups(pure, "0::/box\n", "box")
    assert {str(own[name].directory) for name in ("memory", "cpu", "pids")} == {"/sys/fs/cgroup/box"}


def test_the_count_of_kills_is_read_in_either_version():
    assert oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n") == 3
    assert oom_kills("low 0\noom 1\noom_kill 2\n") == 2
    assert oom_kills("") == 0


GOOD = Report("", is_filtered=True, is_powerless=True, controllers=frozenset({"memory", "cpu", "pids"}))


@pytest.mark.parametrize(
    ("report", "grade", "names"),
    [
        (GOOD, Grade.STRONG, []),
        (replace(GOOD, is_filtered=False), Grade.BASIC, ["seccomp"]),
        (replace(GOOD, is_filtered=False, has_own_kernel=True), Grade.STRONG, []),
        (replace(GOOD, is_powerless=False), Grade.BASIC, ["privileges"]),
        (replace(GOOD, controllers=frozenset({"cpu", "pids"})), Grade.BASIC, ["cgroup-memory"]),
        (Report("there is no OCI runtime x"), Grade.NONE, ["oci-runtime"]),
        (Report("the Runtime API isn't reached from inside: it says nothing"), Grade.NONE, ["oci-runtime"]),
    ],
)
def test_the_grade_follows_from_what_the_trial_saw(report, grade, names):
    told = assess(("x",), report)
    assert (told.grade, [finding.name for finding in told.findings]) == (grade, names)
    assert told.memory_limit is (grade is not Grade.NONE and "memory" in report.controllers)


def test_each_obstacle_has_a_mend():
    assert assess(("x",), Report("there is no OCI runtime x")).findings[0].mend == "apt-get install crun"
    assert "--network=host" in assess(("runsc",), Report("the Runtime API isn't reached")).findings[0].mend
    assert assess(("x",), Report("the server isn't root"), is_root=False).findings[0].mend == "start the server as root"
