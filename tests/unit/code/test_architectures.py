"""Whose programs run here: by the head of a file, and by the kernel's list of programs for others."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lampion.code.architectures import (
    ARCHITECTURES,
    HOST_ARCHITECTURE,
    Emulator,
    architecture_of,
    emulation_problem,
    find_emulator,
)
from lampion.code.interpreter_places import emulated_places, search_places
from lampion.code.interpreters import Interpreter, Interpreters, RuntimeUnavailable
from lampion.code.interpreters_by_architecture import InterpretersByArchitecture
from tests.foreign_program import arm64_program

QEMU = """enabled
interpreter {program}
flags: {flags}
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
"""
(OTHER,) = (name for name in ARCHITECTURES if name != HOST_ARCHITECTURE)
needs_x86 = pytest.mark.skipif(HOST_ARCHITECTURE != "x86_64", reason="the list is one for arm64 on x86-64")


def registered(directory: Path, status: str = "enabled", **entries: str) -> Path:
    directory.mkdir()
    (directory / "status").write_text(f"{status}\n")
    (directory / "register").touch(0o200)
    for name, text in entries.items():
        (directory / name).write_text(text)
    return directory


def qemu(program: Path | str = "/usr/bin/env", flags: str = "POCF") -> str:
    return QEMU.format(program=program, flags=flags)


def test_a_program_tells_its_architecture(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(arm64_program(b""))
    assert architecture_of(program) == "arm64"
    assert architecture_of(Path(sys.executable)) == HOST_ARCHITECTURE
    for head in (
        b"",
        b"#!/bin/sh\n" * 9,
        b"\x7fELF\x01\x01\x01".ljust(60, b"\0"),
        b"\x7fELF\x02\x01\x01".ljust(60, b"\0"),
    ):
        program.write_bytes(head)
        assert architecture_of(program) is None
    assert architecture_of(tmp_path) is architecture_of(tmp_path / "missing") is None


def test_an_emulator_is_what_the_kernel_has_for_the_head_of_such_programs(tmp_path: Path) -> None:
    found = find_emulator("arm64", registered(tmp_path / "list", aarch64=qemu("/opt/qemu", "OCF")))
    assert found == Emulator(Path("/opt/qemu"), is_open=True)


@pytest.mark.parametrize(
    "text",
    [
        qemu().replace("enabled", "disabled"),
        qemu().replace("b700", "f300"),  # RISC-V
        qemu().replace("010100", "020100"),  # big-endian
        qemu().replace("offset 0", "offset 2"),
        qemu().replace("mask", "no mask").replace("magic 7f", "magic 00"),
        qemu().replace("feffff", "ffffff"),  # no programs that may lie anywhere, which most are
        qemu().replace("magic 7f", "magic xx"),
        "enabled\ninterpreter /usr/bin/java\nflags: \nextension .jar\n",
        "",
    ],
)
def test_an_entry_for_anything_else_is_none(tmp_path: Path, text: str) -> None:
    assert find_emulator("arm64", registered(tmp_path / "list", one=text)) is None


def test_without_a_list_or_with_one_that_is_off_there_is_none(tmp_path: Path) -> None:
    assert find_emulator("arm64", tmp_path) is None
    assert find_emulator("arm64", registered(tmp_path / "off", status="disabled", aarch64=qemu())) is None


@pytest.mark.parametrize(
    ("program", "flags", "is_seen"),
    [
        ("/usr/bin/env", "", True),
        ("/bin/sh", "P", True),
        ("/usr/bin/not-there", "", False),
        ("OUTSIDE", "OC", False),
        ("OUTSIDE", "OCF", True),
    ],
)
def test_an_emulator_is_found_in_a_sandbox_if_it_is_open_or_lies_in_the_system(
    tmp_path: Path, program: str, flags: str, is_seen: bool
) -> None:
    outside = tmp_path / "qemu"
    outside.touch()
    listed = registered(tmp_path / "list", aarch64=qemu(program.replace("OUTSIDE", str(outside)), flags))
    problem = emulation_problem("arm64", listed)
    assert (problem is None) == is_seen
    if problem is not None:
        assert "without the flag F" in problem[0]


class Asked:
    """Every interpreter answers that it is a Python 3.12."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.programs: list[str] = []

    async def run(self, argv: Sequence[str], *, timeout_seconds: float) -> bytes:
        self.programs.append(argv[0])
        return f'["3.12.{len(self.programs)}", "{self.prefix}", "CPython"]'.encode()


def by_architecture(
    tmp_path: Path, listed: Path, *, takes_any: bool = False
) -> tuple[InterpretersByArchitecture, Asked]:
    own, other = tmp_path / "own", tmp_path / "other"
    own.write_bytes(Path(sys.executable).read_bytes()[:64])
    other.write_bytes(arm64_program(b""))
    for program in (own, other):
        program.chmod(0o755)
    settings = {"python3.12": own, "arm64/python3.12": other}
    asked = Asked(tmp_path)
    interpreters = InterpretersByArchitecture(
        Interpreters(search_places(settings, {}), asked),
        Interpreters(emulated_places(settings, {}), asked),
        takes_any=takes_any,
        registrations=listed,
    )
    return interpreters, asked


@needs_x86
async def test_each_architecture_has_interpreters_of_its_own(tmp_path: Path) -> None:
    interpreters, _ = by_architecture(tmp_path, registered(tmp_path / "list", aarch64=qemu()))
    own, other = await asyncio.gather(*(interpreters.find("python3.12", name) for name in ARCHITECTURES))
    assert isinstance(own, Interpreter)
    assert isinstance(other, Interpreter)
    assert (own.executable.name, own.architecture, own.is_emulated) == ("own", "x86_64", False)
    assert (other.executable.name, other.architecture, other.is_emulated) == ("other", "arm64", True)


@needs_x86
async def test_without_an_emulator_nothing_is_started_and_the_reason_says_what_to_do(tmp_path: Path) -> None:
    interpreters, asked = by_architecture(tmp_path, tmp_path / "no list")
    with pytest.raises(RuntimeUnavailable) as refusal:
        await interpreters.find("python3.12", "arm64")
    assert str(refusal.value) == (
        "Functions for arm64 don't run here: this machine is x86_64 and has no emulator for arm64. Install one, for "
        "example with apt-get install qemu-user-static binfmt-support, or give the function the architecture x86_64, "
        "or start the server with --architectures any to run it on the interpreters of this machine; then update the "
        "function's code."
    )
    assert asked.programs == []
    (tmp_path / "no list").mkdir()
    registered(tmp_path / "list", aarch64=qemu())
    later, _ = by_architecture(tmp_path, tmp_path / "list")
    assert isinstance(await later.find("python3.12", "arm64"), Interpreter)


@needs_x86
async def test_without_an_interpreter_for_the_emulator_the_reason_names_the_setting(tmp_path: Path) -> None:
    interpreters, _ = by_architecture(tmp_path, registered(tmp_path / "list", aarch64=qemu()))
    with pytest.raises(RuntimeUnavailable, match=r"--interpreter arm64/nodejs20\.x=PATH"):
        await interpreters.find("nodejs20.x", "arm64")


@needs_x86
async def test_any_architecture_is_served_by_this_machines_interpreters_where_that_is_wanted(tmp_path: Path) -> None:
    interpreters, _ = by_architecture(tmp_path, tmp_path / "no list", takes_any=True)
    found = await interpreters.find("python3.12", "arm64")
    assert isinstance(found, Interpreter)
    assert (found.executable.name, found.is_emulated) == ("own", False)
