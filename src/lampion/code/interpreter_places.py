"""Where interpreters may be: settings, PATH, and what version managers keep. Looks at files, and starts none."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lampion.code.architectures import ARCHITECTURES, HOST_ARCHITECTURE, architecture_of
from lampion.code.languages import LANGUAGES
from lampion.code.languages.language import Language
from lampion.code.runtimes import Runtime

_VERSION_PLACE: Final = "{}"
_ANY_VERSION: Final = "[0-9]*"


@dataclass(frozen=True, slots=True)
class SearchPlaces:
    """Where to look, in this order: `explicit` settings, `path`, then what version managers keep under `home`.

    Only programs of `architecture` count.
    """

    explicit: Mapping[str, Path] = field(default_factory=dict)
    path: tuple[Path, ...] = ()
    home: Path | None = None
    system: tuple[Path, ...] = (Path("/usr/local/bin"), Path("/usr/bin"))
    os_release: Path = Path("/etc/os-release")
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
    return SearchPlaces(named, (), _home(environ), (), architecture=other)


def _home(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("HOME", "")
    return Path(home) if home.startswith("/") else None


def candidates(runtime: Runtime, places: SearchPlaces, *, any_version: bool = False) -> Iterator[Path]:
    """Executables that may be the runtime's interpreter, best first, each once. An explicit setting stands alone.

    With `any_version` those that may be one of its language, whatever their version.
    """
    explicit = places.explicit.get(runtime.identifier)
    if explicit is not None:
        if _is_program(explicit, places.architecture):
            yield explicit
        return
    seen: set[Path] = set()
    version = _ANY_VERSION if any_version else runtime.version
    for executable in _possible(LANGUAGES[runtime.language], version, places):
        if _is_program(executable, places.architecture) and executable.resolve() not in seen:
            seen.add(executable.resolve())
            yield executable


def for_version(pattern: str, version: str) -> str:
    """A pattern of a language's, for one version."""
    return pattern.replace(_VERSION_PLACE, version)


def _possible(language: Language, version: str, places: SearchPlaces) -> Iterator[Path]:
    names = [for_version(name, version) for name in language.names]
    for directory in places.path:
        yield from _named(directory, names)
    for kept, pattern in language.kept:
        if places.home is not None or kept.startswith("/"):
            directory = (places.home or Path("/")) / kept
            yield from _newest_first(directory, for_version(pattern, version))
    for directory in places.system:
        yield from _named(directory, names)


def _named(directory: Path, names: list[str]) -> Iterator[Path]:
    for name in names:
        if _ANY_VERSION in name:
            yield from _newest_first(directory, name)
        else:
            yield directory / name


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
