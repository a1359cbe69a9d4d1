"""What may be on a disk after the power was cut: what was synced, and of the rest any sector or none. Pure."""

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

_HEAD: Final = struct.Struct("=QQQQ")
_SECTOR_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class Step:
    """One record of shim.c. `kind` is w(rite), c(ut), s(ync), r(emove), m(ark)."""

    kind: str
    path: str
    offset: int
    data: bytes


def read_record(path: Path) -> list[Step]:
    """All steps of a record."""
    return list(_steps(path.read_bytes()))


def _steps(content: bytes) -> Iterator[Step]:
    at = 0
    while at < len(content):
        kind, path_size, offset, size = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        path, at = content[at : at + path_size].decode(), at + path_size
        yield Step(chr(kind), path, offset, content[at : at + size])
        at += size


@dataclass(slots=True)
class _File:
    """`synced` survives for certain; each of `pending` may have reached the disk, as a whole or in part."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[Step] = field(default_factory=list)

    def take(self, step: Step) -> None:
        if step.kind == "s":
            for one in self.pending:
                _apply(self.synced, one)
            self.pending.clear()
        else:
            self.pending.append(step)

    def after_cut(self, chance: Random) -> bytes:
        """Each sector that was written and not synced is there or isn't; how much of it, differs from cut to cut."""
        share = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        content = bytearray(self.synced)
        for step in self.pending:
            if step.kind == "c":
                if chance.random() < share:
                    _apply(content, step)
                continue
            for sector in _sectors(step):
                if chance.random() < share:
                    _apply(content, sector)
        return bytes(content)


def _sectors(step: Step) -> Iterator[Step]:
    """The write in pieces that end where a sector ends."""
    at = 0
    while at < len(step.data):
        size = _SECTOR_BYTES - (step.offset + at) % _SECTOR_BYTES
        yield Step("w", step.path, step.offset + at, step.data[at : at + size])
        at += size


def _apply(content: bytearray, step: Step) -> None:
    if step.kind == "c":
        del content[step.offset :]
        content.extend(bytes(step.offset - len(content)))
        return
    content.extend(bytes(max(0, step.offset - len(content))))
    content[step.offset : step.offset + len(step.data)] = step.data


@dataclass(frozen=True, slots=True)
class AfterCut:
    """The files by path, and what had been told by then."""

    files: dict[str, bytes]
    marks: Sequence[Any]


def cut_power(steps: Sequence[Step], at: int, seed: int) -> AfterCut:
    """What a machine finds whose power was cut after so many steps."""
    chance = Random(f"{at} {seed}")
    names = _Names()
    marks = []
    for step in steps[:at]:
        if step.kind == "m":
            marks.append(json.loads(step.data))
        else:
            names.take(step)
    found = names.after_cut(chance)
    return AfterCut({path: file.after_cut(chance) for path, file in found.items()}, marks)


class _Names:
    """Files by path. A name that has come or gone is so for certain when its directory has been synced."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        self._certain: dict[str, _File] = {}

    def take(self, step: Step) -> None:
        if step.kind == "r":
            self._files.pop(step.path, None)
        elif step.kind == "s" and not step.path.rpartition("/")[2].count(".db"):
            self._certain = dict(self._files)
        else:
            self._files.setdefault(step.path, _File()).take(step)

    def after_cut(self, chance: Random) -> dict[str, _File]:
        found = {}
        for path in {**self._certain, **self._files}:
            now, before = self._files.get(path), self._certain.get(path)
            chosen = now if now is before or chance.random() < 0.5 else before
            if chosen is not None:
                found[path] = chosen
        return found
