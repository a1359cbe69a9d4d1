"""Images of either architecture: which of them a function is to have, and whether this machine can run it."""

from pathlib import Path
from typing import Final

from lampion.code.architectures import (
    ARCHITECTURES,
    BINFMT_MISC,
    EMULATOR_PACKAGES,
    HOST_ARCHITECTURE,
    architecture_of,
    find_emulator,
    loader_of,
)
from lampion.code.images.paths import follow, is_program

_LINE_BYTES: Final = 256
"""The most that the kernel reads of a script to find what interprets it."""
_SCRIPTS_MAX: Final = 4


class ImageArchitectures:
    """By the setting --architectures: with `takes_any`, images for this machine run, whatever a function says."""

    def __init__(self, *, takes_any: bool = False, registrations: Path = BINFMT_MISC) -> None:
        self._takes_any = takes_any
        self._registrations = registrations

    def preferred(self, function: str) -> tuple[str, ...]:
        """Of which architectures an image may be for a function of that one, the best first."""
        return tuple(dict.fromkeys((HOST_ARCHITECTURE, function))) if self._takes_any else (function,)

    def obstacle(self, function: str, image: str, root: Path) -> str | None:
        """Why an image for `image`, unpacked in `root`, doesn't run here for a function of that architecture."""
        wanted = image if self._takes_any else function
        if wanted == HOST_ARCHITECTURE or wanted not in ARCHITECTURES:
            return None
        problem = self._emulation_problem(wanted, root)
        if problem is None:
            return None
        return (
            f"Container images for {wanted} don't run here: {problem}. Install one, for example with "
            f"{EMULATOR_PACKAGES}, or build the image for {HOST_ARCHITECTURE} and give the function that architecture; "
            "then update the function's code."
        )

    def accepts(self, function: str, root: Path, path: str) -> bool:
        """Whether a program of the image is for the function's architecture, as far as that can be told.

        On AWS no other one starts, so that none may here because there happens to be an emulator for it.
        """
        found = None if self._takes_any else architecture_in(root, path)
        return found is None or found == function

    def _emulation_problem(self, architecture: str, root: Path) -> str | None:
        emulator = find_emulator(architecture, self._registrations)
        if emulator is None:
            return f"this machine is {HOST_ARCHITECTURE} and has no emulator for {architecture}"
        program = emulator.program
        if not emulator.is_open and not is_program(root, str(program)):
            return f"the emulator for {architecture}, {program}, is registered without the flag F and not in the image"
        loader = loader_of(program)
        if loader is not None and not is_program(root, loader):
            return f"the emulator for {architecture}, {program}, isn't statically linked and the image has no {loader}"
        return None


def architecture_in(root: Path, path: str) -> str | None:
    """Which architecture's program starts when an absolute path of an image is executed; scripts name another one."""
    for _ in range(_SCRIPTS_MAX):
        try:
            found = follow(root, root / path.lstrip("/"))
            if found is None or not found.is_file():
                return None
            with found.open("rb") as file:
                line = file.read(_LINE_BYTES)
        except (OSError, ValueError):
            return None
        if not line.startswith(b"#!"):
            return architecture_of(found)
        words = line[2:].partition(b"\n")[0].split()
        if not words or not words[0].startswith(b"/"):
            return None
        path = words[0].decode("utf-8", "replace")
    return None
