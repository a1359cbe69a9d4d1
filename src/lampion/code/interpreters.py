"""Finds the interpreters on this machine that can serve as a runtime: by the file system, then by asking them."""

import asyncio
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from lampion.code.architectures import HOST_ARCHITECTURE
from lampion.code.interpreter_places import SearchPlaces, candidates, for_version
from lampion.code.languages import LANGUAGES, WITHOUT_INTERPRETER
from lampion.code.languages.language import RUNTIME_ROOT, Answer, Language
from lampion.code.runtimes import Runtime, catalogue
from lampion.code.versions import by_closeness, feature_version, is_at_least, is_version

_ASK_SECONDS: Final = 20.0
_SYSTEM_PREFIX: Final = Path("/usr")
_FOR_FUNCTIONS: Final = ("/opt", "/tmp", "/var/task", RUNTIME_ROOT)  # noqa: S108  a function's own mounts hide them


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

    @property
    def is_close(self) -> bool:
        """Whether it is of another version than the runtime names."""
        return not is_version(self.version, catalogue().runtimes[self.runtime].version)


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """What a runtime without an interpreter stands on, such as provided.al2023: the function brings the program.

    AWS calls them OS-only runtimes. `name` is that of this machine's system; `version` begins with the runtime's and
    changes with it.
    """

    runtime: str
    version: str
    name: str


RuntimeBase = Interpreter | OperatingSystem
"""What this machine has for a runtime."""


class Interpreters:
    """Looks each runtime's interpreter up once; one that is missing is looked for again at the next call.

    With `takes_close` a runtime whose own version isn't there is served by the closest one (versions.by_closeness).
    """

    def __init__(self, places: SearchPlaces, tool: RunTool, *, takes_close: bool = False) -> None:
        self._places = places
        self._tool = tool
        self._takes_close = takes_close
        self._found: dict[str, RuntimeBase] = {}
        self._answers: dict[tuple[object, ...], asyncio.Task[bytes]] = {}

    def known_version(self, runtime: str) -> str | None:
        """The exact version found for `runtime` so far."""
        found = self._found.get(runtime)
        return None if found is None else found.version

    async def find(self, runtime: str) -> RuntimeBase:
        """What runs `runtime` here. Raises RuntimeUnavailable with a text that says how to mend it."""
        known = catalogue().runtimes.get(runtime)
        if known is None or not known.is_runnable:
            raise RuntimeUnavailable(_not_built(runtime))
        found = await self._find(known)
        if found is not None:
            return found
        language = LANGUAGES[known.language]
        close = None if self._takes_close else await self._closest(known, language)
        raise RuntimeUnavailable(_not_found(known, language, self._places.explicit.get(runtime), close))

    async def discover(self) -> Mapping[str, RuntimeBase]:
        """Every runnable runtime that this machine has something for."""
        runtimes = [runtime for runtime in catalogue().runtimes.values() if runtime.is_runnable]
        found = await asyncio.gather(*map(self._find, runtimes))
        return {base.runtime: base for base in found if base is not None}

    async def _find(self, known: Runtime) -> RuntimeBase | None:
        found = self._found.get(known.identifier)
        if found is None and known.language in WITHOUT_INTERPRETER:
            found = await asyncio.to_thread(_operating_system, known, self._places.os_release)
        if found is not None:
            return self._found.setdefault(known.identifier, found)
        language = LANGUAGES[known.language]
        found = await self._exact(known, language)
        if found is None and self._takes_close:
            found = await self._closest(known, language)
        return None if found is None else self._found.setdefault(known.identifier, found)

    async def _exact(self, known: Runtime, language: Language) -> Interpreter | None:
        """One of the runtime's own version."""
        for executable in await asyncio.to_thread(lambda: list(candidates(known, self._places))):
            answer = await self._examine(known, language, executable)
            if answer is not None and is_version(answer.version, known.version):
                return await asyncio.to_thread(_interpreter, known.identifier, executable, answer)
        return None

    async def _closest(self, known: Runtime, language: Language) -> Interpreter | None:
        """One of another version, which the language's runtime can do with."""
        answers: dict[str, tuple[Path, Answer]] = {}
        for executable in await asyncio.to_thread(lambda: list(candidates(known, self._places, any_version=True))):
            answer = await self._examine(known, language, executable)
            if answer is not None and is_at_least(answer.version, language.least):
                answers.setdefault(answer.version, (executable, answer))
        for version in by_closeness(known.version, answers):
            return await asyncio.to_thread(_interpreter, known.identifier, *answers[version])
        return None

    async def _examine(self, known: Runtime, language: Language, executable: Path) -> Answer | None:
        """None when it doesn't run, is of another kind or can't be had in a sandbox."""
        try:
            answer = language.read(await self._ask(language, executable), known.version)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return answer if answer is not None and _can_be_mounted(answer) else None

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


def _can_be_mounted(answer: Answer) -> bool:
    return answer.movable or not any(answer.prefix.is_relative_to(place) for place in _FOR_FUNCTIONS)


def _operating_system(known: Runtime, os_release: Path) -> OperatingSystem:
    """By freedesktop.org's os-release; a system without one is nameless."""
    told = {}
    with suppress(OSError):
        for line in os_release.read_text(errors="replace").splitlines():
            name, _, value = line.partition("=")
            told[name] = value.strip("\"'")
    version = told.get("VERSION_ID", "")
    return OperatingSystem(
        known.identifier,
        f"{known.version}.{version}" if version else known.version,
        told.get("PRETTY_NAME", "Linux"),
    )


def _interpreter(runtime: str, executable: Path, answer: Answer) -> Interpreter:
    """A system interpreter runs where it is; any other is mounted, with all that belongs to it.

    One that can't be moved is mounted where it is as well.
    """
    own = answer.prefix / answer.program
    if own.exists():  # of a virtual environment or a shim, take the interpreter that is behind it
        executable = own
    prefix = answer.prefix.resolve()
    if prefix == _SYSTEM_PREFIX:
        return Interpreter(runtime, answer.version, executable, prefix, str(_SYSTEM_PREFIX / answer.program), ())
    is_in_view = answer.movable or answer.prefix.is_relative_to(_SYSTEM_PREFIX)
    return Interpreter(
        runtime,
        answer.version,
        executable,
        prefix,
        f"{answer.inside}/{answer.program}",
        (
            (prefix, answer.inside),
            *(() if is_in_view else ((prefix, str(answer.prefix)),)),
            *((directory, str(directory)) for directory in answer.also),
        ),
        (f"{RUNTIME_ROOT}/lib",),
    )


def install_command(known: Runtime) -> str:
    """What a person may type to get an interpreter for it; "" where there is none to be had."""
    language = LANGUAGES.get(known.language)
    return "" if language is None else for_version(language.install, known.version)


def _not_built(runtime: str) -> str:
    titles = ", ".join(language.title for language in LANGUAGES.values())
    return (
        f"The runtime {runtime} is not available yet: Lampion runs {titles} and functions with a program of their own. "
        "Choose a runtime such as python3.12; lampion runtimes lists what was found."
    )


def _not_found(known: Runtime, language: Language, explicit: Path | None, close: Interpreter | None) -> str:
    offer = ""
    if close is not None:
        name = f"{language.title} {feature_version(close.version, known.version)}"
        offer = f", or start the server with --close-runtimes to use {name}"
    if explicit is not None:
        return (
            f"The interpreter set for {known.identifier}, {explicit}, is no working {language.title} {known.version} "
            f"for {platform.machine()}. Correct the setting --interpreter {known.identifier}=PATH{offer}, and update "
            "the function."
        )
    return (
        f"No interpreter for {known.identifier} on this machine. Install one, for example with "
        f"{install_command(known)}{offer}, and update the function; lampion runtimes lists what was found."
    )
