"""The launcher program itself: its build, what it refuses, and that a refusal leaves nothing behind."""

import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lampion.sandbox.cgroup_host import probe_cgroups
from lampion.sandbox.cgroups import CONTROLLERS, Cgroup, CgroupPlan
from lampion.sandbox.driver import Exit, SandboxError
from lampion.sandbox.host_view import host_entries, place_entries
from lampion.sandbox.launcher import build
from lampion.sandbox.launcher.daemon import LauncherDaemon, receive, specialise
from lampion.sandbox.launcher.description import Identity, describe_prepared, describe_special
from lampion.sandbox.launcher.messages import Ended, Failed, Message, Prepared, Running
from lampion.sandbox.machine import probe
from lampion.sandbox.own_namespace import OwnNamespace
from lampion.sandbox.spec import Limits
from lampion.sandbox.user_ids import HOST_IDS, UserIds
from tests.sandbox.boxes import cgroups_named, may_have_cgroups, patiently

NAME = f"lampion-test-{os.getpid()}"
IS_ROOT = os.geteuid() == 0
IDENTITY = Identity(1_999_000_000, 1_999_000_001) if IS_ROOT else Identity(0)
LIMITS = Limits(memory_mib=64, cpu_cores=1)
ENTRIES = (*host_entries(), *place_entries(IDENTITY.user_inside, IDENTITY.group_inside))


def prepared(cgroups: CgroupPlan | None = None) -> bytes:
    return describe_prepared(identity=IDENTITY, entries=ENTRIES, cgroups=cgroups or CgroupPlan(), limits=LIMITS)


def special(*argv: str, working_directory: str = "/") -> bytes:
    return describe_special(
        argv=argv, environ={}, working_directory=working_directory, limits=LIMITS, settings=(), entries=()
    )


@pytest.fixture
def daemon() -> Iterator[LauncherDaemon]:
    running = LauncherDaemon.start(build.ensure_launcher(), None if IS_ROOT else OwnNamespace.of_this_user().map)
    yield running
    running.close()


def messages_to(daemon: LauncherDaemon, first: bytes, second: bytes) -> list[Message]:
    """All that the launcher says to two descriptions, until it has ended; it gets the second when it is prepared."""
    launched = daemon.launch(first)
    launched.close_pipes()
    heard: list[Message] = []
    with launched.control as control:
        control.settimeout(patiently(20))
        while (message := hear(control)) is not None:
            heard.append(message)
            if isinstance(message, Prepared):
                specialise(control, second)
    return heard


def hear(control: socket.socket) -> Message | None:
    message, descriptors = receive(control)
    for descriptor in descriptors:
        os.close(descriptor)
    return message


def test_a_whole_life_in_three_messages(daemon):
    ready, running, ended = messages_to(daemon, prepared(), special("/bin/true"))
    assert (ready, running) == (Prepared(), Running())
    assert isinstance(ended, Ended)
    assert ended.exit == Exit(0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "description"),
        (b"user", "description"),
        (b"user\0", "description user"),
        (b"nonsense\0", "description nonsense"),
        (b"user\x000\x000\0", "description user"),
        (b"user\x001 \x001\x001\x001\0", "description user"),
        (b"user\x004294967295\x001\x001\x001\0", "description user"),
        (b"user\x00-5\x001\x001\x001\0", "description user"),
        (b"user\x000\x001\x001\x001\0", "description user"),
        (b"user\x001\x001\0", "description user"),
        (b"user-namespace\0", "description incomplete"),
        (b"zygote\0", "description incomplete"),
        (b"zygote\0forked\0argument\0/bin/true\0", "description incomplete"),
        (b"tmp\x0099999999999999999999\0", "description tmp"),
        (b"set\x00pids.max\x009\0", "description set"),
        (b"cgroup\0/a\0set\0../b\x009\0", "description set"),
        (b"cgroup\0/a/../b\0", "description cgroup"),
        (b"directory\0relative\0", "description directory"),
        (b"bind\0/a/..\0/x\0", "description bind"),
        (b"rlimit\0unknown\x001\x001\0", "description rlimit"),
        (b"directory\0/a\0" * 200, "description directory"),
        (b"x" * ((1 << 20) + 1) + b"\0", "description"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused_before_anything_is_done(daemon, text, said):
    (failed,) = messages_to(daemon, text, special("/bin/true"))
    assert isinstance(failed, Failed)
    assert failed.text.startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [(b"", "description"), (b"nonsense\0", "description nonsense"), (b"argument\0/x\0", "description incomplete")],
)
def test_so_is_the_second_description(daemon, text, said):
    *_, failed = messages_to(daemon, prepared(), text)
    assert isinstance(failed, Failed)
    assert failed.text.startswith(said)


def test_random_descriptions_never_crash_it(daemon):
    rng = random.Random(1)
    for whole, is_first in [(prepared(), True), (special("/no/such/program"), False)] * 75:
        words = whole.split(b"\0")
        for _ in range(rng.randint(1, 4)):
            words[rng.randrange(len(words))] = rng.choice(
                [b"", b"/", b"..", b"-1", b"9" * 30, b"\xff", b"bind", b"/tmp"]
            )
        text = b"\0".join(words)[: rng.randint(1, len(whole))] + rng.choice([b"\0", b""])
        # Cut off before the program's name or with a name that doesn't exist: it never gets to run anything.
        other = special("/no/such/program") if is_first else prepared()
        heard = messages_to(daemon, *((text, other) if is_first else (other, text)))
        assert heard
        assert not any(isinstance(message, Running) for message in heard)
        assert daemon.is_alive()


@pytest.mark.skipif(not may_have_cgroups(), reason="no cgroup is delegated to this user")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda top: Cgroup(top / "box", False, (("pids.max", "nonsense"),)), "cgroups pids.max: Invalid argument"),
        (lambda top: Cgroup(top / "box", False, (("no.such.file", "1"),)), "cgroups no.such.file"),
        (lambda top: Cgroup(top, False), "File exists"),
    ],
)
def test_a_cgroup_that_cannot_be_made_is_an_error_and_leaves_none(daemon, make, said):
    host = probe_cgroups(NAME)
    hierarchy = host.layout.controllers["pids"]
    top = hierarchy.directory / NAME
    handed_down = (("cgroup.subtree_control", "+pids"),) if hierarchy.version == 2 else ()
    plan = CgroupPlan((Cgroup(top, True, handed_down), make(top)))
    (failed,) = messages_to(daemon, prepared(plan), special("/bin/true"))
    assert isinstance(failed, Failed)
    assert said in failed.text
    top.rmdir()
    host.close()
    assert cgroups_named(NAME) == []


@pytest.mark.skipif(not IS_ROOT, reason="only root may make cgroups at the top")
def test_in_a_version_2_tree_the_sandbox_is_born_in_its_cgroup(daemon):
    top = next(
        line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines() if " - cgroup2 " in line
    )
    box = Path(top, NAME)
    plan = CgroupPlan((Cgroup(box, False, (("cgroup.max.depth", "3"),)),))
    launched = daemon.launch(prepared(plan))
    launched.close_pipes()
    with launched.control as control:
        control.settimeout(patiently(20))
        specialise(control, special("/bin/sleep", "60"))
        assert [hear(control), hear(control)] == [Prepared(), Running()]
        assert len((box / "cgroup.procs").read_text().split()) == 2
        control.send(b"kill")
        assert hear(control) == Ended(Exit(None, 9), 0)
    assert not box.exists()


def test_a_working_directory_that_is_missing_is_named(daemon):
    *_, failed = messages_to(daemon, prepared(), special("/bin/true", working_directory="/no/such"))
    assert failed == Failed("working-directory /no/such: No such file or directory")


def test_a_launcher_whose_server_is_gone_from_the_start_ends(daemon):
    launched = daemon.launch(prepared())
    specialise(launched.control, special("/bin/sleep", "60"))
    launched.control.close()
    # Whoever holds the other end of the pipe has gone when it ends.
    os.set_blocking(launched.output, True)
    assert os.read(launched.output, 1) == b""
    launched.close_pipes()


def test_a_killed_launcher_program_leaves_its_sandboxes_running(daemon):
    launched = daemon.launch(prepared())
    with launched.control as control:
        control.settimeout(patiently(20))
        assert hear(control) == Prepared()
        os.kill(daemon.pid, 9)
        specialise(control, special("/bin/echo", "still here"))
        assert hear(control) == Running()
        assert isinstance(hear(control), Ended)
        assert os.read(launched.output, 100) == b"still here\n"
    launched.close_pipes()
    assert not daemon.is_alive()
    with pytest.raises(SandboxError):
        daemon.launch(prepared())


def test_the_launcher_does_not_start_without_its_descriptors():
    done = subprocess.run([str(build.ensure_launcher())], capture_output=True, check=False)
    assert done.returncode == 2
    assert b"usage" in done.stderr


def copied_sources(directory: Path) -> Path:
    return Path(shutil.copytree(build.SOURCES, directory / "launcher", ignore=shutil.ignore_patterns("lampion-*")))


def test_the_launcher_is_built_when_missing_and_again_when_a_source_is_newer(tmp_path):
    sources = copied_sources(tmp_path)
    assert not build.is_current(sources)
    launcher = build.ensure_launcher(sources)
    assert launcher.parent == sources
    first = launcher.stat().st_mtime_ns
    assert build.ensure_launcher(sources).stat().st_mtime_ns == first
    os.utime(sources / "zygote/fork_server.c", (time.time() + 5,) * 2)
    assert not build.is_current(sources)
    assert build.ensure_launcher(sources).stat().st_mtime_ns > first
    assert {path.name for path in sources.glob("lampion-*")} == {product.name for product in build.PRODUCTS}


def test_without_a_compiler_the_package_to_install_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match=r"apt-get install gcc libc6-dev"):
        build.ensure_launcher(copied_sources(tmp_path))


def test_what_the_compiler_says_is_passed_on_and_nothing_half_made_stays(tmp_path):
    sources = copied_sources(tmp_path)
    (sources / "init.c").write_text("this is no C")
    with pytest.raises(SandboxError, match=r"init\.c"):
        build.ensure_launcher(sources)
    assert list(sources.glob("lampion-*")) == []


def test_this_machine_is_examined_by_really_trying():
    facts = probe(NAME)
    assert facts.trial_problem == ""
    assert facts.launcher_problem == ""
    assert facts.kernel >= (5, 12)
    if may_have_cgroups():
        assert facts.controllers == CONTROLLERS
    if IS_ROOT:
        assert cgroups_named(NAME) == []


SPACE = replace(HOST_IDS, claims=NAME)


def test_user_ids_are_used_by_one_sandbox_at_a_time():
    ids = UserIds(SPACE)
    taken = [ids.take() for _ in range(3)]
    assert len({*taken, *(first + 1 for first in taken)}) == 6, "a pair each"
    ids.give_back(taken[0])
    assert ids.take() not in taken, "a fresh one rather than the one just given back"
    ids.close()


def test_two_servers_have_different_user_ids_and_a_dead_ones_are_free_again():
    one, other = UserIds(SPACE), UserIds(SPACE)
    first = one.take()
    assert first == SPACE.first_id
    assert other.take() == first + SPACE.block_size
    one.close()
    third = UserIds(SPACE)
    assert third.take() == first
    other.close()
    third.close()


def test_user_ids_may_run_out():
    space = replace(SPACE, block_size=4, blocks=1)
    ids = UserIds(space)
    taken = ids.take(), ids.take()
    with pytest.raises(SandboxError, match="in use"):
        ids.take()
    with pytest.raises(SandboxError, match="claimed"):
        UserIds(space).take()
    ids.give_back(taken[0])
    assert ids.take() == taken[0]
    ids.close()
