"""The launcher program itself: its build, what it refuses, and that a refusal leaves nothing behind."""

import os
import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from lampion.sandbox import user_ids
from lampion.sandbox.cgroup_host import probe_cgroups
from lampion.sandbox.cgroups import CONTROLLERS, Cgroup, CgroupPlan
from lampion.sandbox.doctor import probe
from lampion.sandbox.driver import Exit, SandboxError
from lampion.sandbox.host_view import host_entries, sandbox_entries
from lampion.sandbox.launcher import build
from lampion.sandbox.launcher.description import Identity, describe
from lampion.sandbox.launcher.messages import Ended, Failed, Message, Running
from lampion.sandbox.launcher.process import receive, spawn
from lampion.sandbox.spec import Limits
from lampion.sandbox.user_ids import UserIds
from tests.sandbox.boxes import cgroups_named, may_have_cgroups, patiently

NAME = f"lampion-test-{os.getpid()}"
IS_ROOT = os.geteuid() == 0
USER_ID = 1_999_000_000 if IS_ROOT else 993


def description(program: str = "/bin/true", cgroups: CgroupPlan | None = None, **parts) -> bytes:
    return describe(
        argv=[program],
        environ={},
        working_directory=parts.get("working_directory", "/"),
        limits=Limits(memory_mib=64, cpu_cores=1),
        identity=Identity(USER_ID, USER_ID, has_user_namespace=not IS_ROOT),
        entries=(*host_entries(), *sandbox_entries(USER_ID, USER_ID, ())),
        cgroups=cgroups or CgroupPlan(),
    )


def messages_to(text: bytes) -> list[Message]:
    """All that the launcher says to a description, until it has ended."""
    launched = spawn(build.ensure_launcher(), text)
    launched.close_pipes()
    heard: list[Message] = []
    with launched.control as control:
        control.settimeout(patiently(20))
        while True:
            message, descriptor = receive(control)
            if descriptor is not None:
                os.close(descriptor)
            if message is None:
                break
            heard.append(message)
    assert launched.process.wait(patiently(5)) in (0, 1)
    return heard


def test_a_whole_life_in_two_messages():
    running, ended = messages_to(description())
    assert running == Running()
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
        (b"user\x001 \x001\0", "description user"),
        (b"user\x004294967295\x001\0", "description user"),
        (b"user\x00-5\x001\0", "description user"),
        (b"user\x001\x001\0", "description incomplete"),
        (b"tmp\x0099999999999999999999\x001\0", "description tmp"),
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
def test_a_description_that_makes_no_sense_is_refused_before_anything_is_done(text, said):
    (failed,) = messages_to(text)
    assert isinstance(failed, Failed)
    assert failed.text.startswith(said)


def test_random_descriptions_never_crash_it():
    rng = random.Random(1)
    whole = description("/no/such/program")
    for _ in range(150):
        words = whole.split(b"\0")
        for _ in range(rng.randint(1, 4)):
            words[rng.randrange(len(words))] = rng.choice(
                [b"", b"/", b"..", b"-1", b"9" * 30, b"\xff", b"bind", b"/tmp"]
            )
        text = b"\0".join(words)[: rng.randint(1, len(whole))] + rng.choice([b"\0", b""])
        # Cut off before the program's name or with a name that doesn't exist: it never gets to run anything.
        heard = messages_to(text)
        assert heard
        assert isinstance(heard[0], Failed | Running)


@pytest.mark.skipif(not may_have_cgroups(), reason="no cgroup is delegated to this user")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda top: Cgroup(top / "box", False, (("pids.max", "nonsense"),)), "cgroups pids.max: Invalid argument"),
        (lambda top: Cgroup(top / "box", False, (("no.such.file", "1"),)), "cgroups no.such.file"),
        (lambda top: Cgroup(top, False), "File exists"),
    ],
)
def test_a_cgroup_that_cannot_be_made_is_an_error_and_leaves_none(make, said):
    hierarchy = probe_cgroups(NAME).layout.controllers["pids"]
    top = hierarchy.directory / NAME
    handed_down = (("cgroup.subtree_control", "+pids"),) if hierarchy.version == 2 else ()
    (failed,) = messages_to(description(cgroups=CgroupPlan((Cgroup(top, True, handed_down), make(top)))))
    assert isinstance(failed, Failed)
    assert said in failed.text
    top.rmdir()
    assert cgroups_named(NAME) == []


@pytest.mark.skipif(not IS_ROOT, reason="only root may make cgroups at the top")
def test_in_a_version_2_tree_the_sandbox_is_born_in_its_cgroup():
    top = next(
        line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines() if " - cgroup2 " in line
    )
    box = Path(top, NAME)
    plan = CgroupPlan((Cgroup(box, False, (("cgroup.max.depth", "3"),)),))
    launched = spawn(
        build.ensure_launcher(), description("/bin/cat", plan).replace(b"/bin/cat\0", b"/bin/sleep\0argument\x0060\0")
    )
    launched.close_pipes()
    with launched.control as control:
        control.settimeout(patiently(20))
        _, descriptor = receive(control)
        assert descriptor is not None
        os.close(descriptor)
        assert len((box / "cgroup.procs").read_text().split()) == 2
        control.send(b"kill")
        message, _ = receive(control)
        assert message == Ended(Exit(None, 9), 0)
    launched.process.wait(patiently(5))
    assert not box.exists()


def test_a_working_directory_that_is_missing_is_named():
    (failed,) = messages_to(description(working_directory="/no/such"))
    assert failed == Failed("working-directory /no/such: No such file or directory")


def test_a_launcher_whose_server_is_gone_from_the_start_ends():
    launched = spawn(build.ensure_launcher(), description().replace(b"/bin/true\0", b"/bin/sleep\0argument\x0060\0"))
    launched.close_pipes()
    launched.control.close()
    assert launched.process.wait(patiently(10)) in (0, 1)


def test_the_launcher_does_not_start_without_its_descriptors():
    done = subprocess.run([str(build.ensure_launcher())], capture_output=True, check=False)
    assert done.returncode == 2
    assert b"usage" in done.stderr


def copied_sources(directory: Path) -> Path:
    for source in build.SOURCES.glob("*.[ch]"):
        shutil.copy(source, directory / source.name)
    return directory


def test_the_launcher_is_built_when_missing_and_again_when_a_source_is_newer(tmp_path):
    sources, launcher = copied_sources(tmp_path), tmp_path / "lampion-launch"
    assert not build.is_current(launcher, sources)
    assert build.ensure_launcher(launcher, sources) == launcher
    first = launcher.stat().st_mtime_ns
    assert build.ensure_launcher(launcher, sources).stat().st_mtime_ns == first
    os.utime(sources / "init.c", (time.time() + 5,) * 2)
    assert not build.is_current(launcher, sources)
    assert build.ensure_launcher(launcher, sources).stat().st_mtime_ns > first
    assert sorted(path.name for path in tmp_path.glob("lampion-launch*")) == ["lampion-launch"]


def test_without_a_compiler_the_package_to_install_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match=r"apt-get install gcc libc6-dev"):
        build.ensure_launcher(tmp_path / "lampion-launch", copied_sources(tmp_path))


def test_what_the_compiler_says_is_passed_on_and_nothing_half_made_stays(tmp_path):
    sources = copied_sources(tmp_path)
    (sources / "init.c").write_text("this is no C")
    with pytest.raises(SandboxError, match=r"init\.c"):
        build.ensure_launcher(tmp_path / "lampion-launch", sources)
    assert list(tmp_path.glob("lampion-launch*")) == []


def test_this_machine_is_examined_by_really_trying():
    facts = probe(NAME)
    assert facts.trial_problem == ""
    assert facts.launcher_problem == ""
    assert facts.kernel >= (5, 12)
    if may_have_cgroups():
        assert facts.controllers == CONTROLLERS
    if IS_ROOT:
        assert cgroups_named(NAME) == []


def test_user_ids_are_used_by_one_sandbox_at_a_time():
    ids = UserIds(NAME)
    taken = [ids.take() for _ in range(3)]
    assert len(set(taken)) == 3
    ids.give_back(taken[0])
    assert ids.take() not in taken, "a fresh one rather than the one just given back"
    ids.close()


def test_two_servers_have_different_user_ids_and_a_dead_ones_are_free_again():
    one, other = UserIds(NAME), UserIds(NAME)
    first = one.take()
    assert first == user_ids.FIRST_USER_ID
    assert other.take() == first + user_ids.BLOCK_SIZE
    one.close()
    third = UserIds(NAME)
    assert third.take() == first
    other.close()
    third.close()


def test_user_ids_may_run_out(monkeypatch):
    monkeypatch.setattr(user_ids, "BLOCK_SIZE", 2)
    monkeypatch.setattr(user_ids, "_BLOCKS", 1)
    ids = UserIds(NAME)
    taken = ids.take(), ids.take()
    with pytest.raises(SandboxError, match="in use"):
        ids.take()
    with pytest.raises(SandboxError, match="claimed"):
        UserIds(NAME).take()
    ids.give_back(taken[0])
    assert ids.take() == taken[0]
    ids.close()
