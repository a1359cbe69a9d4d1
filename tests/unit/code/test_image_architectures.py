"""Images of the other architecture: which one a function has, and what of it starts."""

import struct
import sys
from pathlib import Path

import pytest

from lampion.code.architectures import ARCHITECTURES, HOST_ARCHITECTURE, loader_of
from lampion.code.images.architectures import ImageArchitectures, architecture_in
from lampion.code.images.paths import is_program
from lampion.environments.image_sandboxes import companions_in
from tests.foreign_program import arm64_program
from tests.unit.code.test_architectures import qemu, registered

(OTHER,) = (name for name in ARCHITECTURES if name != HOST_ARCHITECTURE)
needs_x86 = pytest.mark.skipif(HOST_ARCHITECTURE != "x86_64", reason="the list is one for arm64 on x86-64")
LOADER = "/lib64/loader"


def made(root: Path, path: str, content: bytes, mode: int = 0o755) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)
    return file


def linked_program(*kinds: int) -> bytes:
    """An ELF file with headers of these kinds, each naming the loader."""
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, len(kinds), 64, 0, 0)
    end = 64 + 56 * len(kinds)
    headers = b"".join(struct.pack("<IIQQQQQQ", kind, 4, end, 0, 0, len(LOADER) + 1, 0, 1) for kind in kinds)
    return head + headers + LOADER.encode() + b"\0"


def test_a_program_that_needs_libraries_names_its_loader(tmp_path: Path) -> None:
    program = tmp_path / "program"
    for content, expected in (
        (linked_program(6, 3, 1), LOADER),
        (linked_program(6, 1), None),
        (arm64_program(b""), None),
        (b"\x7fELF\x02\x01\x01".ljust(80, b"\xff"), None),
        (b"#!/bin/sh", None),
        (b"", None),
    ):
        program.write_bytes(content)
        assert loader_of(program) == expected
    assert loader_of(tmp_path / "missing") is None


def test_what_starts_is_a_program_or_what_its_script_names(tmp_path: Path) -> None:
    made(tmp_path, "usr/bin/arm", arm64_program(b""))
    made(tmp_path, "usr/bin/own", Path(sys.executable).resolve().read_bytes()[:4096])
    (tmp_path / "bin").symlink_to("/usr/bin")
    made(tmp_path, "entry.sh", b"#! /bin/arm -x\necho\n")
    made(tmp_path, "second.sh", b"#!/entry.sh\n")
    made(tmp_path, "round.sh", b"#!/round.sh\n")
    made(tmp_path, "empty.sh", b"#!\n")
    made(tmp_path, "relative.sh", b"#!usr/bin/arm\n")
    made(tmp_path, "odd.sh", b"#!/\xff\n")
    (tmp_path / "out").symlink_to("../../../usr/bin/env")
    found = [
        is_program(tmp_path, path) for path in ("/bin/arm", "/usr/bin", "/out", "/missing", "/a\0b", "/" + "n" * 300)
    ]
    assert found == [True, *[False] * 5]
    for path, expected in {
        "/usr/bin/arm": "arm64",
        "/bin/own": HOST_ARCHITECTURE,
        "/entry.sh": "arm64",
        "/second.sh": "arm64",
        **dict.fromkeys(("/round.sh", "/empty.sh", "/relative.sh", "/odd.sh", "/out", "/bin", "/missing", "/a\0b")),
    }.items():
        assert architecture_in(tmp_path, path) == expected, path


@pytest.mark.parametrize("target", ["o" * 300, "opt", "../..", "/" + "/".join(["x" * 200] * 15), "/usr/bin"])
def test_an_opt_that_leads_astray_has_no_extensions(tmp_path: Path, target: str) -> None:
    made(tmp_path, "usr/bin/tool", b"")
    (tmp_path / "opt").symlink_to(target)
    assert companions_in(tmp_path, {}) is None


def test_a_program_for_another_than_the_functions_architecture_is_not_accepted(tmp_path: Path) -> None:
    made(tmp_path, "program", arm64_program(b""))
    made(tmp_path, "text", b"no program")
    exact, anything = ImageArchitectures(), ImageArchitectures(takes_any=True)
    assert [exact.accepts(name, tmp_path, "/program") for name in ("arm64", "x86_64")] == [True, False]
    assert exact.accepts("x86_64", tmp_path, "/text")
    assert anything.accepts("x86_64", tmp_path, "/program")


def test_an_image_is_for_the_functions_architecture_or_where_any_will_do_for_this_machine() -> None:
    assert ImageArchitectures().preferred(OTHER) == (OTHER,)
    assert ImageArchitectures(takes_any=True).preferred(OTHER) == (HOST_ARCHITECTURE, OTHER)
    assert ImageArchitectures(takes_any=True).preferred(HOST_ARCHITECTURE) == (HOST_ARCHITECTURE,)


def obstacle(root: Path, registrations: Path, function: str = OTHER, image: str = OTHER, *, any_: bool = False) -> str:
    return ImageArchitectures(takes_any=any_, registrations=registrations).obstacle(function, image, root) or ""


def test_without_an_emulator_only_this_machines_own_images_run(tmp_path: Path) -> None:
    nowhere = tmp_path / "no list"
    told = obstacle(tmp_path, nowhere)
    assert told.startswith(
        f"Container images for {OTHER} don't run here: this machine is {HOST_ARCHITECTURE} and has no "
    )
    assert "apt-get install qemu-user-static" in told
    assert f"build the image for {HOST_ARCHITECTURE}" in told
    assert obstacle(tmp_path, nowhere, HOST_ARCHITECTURE, HOST_ARCHITECTURE) == ""
    assert obstacle(tmp_path, nowhere, HOST_ARCHITECTURE, OTHER) == "", "as on AWS, its program doesn't start"
    assert obstacle(tmp_path, nowhere, OTHER, HOST_ARCHITECTURE, any_=True) == ""
    assert obstacle(tmp_path, nowhere, HOST_ARCHITECTURE, OTHER, any_=True) == told
    assert obstacle(tmp_path, nowhere, OTHER, "riscv64", any_=True) == ""


@needs_x86
def test_an_emulator_must_be_found_from_within_the_image(tmp_path: Path) -> None:
    program, root = made(tmp_path, "emulator", arm64_program(b"")), tmp_path / "root"
    root.mkdir()
    assert obstacle(root, registered(tmp_path / "open", a=qemu(program, "OCF"))) == ""
    seen = registered(tmp_path / "seen", a=qemu(program, ""))
    assert f"{program}, is registered without the flag F and not in the image" in obstacle(root, seen)
    made(root, str(program).lstrip("/"), b"", 0o644)
    assert "without the flag F" in obstacle(root, seen)
    made(root, str(program).lstrip("/"), b"")
    assert obstacle(root, seen) == ""


@needs_x86
def test_an_emulator_with_libraries_must_find_them_in_the_image(tmp_path: Path) -> None:
    program, root = made(tmp_path, "emulator", linked_program(3)), tmp_path / "root"
    root.mkdir()
    listed = registered(tmp_path / "open", a=qemu(program, "OCF"))
    assert f"{program}, isn't statically linked and the image has no {LOADER}" in obstacle(root, listed)
    made(root, LOADER.lstrip("/"), b"")
    assert obstacle(root, listed) == ""
