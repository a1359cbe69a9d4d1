"""What the discovery of interpreters must know of a language."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RUNTIME_ROOT: Final = "/var/lang"
"""Where AWS keeps a runtime's interpreter inside the execution environment."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an interpreter says of itself. `program` is its path under `prefix`, the tree that belongs to it; `inside`
    is where a sandbox has that tree, unless it is the system's. One that isn't `movable` looks for it where it was
    installed, wherever its program is.
    `also` are directories elsewhere that it reads too, at the same places in a sandbox.
    """

    version: str
    prefix: Path
    program: str
    inside: str = RUNTIME_ROOT
    movable: bool = True
    also: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language. In all patterns `{}` stands for the runtime's version, such as 3.12 or 20.

    `names` are those of its programs on PATH. `kept` tells where version managers keep it: a directory, relative to
    the home directory or absolute, and a pattern of programs under it. `question` are the arguments that make an
    interpreter tell its version and place; `read` takes its answer for a runtime's version, and returns None for an
    interpreter of another kind, not for one of another version. `read` may raise OSError, ValueError, TypeError and
    KeyError for nonsense. `least` is the oldest version that the language's runtime works with: one that is only
    close to the wanted version is no older.
    """

    title: str
    names: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]
    question: tuple[str, ...]
    read: Callable[[bytes, str], Answer | None]
    install: str
    least: str = "0"
