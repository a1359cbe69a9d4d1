"""What the clients of a server know: every attempt, and which were acknowledged. A log, and what follows of it."""

import json
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Contents:
    """What a function is, as far as we change it: its code, and the marker that is all over its configuration."""

    code_sha256: str
    marker: int


class Phase(StrEnum):
    """A record's part in an attempt; FOUND is what was seen after a restart, when that may be one of several."""

    ASKED = "asked"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    FOUND = "found"


@dataclass(frozen=True, slots=True)
class Record:
    """One line: `contents` is what the function is to become, None for a deletion. One client at a time per name."""

    name: str
    phase: Phase
    contents: Contents | None

    def as_line(self) -> str:
        contents = None if self.contents is None else [self.contents.code_sha256, self.contents.marker]
        return json.dumps([self.name, self.phase.value, contents])

    @classmethod
    def from_line(cls, line: str) -> "Record":
        name, phase, contents = json.loads(line)
        return cls(name, Phase(phase), None if contents is None else Contents(*contents))


@dataclass(frozen=True, slots=True)
class Known:
    """Of one function: what it may be now (None is absent), and everything it has ever been or was asked to be."""

    now: frozenset[Contents | None]
    ever: frozenset[Contents | None]


def knowledge(records: Iterable[Record]) -> dict[str, Known]:
    """What the records prove, by function name.

    An acknowledged attempt counts, a refused one doesn't, and one without an answer may have or not.
    """
    settled: dict[str, Contents | None] = {}
    open_attempts: dict[str, list[Contents | None]] = {}
    ever: dict[str, set[Contents | None]] = {}
    for record in records:
        settled.setdefault(record.name, None)
        attempts = open_attempts.setdefault(record.name, [])
        ever.setdefault(record.name, {None}).add(record.contents)
        if record.phase is Phase.ASKED:
            attempts.append(record.contents)
        elif record.phase is Phase.REFUSED:
            attempts.remove(record.contents)
        else:
            settled[record.name] = record.contents
            attempts.clear()
    return {
        name: Known(frozenset((contents, *open_attempts[name])), frozenset(ever[name]))
        for name, contents in settled.items()
    }


class AcceptLog:
    """Records on disk, each durable when `write` returns. Threads may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self.acknowledged = 0

    def write(self, name: str, phase: Phase, contents: Contents | None) -> None:
        with self._lock:
            self._file.write(Record(name, phase, contents).as_line() + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
            self.acknowledged += phase is Phase.ACKNOWLEDGED

    def records(self) -> Iterator[Record]:
        with self._path.open(encoding="utf-8") as lines:
            yield from map(Record.from_line, lines)

    def knowledge(self) -> dict[str, Known]:
        return knowledge(self.records())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
