"""Finds the interpreters on this machine that can serve as a runtime: by the file system, then by asking them."""

import asyncio
import os
import platform
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from lampion.code.architectures import ARCHITECTURES, HOST_ARCHITECTURE, architecture_of
from lampion.code.languages import LANGUAGES
from lampion.code.languages.language import Answer, Language
from lampion.code.runtimes import Runtime, catalogue

RUNTIME_ROOT: Final = "/var/lang"
"""Where AWS keeps a runtime's interpreter inside the execution environment."""

_ASK_SECONDS: Final = 20.0
_SYSTEM_PREFIX: Final = Path("/usr")


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
    architecture: str = HOST_ARCHITECTURE

    @property
    def is_emulated(self) -> bool:
        return self.architecture != HOST_ARCHITECTURE


@dataclass(frozen=True, slots=True)
class SearchPlaces:
    """Where to look, in this order: `explicit` settings, `path`, then what version managers keep under `home`.

    Only programs of `architecture` count.
    """

    explicit: Mapping[str, Path] = field(default_factory=dict)
    path: tuple[Path, ...] = ()
    home: Path | None = None
    system: tuple[Path, ...] = (Path("/usr/local/bin"), Path("/usr/bin"))
    architecture: str = HOST_ARCHITECTURE


def search_places(explicit: Mapping[str, Path], environ: Mapping[str, str]) -> SearchPlaces:
    """The places that the server's environment names."""
    directories = (Path(part) for part in environ.get("PATH", "").split(os.pathsep) if part.startswith("/"))
    own = {runtime: path for runtime, path in explicit.items() if "/" not in runtime}
    return SearchPlaces(own, tuple(directories), _home(environ))


def emulated_places(explicit: Mapping[str, Path], environ: Mapping[str, str]) -> SearchPlaces:
    """Of the architecture that this machine isn't: settings that name it, and what version managers keep."""
    (other,) = (name for name in ARCHITECTURES if name != HOST_ARCHITECTURE)
    named = {key.removeprefix(f"{other}/"): path for key, path in explicit.items() if key.startswith(f"{other}/")}
    return SearchPlaces(named, (), _home(environ), (), other)


def _home(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("HOME", "")
    return Path(home) if home.startswith("/") else None


class Interpreters:
    """Looks each runtime's interpreter up once; one that is missing is looked for again at the next call."""

    def __init__(self, places: SearchPlaces, tool: RunTool) -> None:
        self._places = places
        self._tool = tool
        self._found: dict[str, Interpreter] = {}
        self._answers: dict[tuple[object, ...], asyncio.Task[bytes]] = {}

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
        language = LANGUAGES.get(known.language) if known is not None and known.is_runnable else None
        if known is None or language is None:
            raise RuntimeUnavailable(_not_built(runtime))
        for executable in await asyncio.to_thread(lambda: list(candidates(known, self._places))):
            interpreter = await self._examine(known, language, executable)
            if interpreter is not None:
                return self._found.setdefault(runtime, interpreter)
        raise RuntimeUnavailable(_not_found(known, language, self._places.explicit.get(runtime)))

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

    async def _examine(self, known: Runtime, language: Language, executable: Path) -> Interpreter | None:
        """None when it doesn't run or is of another version or kind."""
        try:
            answer = language.read(await self._ask(language, executable), known.version)
        except (OSError, ValueError, TypeError):
            return None
        if answer is None or not _is_version(answer.version, known.version):
            return None
        return await asyncio.to_thread(_interpreter, known.identifier, executable, answer)

    async def _ask(self, language: Language, executable: Path) -> bytes:
        """What the program says; it is started once, for however many runtimes it may be, until it is another file."""
        status = await asyncio.to_thread(executable.stat)
        identity = (language.title, status.st_dev, status.st_ino, status.st_mtime_ns)
        asking = self._answers.get(identity)
        if asking is None:
            command = (str(executable), *language.question)
            asking = asyncio.ensure_future(self._tool.run(command, timeout_seconds=_ASK_SECONDS))
            self._answers[identity] = asking
        try:
            return await asyncio.shield(asking)
        except OSError:
            self._answers.pop(identity, None)  # it may work at the next call
            raise


def candidates(runtime: Runtime, places: SearchPlaces) -> Iterator[Path]:
    """Executables that may be the runtime's interpreter, best first, each once. An explicit setting stands alone."""
    explicit = places.explicit.get(runtime.identifier)
    if explicit is not None:
        if _is_program(explicit, places.architecture):
            yield explicit
        return
    seen: set[Path] = set()
    for executable in _possible(LANGUAGES[runtime.language], runtime.version, places):
        if _is_program(executable, places.architecture) and executable.resolve() not in seen:
            seen.add(executable.resolve())
            yield executable


def _possible(language: Language, version: str, places: SearchPlaces) -> Iterator[Path]:
    names = [_for_version(name, version) for name in language.names]
    for directory in places.path:
        yield from (directory / name for name in names)
    for kept, pattern in language.kept:
        if places.home is not None or kept.startswith("/"):
            directory = (places.home or Path("/")) / kept
            yield from _newest_first(directory, _for_version(pattern, version))
    for directory in places.system:
        yield from (directory / name for name in names)


def _for_version(pattern: str, version: str) -> str:
    return pattern.replace("{}", version)


def _newest_first(directory: Path, pattern: str) -> list[Path]:
    """The programs there; none where we may not look."""
    try:
        return sorted(directory.glob(pattern), key=lambda program: _age(program.relative_to(directory)))
    except PermissionError:
        return []


def _age(program: Path) -> tuple[list[int], str]:
    return ([-int(number) for number in re.findall(r"\d+", str(program))], str(program))


def _is_program(path: Path, architecture: str) -> bool:
    """A binary that may be run: shims of version managers are scripts, and don't work in a sandbox."""
    try:
        if not stat.S_ISREG(path.stat().st_mode) or not os.access(path, os.X_OK):
            return False
        return architecture_of(path) == architecture
    except OSError:
        return False


def _is_version(version: str, wanted: str) -> bool:
    """3.12.7 is a 3.12, 20.11.1 is a 20."""
    return version.startswith(f"{wanted}.")


def _interpreter(runtime: str, executable: Path, answer: Answer) -> Interpreter:
    """A system interpreter runs where it is; any other is mounted, with all that belongs to it, at /var/lang."""
    own = answer.prefix / answer.program
    if own.exists():  # of a virtual environment or a shim, take the interpreter that is behind it
        executable = own
    prefix = answer.prefix.resolve()
    if prefix == _SYSTEM_PREFIX:
        return Interpreter(runtime, answer.version, executable, prefix, str(_SYSTEM_PREFIX / answer.program), ())
    return Interpreter(
        runtime,
        answer.version,
        executable,
        prefix,
        f"{RUNTIME_ROOT}/{answer.program}",
        ((prefix, RUNTIME_ROOT),),
        (f"{RUNTIME_ROOT}/lib",),
    )


def _not_built(runtime: str) -> str:
    titles = " and ".join(language.title for language in LANGUAGES.values())
    return (
        f"The runtime {runtime} is not available yet: Lampion runs {titles} functions only. "
        "Choose a runtime such as python3.12; lampion doctor lists what was found."
    )


def _not_found(known: Runtime, language: Language, explicit: Path | None) -> str:
    if explicit is not None:
        return (
            f"The interpreter set for {known.identifier}, {explicit}, is no working {language.title} {known.version} "
            f"for {platform.machine()}. Correct the setting --interpreter {known.identifier}=PATH and update the "
            "function."
        )
    return (
        f"No interpreter for {known.identifier} on this machine. Install one, for example with "
        f"{_for_version(language.install, known.version)}, and update the function; "
        "lampion doctor lists what was found."
    )
