"""Which interpreter serves a runtime: order of the places, what is no interpreter, what a sandbox must mount."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lampion.code.architectures import HOST_ARCHITECTURE
from lampion.code.interpreter_places import SearchPlaces, candidates, search_places
from lampion.code.interpreters import Interpreter, Interpreters, RuntimeUnavailable
from lampion.code.runtimes import catalogue


async def found_by(interpreters: Interpreters, runtime: str) -> Interpreter:
    base = await interpreters.find(runtime)
    assert isinstance(base, Interpreter)
    return base


ELF, FOREIGN_ELF = (
    b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + bytes((3, 0, machine, 0)) + bytes(60)
    for machine in ((62, 183) if HOST_ARCHITECTURE == "x86_64" else (183, 62))
)


class Machine:
    """A file system of programs, and what each of them answers."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.answers: dict[str, bytes | Exception] = {}
        self.asked: list[str] = []

    def program(self, path: str, version: str = "", *, prefix: str | None = None, content: bytes = ELF) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o755)
        told = str(file.parent.parent) if prefix is None else prefix
        self.answers[str(file)] = json.dumps([version, told, "CPython"]).encode()
        return file

    def node(self, path: str, version: str) -> Path:
        file = self.program(path)
        self.answers[str(file)] = json.dumps([version, str(file), "node"]).encode()
        return file

    async def run(self, argv: Sequence[str], *, timeout_seconds: float) -> bytes:
        assert timeout_seconds > 0
        if argv[0] not in self.answers:
            raise OSError("no program of this machine, but of the one that runs the test")
        self.asked.append(argv[0])
        answer = self.answers[argv[0]]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def places_of(machine: Machine, chosen: Path | None = None) -> SearchPlaces:
    root = machine.root
    return SearchPlaces(
        {} if chosen is None else {"python3.12": chosen},
        (root / "path1", root / "path2"),
        root / "home",
        (root / "usr/local/bin", root / "usr/bin"),
    )


def test_places_are_searched_in_order_and_each_program_once(machine: Machine):
    names = [
        "path2/python3.12",
        "home/.pyenv/versions/3.12.10/bin/python3.12",
        "home/.pyenv/versions/3.12.9/bin/python3.12",
        "home/.local/share/uv/python/cpython-3.12.4-linux-x86_64-gnu/bin/python3.12",
        "usr/local/bin/python3.12",
        "usr/bin/python3.12",
    ]
    for name in names:
        machine.program(name)
    machine.program("home/.pyenv/versions/3.11.1/bin/python3.11")
    (machine.root / "path1").mkdir()
    (machine.root / "path1/python3.12").symlink_to(machine.root / "usr/bin/python3.12")
    found = list(candidates(catalogue().runtimes["python3.12"], places_of(machine)))
    assert found == [machine.root / name for name in ["path1/python3.12", *names[:-1]]]


def test_shims_directories_and_what_may_not_be_run_are_no_interpreters(machine: Machine):
    machine.program("path1/python3.12", content=b"#!/usr/bin/env bash\nexec pyenv\n")
    (machine.root / "path2/python3.12").mkdir(parents=True)
    (machine.root / "usr/local/bin").mkdir(parents=True)
    (machine.root / "usr/local/bin/python3.12").symlink_to("nowhere")
    machine.program("usr/bin/python3.12").chmod(0o644)
    machine.program("home/.local/share/uv/python/cpython-3.12.4-linux-foreign-gnu/bin/python3.12", content=FOREIGN_ELF)
    assert list(candidates(catalogue().runtimes["python3.12"], places_of(machine))) == []


async def test_an_explicit_setting_stands_alone(machine: Machine):
    chosen = machine.program("opt/mine/bin/python3.12", "3.12.3")
    machine.program("path1/python3.12", "3.12.9")
    found = await found_by(Interpreters(places_of(machine, chosen=chosen), machine), "python3.12")
    assert found.version == "3.12.3"
    broken = Interpreters(places_of(machine, chosen=machine.root / "missing"), machine)
    with pytest.raises(RuntimeUnavailable, match=r"missing, is no working Python 3\.12"):
        await broken.find("python3.12")


async def test_what_does_not_run_or_is_something_else_is_passed_over(machine: Machine):
    machine.answers[str(machine.program("path1/python3.12"))] = TimeoutError()
    machine.program("path2/python3.12", "3.11.2")
    versions = "home/.pyenv/versions/3.12.{}/bin/python3.12"
    machine.answers[str(machine.program(versions.format(9)))] = OSError(8, "Exec format error")
    machine.answers[str(machine.program(versions.format(8)))] = b"not json"
    machine.answers[str(machine.program(versions.format(7)))] = b'["3.12.7", "/x", "PyPy"]'
    machine.program(versions.format(6), "3.12.6")
    interpreters = Interpreters(places_of(machine), machine)
    assert (await interpreters.find("python3.12")).version == "3.12.6"
    assert len(machine.asked) == 6


async def test_it_is_asked_once(machine: Machine):
    machine.program("path1/python3.12", "3.12.1")
    interpreters = Interpreters(places_of(machine), machine)
    assert interpreters.known_version("python3.12") is None
    assert await interpreters.find("python3.12") is await interpreters.find("python3.12")
    assert len(machine.asked) == 1
    assert interpreters.known_version("python3.12") == "3.12.1"


async def test_one_installed_later_is_found_at_the_next_call(machine: Machine):
    interpreters = Interpreters(places_of(machine), machine)
    with pytest.raises(RuntimeUnavailable):
        await interpreters.find("python3.12")
    machine.program("path1/python3.12", "3.12.1")
    assert (await interpreters.find("python3.12")).version == "3.12.1"


async def test_one_that_is_replaced_in_its_place_is_asked_again(machine: Machine):
    program = machine.program("path1/python3.12", "3.11.2")
    interpreters = Interpreters(places_of(machine), machine)
    with pytest.raises(RuntimeUnavailable):
        await interpreters.find("python3.12")
    machine.program("path1/python3.12", "3.12.1")  # the same file, written anew
    os.utime(program, ns=(0, program.stat().st_mtime_ns + 1))
    assert (await found_by(interpreters, "python3.12")).version == "3.12.1"


async def test_of_two_of_the_same_close_version_the_first_place_wins(machine: Machine):
    first = machine.program("path1/python3.13", "3.13.1")
    machine.program("path2/python3.13", "3.13.1")
    interpreters = Interpreters(places_of(machine), machine, takes_close=True)
    assert (await found_by(interpreters, "python3.12")).executable == first


async def test_a_relocatable_interpreter_is_mounted_at_var_lang(machine: Machine):
    executable = machine.program("home/.pyenv/versions/3.12.1/bin/python3.12", "3.12.1")
    found = await found_by(Interpreters(places_of(machine), machine), "python3.12")
    prefix = executable.parent.parent
    assert found.executable == executable
    assert found.executable_inside == "/var/lang/bin/python3.12"
    assert found.mounts == ((prefix, "/var/lang"),)
    assert found.library_paths == ("/var/lang/lib",)


async def test_a_virtual_environment_stands_for_the_interpreter_it_is_made_of(machine: Machine):
    base = machine.program("opt/base/bin/python3.12", "3.12.1")
    machine.program("path1/python3.12", "3.12.1", prefix=str(machine.root / "opt/base"))
    found = await found_by(Interpreters(places_of(machine), machine), "python3.12")
    assert found.executable == base
    assert found.mounts == ((machine.root / "opt/base", "/var/lang"),)


async def test_the_systems_interpreter_runs_where_it_is(machine: Machine):
    machine.program("usr/bin/python3.12", "3.12.1", prefix="/usr")
    found = await found_by(Interpreters(places_of(machine), machine), "python3.12")
    assert found.executable_inside == "/usr/bin/python3.12"
    assert found.mounts == ()


async def test_a_missing_interpreter_says_how_to_install_one(machine: Machine):
    with pytest.raises(RuntimeUnavailable) as missing:
        await Interpreters(places_of(machine), machine).find("python3.14")
    assert str(missing.value).startswith("No interpreter for python3.14 on this machine. Install one")
    assert "lampion runtimes" in str(missing.value)


@pytest.mark.parametrize("runtime", ["nodejs14.x", "custom", "python2.7", "no-such"])
async def test_other_languages_say_that_they_are_not_available(machine: Machine, runtime: str):
    with pytest.raises(RuntimeUnavailable, match=f"The runtime {runtime} is not available yet"):
        await Interpreters(places_of(machine), machine).find(runtime)
    assert machine.asked == []


async def test_discover_tells_all_that_is_there(machine: Machine):
    machine.program("path1/python3.12", "3.12.1")
    machine.program("usr/bin/python3.9", "3.9.2", prefix="/usr")
    found = await Interpreters(places_of(machine), machine).discover()
    interpreters = [base for base in found.values() if isinstance(base, Interpreter)]
    assert {one.runtime: one.version for one in interpreters} == {
        "python3.9": "3.9.2",
        "python3.12": "3.12.1",
    }


def test_the_environment_names_the_places():
    places = search_places({}, {"PATH": "/a/bin:relative::/b/bin", "HOME": "/home/me"})
    assert places.path == (Path("/a/bin"), Path("/b/bin"))
    assert places.home == Path("/home/me")
    assert search_places({}, {}).path == ()
    assert search_places({}, {}).home is None


async def test_this_very_interpreter_is_found():
    class Real:
        async def run(self, argv: Sequence[str], *, timeout_seconds: float) -> bytes:
            process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
            async with asyncio.timeout(timeout_seconds):
                return (await process.communicate())[0]

    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    places = SearchPlaces({runtime: Path(sys.executable).resolve()})
    found = await found_by(Interpreters(places, Real()), runtime)
    assert found.version.startswith(runtime.removeprefix("python"))
    assert found.prefix == Path(sys.base_prefix).resolve()


def test_node_is_looked_for_on_path_and_where_version_managers_keep_it(machine: Machine):
    names = [
        "path1/node20",
        "path2/node",
        "path2/nodejs",
        "home/.nvm/versions/node/v20.11.0/bin/node",
        "home/.nvm/versions/node/v20.9.1/bin/node",
        "home/.local/share/fnm/node-versions/v20.1.0/installation/bin/node",
        "home/.volta/tools/image/node/20.2.0/bin/node",
        "home/.asdf/installs/nodejs/20.3.0/bin/node",
        "home/n/versions/node/20.4.0/bin/node",
        "home/.npm-global/lib/node_modules/node/bin/node",
    ]
    for name in names:
        machine.node(name, "20.0.0")
    machine.node("home/.nvm/versions/node/v22.1.0/bin/node", "22.1.0")
    found = list(candidates(catalogue().runtimes["nodejs20.x"], places_of(machine)))
    assert [path for path in found if path.is_relative_to(machine.root)] == [machine.root / name for name in names]


async def test_each_node_is_asked_once_and_serves_its_own_version(machine: Machine):
    machine.node("path1/node", "20.11.1")
    nvm = machine.node("home/.nvm/versions/node/v22.3.0/bin/node", "22.3.0")
    found = await Interpreters(places_of(machine), machine).discover()
    interpreters = [base for base in found.values() if isinstance(base, Interpreter)]
    ours = {one.runtime: one for one in interpreters if one.executable.is_relative_to(machine.root)}
    assert {name: one.version for name, one in ours.items()} == {"nodejs20.x": "20.11.1", "nodejs22.x": "22.3.0"}
    assert ours["nodejs22.x"].executable_inside == "/var/lang/bin/node"
    assert ours["nodejs22.x"].mounts == ((nvm.parent.parent, "/var/lang"),)
    assert sorted(machine.asked) == sorted(set(machine.asked))


async def test_a_program_that_failed_is_asked_again(machine: Machine):
    program = str(machine.node("path1/node", "20.1.0"))
    answer = machine.answers[program]
    machine.answers[program] = TimeoutError()
    interpreters = Interpreters(SearchPlaces({"nodejs20.x": Path(program)}), machine)
    with pytest.raises(RuntimeUnavailable, match=r"is no working Node\.js 20"):
        await interpreters.find("nodejs20.x")
    machine.answers[program] = answer
    assert (await interpreters.find("nodejs20.x")).version == "20.1.0"


async def test_a_lone_node_is_mounted_with_its_directory_and_the_systems_runs_where_it_is(machine: Machine):
    lone = machine.node("opt/alone/node-20", "20.1.0")
    found = await found_by(Interpreters(SearchPlaces({"nodejs20.x": lone}), machine), "nodejs20.x")
    assert (found.executable_inside, found.mounts) == ("/var/lang/node-20", ((lone.parent, "/var/lang"),))
    system = machine.program("path1/node")
    machine.answers[str(system)] = b'["20.1.0", "/usr/bin/node", "node"]'
    found = await found_by(Interpreters(SearchPlaces({"nodejs20.x": system}), machine), "nodejs20.x")
    assert (found.executable_inside, found.mounts) == ("/usr/bin/node", ())


@pytest.mark.parametrize("answer", [b'["20.1.0", "/x/bin/node", "io.js"]', b"[]", b"20", b"", b'["20.1.0", 1, "node"]'])
async def test_what_is_no_node_is_passed_over(machine: Machine, answer: bytes):
    program = machine.program("path1/node")
    machine.answers[str(program)] = answer
    with pytest.raises(RuntimeUnavailable, match="nvm install 20"):
        await Interpreters(SearchPlaces({}, (program.parent,), system=()), machine).find("nodejs20.x")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can stop being somebody who may look anywhere")
def test_a_home_that_we_may_not_look_into_has_no_interpreters(tmp_path):
    home = tmp_path / "home"
    (home / ".pyenv/versions").mkdir(parents=True)
    home.chmod(0o700)
    tmp_path.chmod(0o755)
    os.seteuid(65534)
    try:
        places = SearchPlaces(home=home, system=())
        assert list(candidates(catalogue().runtimes["python3.11"], places)) == []
    finally:
        os.seteuid(0)
