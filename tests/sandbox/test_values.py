"""The pure parts of the room: what the launcher is told and tells, paths, process tables, findings."""

import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from lampion.sandbox.cgroups import Cgroup, CgroupPlan, Setting
from lampion.sandbox.companions import NotStarted
from lampion.sandbox.disks import IN_MEMORY, INSTALL_TOOLS
from lampion.sandbox.doctor import assess
from lampion.sandbox.driver import Exit, Grade, SandboxError
from lampion.sandbox.host_view import Entry, EntryKind, host_entries, mount_entries, place_entries
from lampion.sandbox.launcher.description import (
    Identity,
    Worker,
    describe_prepared,
    describe_special,
    describe_zygote,
)
from lampion.sandbox.launcher.messages import Ended, Failed, Prepared, ProcessEnded, Running, parse_message
from lampion.sandbox.machine import MachineFacts
from lampion.sandbox.own_namespace import OwnNamespace, SubordinateIds, parse_subordinate_ids
from lampion.sandbox.process_family import ProcessRow, family_of
from lampion.sandbox.relocation import relocate_environ, relocate_path
from lampion.sandbox.spec import Companions, Limits, Mount
from lampion.sandbox.trampoline import encode_request

LIMITS = Limits(memory_mib=128, cpu_cores=1, tmp_mib=512)
FIRST: dict[str, Any] = {
    "limits": LIMITS,
    "identity": Identity(7, 8),
    "entries": [Entry(EntryKind.BIND, "/opt", "/host"), Entry(EntryKind.DIRECTORY, "/run")],
    "cgroups": CgroupPlan(
        (Cgroup(Path("/c"), True), Cgroup(Path("/c/b"), False, (("pids.max", "9"),))), Path("/o"), Path("/p"), None
    ),
}
SECOND: dict[str, Any] = {
    "argv": ["/bin/x", "a b"],
    "environ": {"A": "1"},
    "working_directory": "/var/task",
    "limits": LIMITS,
    "settings": [Setting(Path("/c/b"), "pids.max", "9")],
    "entries": [Entry(EntryKind.BIND, "/var/task", "/code")],
}


def test_the_first_description_says_what_does_not_depend_on_the_function():
    text = " ".join(describe_prepared(**FIRST).decode().split("\0"))
    assert text.startswith(
        f"user 993 990 7 7 user-namespace keeper 8 8 tmp {512 << 20} shared-cgroup /c cgroup /c/b set"
    )
    assert "counters /o /p bind /opt /host directory /run rlimit core" in text
    assert "argument" not in text
    assert "forked" not in text


def test_a_user_without_a_namespace_of_its_own_sees_its_real_number():
    text = " ".join(describe_prepared(**{**FIRST, "identity": Identity(7, 8, False)}).decode().split("\0"))
    assert text.startswith(f"user 7 7 7 7 tmp {512 << 20} shared-cgroup")


def test_who_waits_in_a_prepared_sandbox_is_a_program_or_comes_from_a_zygote():
    booted = describe_prepared(**FIRST, worker=Worker(("/bin/node", "--wait"), (("LANG", "C"),)))
    assert booted.endswith(b"argument\0/bin/node\0argument\0--wait\0variable\0LANG=C\0")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert describe_prepared(**FIRST, worker=Worker(zygote=ours)).endswith(b"forked\0")


def test_the_second_description_is_the_function():
    words = describe_special(**SECOND).decode().split("\0")
    text = " ".join(words)
    assert text.startswith(f"shared-memory {128 << 20} working-directory /var/task set /c/b pids.max 9 bind /var/task")
    assert words[words.index("argument") :][:4] == ["argument", "/bin/x", "argument", "a b"]
    assert [word for word in words if "=" in word] == [
        "A=1",
        "AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001",
    ]


def test_companions_are_programs_with_variables_of_their_own():
    companions = Companions(("/opt/extensions/a", "/opt/extensions/b"), {"B": "2"})
    words = describe_special(**SECOND, companions=companions).decode().split("\0")
    first = words.index("companion")
    assert words[first:-1] == [
        *("companion", "/opt/extensions/a", "companion", "/opt/extensions/b"),
        *("companion-variable", "B=2", "companion-variable", "AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001"),
    ]


def test_a_zygote_is_described_without_user_limits_of_memory_or_function():
    text = " ".join(describe_zygote(argv=["/p"], environ={"A": "1"}, entries=(), limits=LIMITS).decode().split("\0"))
    assert text.startswith("zygote rlimit core")
    assert text.endswith("argument /p variable A=1 ")


@pytest.mark.parametrize("part", [{"argv": ["a\0b"]}, {"environ": {"A": "\0"}}, {"working_directory": "/\0"}])
def test_nul_characters_are_refused(part):
    with pytest.raises(SandboxError, match="NUL"):
        describe_special(**{**SECOND, **part})


def test_a_description_beyond_a_mebibyte_is_refused():
    with pytest.raises(SandboxError, match="1048576"):
        describe_special(**{**SECOND, "environ": {"A": "x" * (1 << 20)}})


KILLED = int(signal.SIGKILL)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"prepared", Prepared()),
        (b"running", Running()),
        (b"error exec /x: No such file", Failed("exec /x: No such file")),
        (b"process 0 code 3 oom 0", ProcessEnded(0, Exit(3))),
        (b"process 2 signal 9 oom 0", ProcessEnded(2, Exit(None, 9))),
        (b"process 2 signal 9 oom 1", ProcessEnded(2, Exit(None, 9, True))),
        (b"process 1 signal 11 oom 1", ProcessEnded(1, Exit(None, 11))),
        (b"process 1 error 13 oom 0", ProcessEnded(1, NotStarted(13))),
        (b"process 1 error 13", Failed("unknown message 'process 1 error 13'")),
        (b"exit code 3 oom 0 peak 77 killed 0", Ended(Exit(3), 77)),
        (b"exit code 1 oom 2 peak 77 killed 0", Ended(Exit(1), 77)),
        (b"exit signal 9 oom 1 peak 77 killed 0", Ended(Exit(None, KILLED, True), 77)),
        (b"exit signal 9 oom 0 peak 77 killed 0", Ended(Exit(None, KILLED), 77)),
        (b"exit signal 9 oom 1 peak 77 killed 1", Ended(Exit(None, KILLED), 77)),
        (b"exit signal 11 oom 1 peak 77 killed 0", Ended(Exit(None, 11), 77)),
        (b"nonsense \xff", Failed("unknown message 'nonsense \N{REPLACEMENT CHARACTER}'")),
    ],
)
def test_messages_of_the_launcher_become_values(raw, message):
    assert parse_message(raw) == message


def test_a_sandbox_sees_programs_and_libraries_but_no_secret_of_the_host():
    paths = {entry.path for entry in host_entries()}
    assert {"/usr", "/bin", "/lib", "/etc/ssl/certs", "/etc/hosts"} <= paths
    assert not paths & {"/etc", "/etc/shadow", "/root", "/home", "/var", "/etc/resolv.conf", "/etc/ssl/private"}


def test_the_user_has_a_name_and_usual_places_are_there_before_anything_is_mounted():
    entries = place_entries(7, 8)
    assert "sbx_user1051:x:7:8:" in entries[0].text
    assert {"/opt", "/var/task", "/var/runtime"} <= {entry.path for entry in entries}
    assert mount_entries([Mount(Path("/code"), "/var/task/")]) == (Entry(EntryKind.BIND, "/var/task", "/code"),)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", None),
        ("lamp:100000:65536\n", SubordinateIds(100_000, 65_536)),
        ("other:1:2\n1000:300:70\nlamp:100:60\n", SubordinateIds(300, 70)),
        ("lamp:x:65536\nlamp:1\n# lamp:1:2\n", None),
    ],
)
def test_an_ordinary_user_has_the_largest_range_that_the_file_gives_it(text, ids):
    assert parse_subordinate_ids(text, "lamp", 1000) == ids


def test_subordinate_ids_are_shared_out_among_a_users_servers_and_too_few_are_none():
    many, few = SubordinateIds(100_000, 65_536), SubordinateIds(1, 10)
    space = OwnNamespace(many, many).ids
    assert space is not None
    assert (space.first_id, space.block_size, space.blocks) == (1, 16_384, 4)
    assert OwnNamespace(many, few).ids is None
    assert OwnNamespace(None, None).ids is None


MOUNTS = (Mount(Path("/h/lang"), "/var/lang"), Mount(Path("/h/opt"), "/opt"), Mount(Path("/h/deep"), "/opt/deep/"))


@pytest.mark.parametrize(
    ("inside", "real"),
    [
        ("/var/lang/bin/python", "/h/lang/bin/python"),
        ("/var/lang", "/h/lang"),
        ("/var/language", "/var/language"),
        ("/opt/deep/x", "/h/deep/x"),
        ("/opt/deeper", "/h/opt/deeper"),
        ("x/var/lang", "x/var/lang"),
        ("", ""),
    ],
)
def test_the_longest_mount_decides_where_a_path_really_is(inside, real):
    assert relocate_path(inside, MOUNTS) == real


def test_lists_of_paths_are_relocated_part_by_part():
    environ = {"PATH": "/var/lang/bin:/usr/bin:/opt/bin", "URL": "http://x/opt/y", "EMPTY": ""}
    assert relocate_environ(environ, MOUNTS) == {
        "PATH": "/h/lang/bin:/usr/bin:/h/opt/bin",
        "URL": "http://x/opt/y",
        "EMPTY": "",
    }


def test_a_family_is_found_by_group_session_descent_and_mark():
    rows = [
        ProcessRow(10, 1, 10, 10, False),
        ProcessRow(11, 10, 11, 11, False),  # child
        ProcessRow(12, 11, 12, 12, False),  # grandchild
        ProcessRow(13, 1, 10, 99, False),  # left, but not the group
        ProcessRow(14, 1, 14, 10, False),  # left the group, but not the session
        ProcessRow(15, 1, 15, 15, True),  # left everything, but has the environment
        ProcessRow(16, 15, 16, 16, False),
        ProcessRow(20, 1, 20, 20, False),
    ]
    assert family_of(10, rows) == {10, 11, 12, 13, 14, 15, 16}
    assert family_of(10, rows[-1:]) == set()


def test_a_request_to_the_trampoline_may_not_hold_nul():
    with pytest.raises(ValueError, match="NUL"):
        encode_request(["a\0"], {}, "/", (4, 3), [])


FACTS: dict[str, Any] = {
    "is_linux": True,
    "is_root": True,
    "kernel": (6, 1),
    "user_namespaces": True,
    "user_namespaces_restricted": False,
    "compiler": "/usr/bin/cc",
    "launcher_problem": "",
    "controllers": ("memory", "cpu", "pids"),
    "unusable_controllers": (),
    "trial_problem": "",
    "has_own_ids": True,
    "landlock_version": 4,
    "seccomp": True,
    "disk_problem": "",
}
NO_TRIAL = "namespaces Operation not permitted"


@pytest.mark.parametrize(
    ("facts", "grade", "findings"),
    [
        ({}, Grade.STRONG, {}),
        ({"has_own_ids": False, "is_root": False}, Grade.BASIC, {"subordinate-ids": "--add-subuids"}),
        ({"user_namespaces": False}, Grade.BASIC, {"user-namespaces": "max_user_namespaces"}),
        # Not exact, yet nothing crosses a wall.
        ({"disk_problem": "/dev/loop-control: x"}, Grade.STRONG, {"tmp-in-memory": "modprobe loop"}),
        ({"disk_problem": f"no mke2fs: {INSTALL_TOOLS}"}, Grade.STRONG, {"tmp-in-memory": "e2fsprogs"}),
        ({"disk_problem": f"{IN_MEMORY}: x"}, Grade.STRONG, {"tmp-in-memory": "--data DIR"}),
        ({"disk_problem": "-", "is_root": False}, Grade.STRONG, {"tmp-in-memory": "as root"}),
        ({"seccomp": False}, Grade.BASIC, {"seccomp": "CONFIG_SECCOMP_FILTER"}),
        ({"controllers": ()}, Grade.BASIC, dict.fromkeys(("cgroup-memory", "cgroup-cpu", "cgroup-pids"), "privileged")),
        ({"is_root": False, "controllers": ("memory", "cpu")}, Grade.BASIC, {"cgroup-pids": "Delegate=yes"}),
        ({"trial_problem": NO_TRIAL}, Grade.NONE, {"sandbox": "--privileged"}),
        ({"trial_problem": NO_TRIAL, "is_root": False}, Grade.NONE, {"sandbox": "as root"}),
        (
            {"trial_problem": NO_TRIAL, "is_root": False, "user_namespaces_restricted": True},
            Grade.NONE,
            {"apparmor": "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0", "sandbox": "as root"},
        ),
        (
            {"trial_problem": NO_TRIAL, "is_root": False, "user_namespaces": False},
            Grade.NONE,
            {"user-namespaces": "sysctl -w user.max_user_namespaces", "sandbox": "as root"},
        ),
        ({"trial_problem": "-", "kernel": (5, 10)}, Grade.NONE, {"kernel": "5.12", "sandbox": ""}),
        (
            {"trial_problem": "not tried", "launcher_problem": "no compiler", "compiler": None},
            Grade.NONE,
            {"launcher": "apt-get install gcc libc6-dev"},
        ),
        (
            {"trial_problem": "not tried", "launcher_problem": "error: x"},
            Grade.NONE,
            {"launcher": "python -m lampion.sandbox.launcher.build"},
        ),
        ({"trial_problem": "not tried", "is_linux": False, "controllers": ()}, Grade.NONE, {"linux": "on Linux"}),
    ],
)
def test_each_gap_is_named_with_what_mends_it(facts, grade, findings):
    capabilities = assess(MachineFacts(**{**FACTS, **facts}))
    assert capabilities.grade == grade
    assert [finding.name for finding in capabilities.findings] == list(findings)
    for finding in capabilities.findings:
        assert findings[finding.name] in finding.mend
        assert finding.effect


def test_limits_are_claimed_only_where_they_hold():
    everything = assess(MachineFacts(**FACTS))
    assert (everything.memory_limit, everything.cpu_limit, everything.private_network) == (True, True, True)
    partly = assess(MachineFacts(**{**FACTS, "controllers": ("cpu",)}))
    assert (partly.memory_limit, partly.cpu_limit) == (False, True)
    nothing = assess(MachineFacts(**{**FACTS, "trial_problem": "x"}))
    claims = (nothing.memory_limit, nothing.cpu_limit, nothing.private_file_system, nothing.private_network)
    assert claims == (False,) * 4
