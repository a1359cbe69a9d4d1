"""Which architectures' programs run on this machine: its own, and those that its kernel hands to an emulator.

The kernel's list of such programs is binfmt_misc (Documentation/admin-guide/binfmt-misc.rst). It is only read here.
"""

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ARCHITECTURES: Final = ("x86_64", "arm64")
"""Lambda's names."""

DEFAULT_ARCHITECTURE: Final = "x86_64"
"""Of a function that names none."""

BINFMT_MISC: Final = Path("/proc/sys/fs/binfmt_misc")

_NAMES: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_MACHINES: Final = {62: "x86_64", 183: "arm64"}
_ELF_64_LITTLE: Final = b"\x7fELF\x02\x01\x01"
_HEAD_BYTES: Final = 20
_MACHINE_AT: Final = 18
_HEADERS_AT: Final = 32
_HEADER_SIZES_AT: Final = 54
_HEADERS_MAX: Final = 64
_LOADER_HEADER: Final = 3
"""Of an ELF file: where its program headers are, how large and how many; the kind that names a loader (elf(5))."""
_PATH_BYTES_MAX: Final = 4096
_PROGRAM_TYPES: Final = (2, 3)
"""Of an ELF file: at a fixed address, or at any."""
_SEEN_IN_SANDBOXES: Final = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib64")))
EMULATOR_PACKAGES: Final = "apt-get install qemu-user-static binfmt-support"

HOST_ARCHITECTURE: Final = _NAMES.get(platform.machine().lower(), "x86_64")
"""This machine's own, in Lambda's words."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """What runs another architecture's programs here. `is_open`: the kernel holds it open, wherever they run."""

    program: Path
    is_open: bool

    @property
    def is_seen(self) -> bool:
        """Whether the kernel finds it from within a sandbox, which has views of the system's directories only."""
        program = self.program.resolve()
        return self.is_open or (program.is_file() and any(map(program.is_relative_to, _SEEN_IN_SANDBOXES)))


def architecture_of(program: Path) -> str | None:
    """Which architecture's program the file is; None when it is none of Lambda's, or can't be read."""
    try:
        with program.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return None
    if len(head) < _HEAD_BYTES or not head.startswith(_ELF_64_LITTLE):
        return None
    return _MACHINES.get(int.from_bytes(head[_MACHINE_AT:_HEAD_BYTES], "little"))


def loader_of(program: Path) -> str | None:
    """What the kernel starts to load the program's libraries; None when it needs none, or can't be read."""
    try:
        with program.open("rb") as file:
            head = file.read(64)
            if not head.startswith(_ELF_64_LITTLE):
                return None
            file.seek(int.from_bytes(head[_HEADERS_AT : _HEADERS_AT + 8], "little"))
            size, count = (int.from_bytes(head[at : at + 2], "little") for at in (_HEADER_SIZES_AT, 56))
            for header in [file.read(size) for _ in range(min(count, _HEADERS_MAX))]:
                if int.from_bytes(header[:4], "little") == _LOADER_HEADER:
                    file.seek(int.from_bytes(header[8:16], "little"))
                    return file.read(_PATH_BYTES_MAX).partition(b"\0")[0].decode("utf-8", "replace")
    except (OSError, ValueError):
        pass
    return None


def find_emulator(architecture: str, registrations: Path = BINFMT_MISC) -> Emulator | None:
    """By which the kernel runs programs of `architecture`; None when it doesn't."""
    heads = [_head(architecture, kind) for kind in _PROGRAM_TYPES]
    try:
        if (registrations / "status").read_text().strip() != "enabled":
            return None
        entries = [entry for entry in registrations.iterdir() if entry.name not in ("status", "register")]
        texts = [entry.read_text() for entry in sorted(entries)]
    except OSError:
        return None
    for text in texts:
        fields = _fields(text)
        if all(_matches(fields, head) for head in heads):
            return Emulator(Path(fields["interpreter"]), "F" in fields.get("flags:", ""))
    return None


def emulation_problem(architecture: str, registrations: Path = BINFMT_MISC) -> tuple[str, str] | None:
    """Why programs of another `architecture` don't run in sandboxes here, and how to mend it; None when they do."""
    emulator = find_emulator(architecture, registrations)
    if emulator is None:
        return f"this machine is {HOST_ARCHITECTURE} and has no emulator for {architecture}", EMULATOR_PACKAGES
    if not emulator.is_seen:
        return (
            f"the emulator for {architecture}, {emulator.program}, is registered without the flag F and can't be found "
            "from within a sandbox",
            EMULATOR_PACKAGES,
        )
    return None


def _head(architecture: str, kind: int) -> bytes:
    """How a program of it begins."""
    machine = next(number for number, name in _MACHINES.items() if name == architecture)
    padded = _ELF_64_LITTLE.ljust(_MACHINE_AT - 2, b"\0")
    return padded + kind.to_bytes(2, "little") + machine.to_bytes(2, "little")


def _fields(text: str) -> dict[str, str]:
    """An entry as the kernel shows it: a word and its value a line, "enabled" or "disabled" first."""
    return {word: value for word, _, value in (line.partition(" ") for line in text.splitlines())}


def _matches(fields: dict[str, str], head: bytes) -> bool:
    try:
        magic, offset = bytes.fromhex(fields["magic"]), int(fields.get("offset", "0"))
        mask = bytes.fromhex(fields["mask"]) if "mask" in fields else b"\xff" * len(magic)
    except (KeyError, ValueError):
        return False  # one that goes by a file name's extension
    found = head[offset : offset + len(magic)]
    is_whole = len(found) == len(magic) == len(mask)
    agrees = all((one ^ other) & bits == 0 for one, other, bits in zip(found, magic, mask, strict=False))
    return "enabled" in fields and is_whole and agrees
