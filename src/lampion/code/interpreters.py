"""Finds the interpreters on this machine that can serve as a runtime: by the file system, then by asking them."""

import asyncio
import json
import os
import platform
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from lampion.code.runtimes import Runtime, catalogue

RUNTIME_ROOT: Final = "/var/lang"
"""Where AWS keeps a runtime's interpreter inside the execution environment."""

_ASK_SECONDS: Final = 20.0
_ELF: Final = b"\x7fELF"
_SYSTEM_PREFIX: Final = Path("/usr")
_QUESTION: Final = (
    "import json, platform, sys; "
    "print(json.dumps([platform.python_version(), sys.base_prefix, platform.python_implementation()]))"
)
_KEPT_BY_VERSION_MANAGERS: Final = ((".pyenv/versions", "{}.*"), (".local/share/uv/python", "cpython-{}.*"))
_VERSION = re.compile(r"(\d+\.\d+)\.(\d+)[a-z0-9+]*")


class RunTool(Protocol):
    """Runs a program of the host and returns what it printed; owned by the room that starts processes."""

    async def run(self, argv: Sequence[str], *, timeout_seconds: float) -> bytes:
        """Standard output. Raises OSError when it doesn't start, fails or takes too long (TimeoutError)."""


class RuntimeUnavailable(Exception):
    """Nothing on this machine can run the runtime; the message is fit for StateReason."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter and what a sandbox has to mount for it.

    `mounts` are (host directory, target) pairs, read-only, beside the system's own directories; `executable_inside`
    is its path there.
    """

    runtime: str
    version: str
    executable: Path
    prefix: Path
    executable_inside: str
    mounts: tuple[tuple[Path, str], ...]
    library_paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchPlaces:
    """Where to look, in this order: `explicit` settings, `path`, then what version managers keep under `home`."""

    explicit: Mapping[str, Path] = field(default_factory=dict)
    path: tuple[Path, ...] = ()
    home: Path | None = None
    system: tuple[Path, ...] = (Path("/usr/local/bin"), Path("/usr/bin"))


def search_places(explicit: Mapping[str, Path], environ: Mapping[str, str]) -> SearchPlaces:
    """The places that the server's environment names."""
    directories = (Path(part) for part in environ.get("PATH", "").split(os.pathsep) if part.startswith("/"))
    home = environ.get("HOME", "")
    return SearchPlaces(explicit, tuple(directories), Path(home) if home.startswith("/") else None)


class Interpreters:
    """Looks each runtime's interpreter up once; one that is missing is looked for again at the next call."""

    def __init__(self, places: SearchPlaces, tool: RunTool) -> None:
        self._places = places
        self._tool = tool
        self._found: dict[str, Interpreter] = {}

    def known_version(self, runtime: str) -> str | None:
        """The exact version found for `runtime` so far."""
        found = self._found.get(runtime)
        return None if found is None else found.version

    async def find(self, runtime: str) -> Interpreter:
        """What runs `runtime` here. Raises RuntimeUnavailable with a text that says how to mend it."""
        found = self._found.get(runtime)
        if found is not None:
            return found
        known = catalogue().runtimes.get(runtime)
        if known is None or not known.is_runnable:
            raise RuntimeUnavailable(_not_built(runtime))
        for executable in await asyncio.to_thread(lambda: list(candidates(known, self._places))):
            interpreter = await self._ask(runtime, known, executable)
            if interpreter is not None:
                return self._found.setdefault(runtime, interpreter)
        raise RuntimeUnavailable(_not_found(runtime, known, self._places.explicit.get(runtime)))

    async def discover(self) -> Mapping[str, Interpreter]:
        """Every runnable runtime that has an interpreter here."""
        runtimes = [runtime.identifier for runtime in catalogue().runtimes.values() if runtime.is_runnable]
        found = await asyncio.gather(*map(self._find_if_there, runtimes))
        return {interpreter.runtime: interpreter for interpreter in found if interpreter is not None}

    async def _find_if_there(self, runtime: str) -> Interpreter | None:
        try:
            return await self.find(runtime)
        except RuntimeUnavailable:
            return None

    async def _ask(self, runtime: str, known: Runtime, executable: Path) -> Interpreter | None:
        """None when it doesn't run or is of another version or kind."""
        try:
            answer = await self._tool.run((str(executable), "-I", "-S", "-c", _QUESTION), timeout_seconds=_ASK_SECONDS)
            version, prefix, implementation = json.loads(answer)
            match = _VERSION.fullmatch(version)
        except (OSError, ValueError, TypeError):
            return None
        if match is None or match[1] != known.version or implementation != "CPython":
            return None
        return await asyncio.to_thread(_interpreter, runtime, version, executable, Path(prefix))


def candidates(runtime: Runtime, places: SearchPlaces) -> Iterator[Path]:
    """Executables that may be the runtime's interpreter, best first, each once. An explicit setting stands alone."""
    explicit = places.explicit.get(runtime.identifier)
    if explicit is not None:
        if _is_program(explicit):
            yield explicit
        return
    seen: set[Path] = set()
    for executable in _possible(runtime, places):
        if _is_program(executable) and executable.resolve() not in seen:
            seen.add(executable.resolve())
            yield executable


def _possible(runtime: Runtime, places: SearchPlaces) -> Iterator[Path]:
    name = f"python{runtime.version}"
    for directory in places.path:
        yield directory / name
    if places.home is not None:
        for kept, pattern in _KEPT_BY_VERSION_MANAGERS:
            installed = sorted((places.home / kept).glob(pattern.format(runtime.version)), key=_newest_first)
            yield from (prefix / "bin" / name for prefix in installed)
    for directory in places.system:
        yield directory / name


def _newest_first(prefix: Path) -> tuple[int, str]:
    match = re.search(r"\d+\.\d+\.(\d+)", prefix.name)
    return (-int(match[1]) if match else 0, prefix.name)


def _is_program(path: Path) -> bool:
    """A binary that may be run: shims of version managers are scripts, and don't work in a sandbox."""
    try:
        if not stat.S_ISREG(path.stat().st_mode) or not os.access(path, os.X_OK):
            return False
        with path.open("rb") as file:
            return file.read(len(_ELF)) == _ELF
    except OSError:
        return False


def _interpreter(runtime: str, version: str, executable: Path, prefix: Path) -> Interpreter:
    """A system interpreter runs where it is; any other is mounted, with all that belongs to it, at /var/lang."""
    name = f"bin/python{version.rpartition('.')[0]}"
    if (prefix / name).exists():  # of a virtual environment, take the interpreter that it is made of
        executable = prefix / name
    prefix = prefix.resolve()
    if prefix == _SYSTEM_PREFIX:
        return Interpreter(runtime, version, executable, prefix, str(_SYSTEM_PREFIX / name), ())
    return Interpreter(
        runtime,
        version,
        executable,
        prefix,
        f"{RUNTIME_ROOT}/{name}",
        ((prefix, RUNTIME_ROOT),),
        (f"{RUNTIME_ROOT}/lib",),
    )


def _not_built(runtime: str) -> str:
    return (
        f"The runtime {runtime} is not available yet: Lampion runs Python functions only. "
        "Choose a runtime such as python3.12; lampion doctor lists what was found."
    )


def _not_found(runtime: str, known: Runtime, explicit: Path | None) -> str:
    if explicit is not None:
        return (
            f"The interpreter set for {runtime}, {explicit}, is no working Python {known.version} for "
            f"{platform.machine()}. Correct the setting --interpreter {runtime}=PATH and update the function."
        )
    return (
        f"No interpreter for {runtime} on this machine. Install one, for example with "
        f"`uv python install {known.version}` or `apt-get install python{known.version}`, and update the function; "
        "lampion doctor lists what was found."
    )
