"""What serves a runtime beside an interpreter of its version: a close one, the bare system, .NET's one program."""

from pathlib import Path

import pytest

from lampion.code.interpreter_places import SearchPlaces
from lampion.code.interpreters import (
    Interpreter,
    Interpreters,
    OperatingSystem,
    RuntimeUnavailable,
)
from tests.unit.code.test_interpreters import Machine, found_by, places_of


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


async def test_a_close_version_serves_only_where_that_is_wanted(machine: Machine):
    machine.program("path1/python3.11", "3.11.2")
    machine.program("home/.pyenv/versions/3.13.1/bin/python3.13", "3.13.1")
    with pytest.raises(RuntimeUnavailable) as missing:
        await Interpreters(places_of(machine), machine).find("python3.12")
    assert "or start the server with --close-runtimes to use Python 3.13, and update the function" in str(missing.value)
    found = await found_by(Interpreters(places_of(machine), machine, takes_close=True), "python3.12")
    assert (found.runtime, found.version, found.is_close) == ("python3.12", "3.13.1", True)
    assert found.executable_inside == "/var/lang/bin/python3.13"


async def test_its_own_version_is_preferred_to_every_close_one(machine: Machine):
    machine.program("path1/python3.13", "3.13.1")
    machine.program("usr/bin/python3.12", "3.12.0")
    found = await found_by(Interpreters(places_of(machine), machine, takes_close=True), "python3.12")
    assert (found.version, found.is_close) == ("3.12.0", False)


async def test_what_the_runtime_cannot_do_with_is_not_close(machine: Machine):
    machine.program("path1/python3.7", "3.7.16")
    machine.program("path1/python2.7", "2.7.18")
    with pytest.raises(RuntimeUnavailable) as missing:
        await Interpreters(places_of(machine), machine, takes_close=True).find("python3.8")
    assert "--close-runtimes" not in str(missing.value)


async def test_a_set_interpreter_of_another_version_is_taken_as_a_close_one(machine: Machine):
    chosen = machine.program("opt/mine/bin/python3.13", "3.13.3")
    machine.program("path1/python3.14", "3.14.1")
    with pytest.raises(
        RuntimeUnavailable, match=r"is no working Python 3\.12 .*, or start .* to use Python 3\.13, and"
    ):
        await Interpreters(places_of(machine, chosen=chosen), machine).find("python3.12")
    found = await found_by(Interpreters(places_of(machine, chosen=chosen), machine, takes_close=True), "python3.12")
    assert found.version == "3.13.3"


async def test_discover_tells_close_ones_where_they_are_wanted(machine: Machine):
    machine.program("path1/python3.12", "3.12.1")
    found = await Interpreters(places_of(machine), machine, takes_close=True).discover()
    told = {one.runtime: one.is_close for one in found.values() if isinstance(one, Interpreter)}
    told = {runtime: is_close for runtime, is_close in told.items() if runtime.startswith("python")}
    assert told == {f"python3.{minor}": minor != 12 for minor in range(8, 16)}
    assert machine.asked == [str(machine.root / "path1/python3.12")]


async def test_nodes_of_any_version_may_be_close(machine: Machine):
    machine.node("home/.nvm/versions/node/v23.1.0/bin/node", "23.1.0")
    machine.node("home/.nvm/versions/node/v18.1.0/bin/node", "18.1.0")
    places = SearchPlaces({}, (), machine.root / "home", ())
    found = await found_by(Interpreters(places, machine, takes_close=True), "nodejs20.x")
    assert found.version == "23.1.0"


@pytest.mark.parametrize(
    ("release", "version", "name"),
    [
        (
            'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\n',
            "al2023.12",
            "Debian GNU/Linux 12 (bookworm)",
        ),
        ("ID=arch\nPRETTY_NAME='Arch Linux'\n# x", "al2023", "Arch Linux"),
        (None, "al2023", "Linux"),
    ],
)
async def test_a_runtime_without_interpreter_stands_on_the_system(
    machine: Machine, release: str | None, version: str, name: str
):
    file = machine.root / "os-release"
    if release is not None:
        file.write_text(release)
    interpreters = Interpreters(SearchPlaces(system=(), os_release=file), machine)
    assert await interpreters.find("provided.al2023") == OperatingSystem("provided.al2023", version, name)
    assert interpreters.known_version("provided.al2023") == version
    assert set(await interpreters.discover()) >= {"provided", "provided.al2", "provided.al2023", "go1.x"}
    assert machine.asked == []


SEVERAL = b"""Microsoft.AspNetCore.App 8.0.11 [ROOT/shared/Microsoft.AspNetCore.App]
Microsoft.NETCore.App 6.0.36 [ROOT/shared/Microsoft.NETCore.App]
Microsoft.NETCore.App 8.0.9 [ROOT/shared/Microsoft.NETCore.App]
Microsoft.NETCore.App 8.0.11 [ROOT/shared/Microsoft.NETCore.App]
"""


async def test_one_dotnet_serves_every_version_beside_it(machine: Machine):
    program = machine.program("home/.dotnet/dotnet")
    root = str(program.parent)
    machine.answers[str(program)] = SEVERAL.replace(b"ROOT", root.encode())
    interpreters = Interpreters(SearchPlaces({}, (), machine.root / "home", ()), machine)
    found = {one.runtime: one for one in (await interpreters.discover()).values() if isinstance(one, Interpreter)}
    ours = {runtime: one.version for runtime, one in found.items() if one.executable == program}
    assert ours == {"dotnet6": "6.0.36", "dotnet8": "8.0.11"}
    assert found["dotnet8"].executable_inside == "/var/lang/bin/dotnet"
    assert found["dotnet8"].mounts == ((program.parent, "/var/lang/bin"),)
    assert machine.asked.count(str(program)) == 1


@pytest.mark.parametrize("answer", [b"", b"garbage", b"Microsoft.NETCore.App 8.0.1", b"\xff"])
async def test_a_dotnet_without_the_version_is_passed_over(machine: Machine, answer: bytes):
    program = machine.program("path1/dotnet")
    machine.answers[str(program)] = answer
    places = SearchPlaces({"dotnet8": program})
    with pytest.raises(RuntimeUnavailable, match=r"is no working \.NET 8"):
        await Interpreters(places, machine, takes_close=True).find("dotnet8")


async def test_the_closest_of_several_versions_serves_another(machine: Machine):
    """The next newer one of those beside the program; only without one the latest older one, from 3.1 on."""
    program = machine.program("path1/dotnet")
    places = SearchPlaces(dict.fromkeys(("dotnet6", "dotnet8", "dotnet10"), program))
    for answer, versions in (
        (SEVERAL, {"dotnet6": "6.0.36", "dotnet8": "8.0.11", "dotnet10": "8.0.11"}),
        (SEVERAL.replace(b"6.0.36", b"9.0.1"), {"dotnet6": "8.0.11", "dotnet8": "8.0.11", "dotnet10": "9.0.1"}),
    ):
        machine.answers[str(program)] = answer.replace(b"ROOT", str(program.parent).encode())
        interpreters = Interpreters(places, machine, takes_close=True)
        assert {runtime: (await interpreters.find(runtime)).version for runtime in versions} == versions
    machine.answers[str(program)] = SEVERAL.replace(b" 6.", b" 2.").replace(b" 8.", b" 3.")
    with pytest.raises(RuntimeUnavailable):  # 3.0 is older than what the runtime needs
        await Interpreters(places, machine, takes_close=True).find("dotnet6")
