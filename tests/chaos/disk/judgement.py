"""Whether what is on the disk after a crash and a recovery keeps what was told before. Pure, but for reading files."""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lampion.domain.invocation_record import Condition
from tests.chaos.disk.event_side import FAILS
from tests.chaos.disk.scenario import AFTERWARDS, SUCCEEDS

Line = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """A row of the endings; `is_kept`: it can be redriven, and hasn't been."""

    sequence: int
    name: str
    request_id: str
    ending: str
    is_kept: bool

    @property
    def was_redriven(self) -> bool:
        return self.ending != Condition.SUCCESS and not self.is_kept


@dataclass(frozen=True, slots=True)
class Found:
    """What is on the disk when all has become quiet."""

    endings: Sequence[Ended]
    entries: int
    functions: frozenset[str]
    damage: Sequence[str] = ()


_ENDINGS = """
SELECT sequence, queues.name, request_id, ending, payload IS NOT NULL FROM endings JOIN queues ON queues.id = queue
ORDER BY endings.id
"""


def look(directory: Path) -> Found:
    """Read the databases of a server that has stopped."""
    with _opened(directory / "queues.db") as queues, _opened(directory / "lampion.db") as store:
        damage = [text for one in (queues, store) for (text,) in one.execute("PRAGMA integrity_check") if text != "ok"]
        return Found(
            endings=[Ended(*row) for row in queues.execute(_ENDINGS)],
            entries=queues.execute("SELECT count(*) FROM entries").fetchone()[0],
            functions=frozenset(name for (name,) in store.execute("SELECT name FROM functions")),
            damage=damage,
        )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        yield connection


def judge(before: Sequence[Line], after: Sequence[Line], found: Found) -> list[str]:
    """`before` is the diary up to the crash, `after` that of the recovery. Everything that is wrong."""
    return [
        *(f"damaged: {text}" for text in found.damage),
        *([f"{found.entries} never ended"] if found.entries else []),
        *_functions(before, found),
        *_each_ended_once(before, found),
        *_nothing_invented(before, found),
        *_results_arrived(found),
        *_runs([*before, *after], found),
        *_ends_are_for_good(before, after),
    ]


def _of(diary: Sequence[Line], word: str) -> list[Line]:
    return [line for line in diary if line[0] == word]


def _functions(before: Sequence[Line], found: Found) -> Iterator[str]:
    for name in (SUCCEEDS, AFTERWARDS, FAILS):
        told = [line[0] for line in before if line[0] in ("created", "deleting", "deleted") and line[1] == name]
        last = told[-1] if told else None
        if last == "created" and name not in found.functions:
            yield f"{name} was created and is gone"
        if last == "deleted" and name in found.functions and len(told) <= 3:  # later it may be created again
            yield f"{name} was deleted and is there"


def _each_ended_once(before: Sequence[Line], found: Found) -> Iterator[str]:
    """An event's life ends once; who redrives it gives it another one."""
    for sequence, count in Counter(one.sequence for one in found.endings).items():
        if count > 1:
            yield f"entry {sequence} ended {count} times"
    final = Counter(one.request_id for one in found.endings if not one.was_redriven)
    redriven = Counter(one.request_id for one in found.endings if one.was_redriven)
    for _, name, request_id in _of(before, "accepted"):
        if final[request_id] != 1:
            yield f"{request_id} of {name} was accepted and has {final[request_id]} ends"
    asked = {request_id for line in _of(before, "redriving") for request_id in line[1]}
    for request_id in redriven.keys() - asked:
        yield f"{request_id} was redriven without being asked"
    for request_id in {request_id for line in _of(before, "redriven") for request_id in line[1]}:
        if not redriven[request_id]:
            yield f"{request_id} was redriven and isn't"


def _nothing_invented(before: Sequence[Line], found: Found) -> Iterator[str]:
    offered = {(name, request_id) for _, name, request_id in _of(before, "offered")}
    for one in found.endings:
        if one.name != AFTERWARDS and (one.name, one.request_id) not in offered:
            yield f"{one.request_id} of {one.name} was never offered"


def _results_arrived(found: Found) -> Iterator[str]:
    """Each failure brings one event for the destination, in the same step."""
    failed = sum(one.ending == Condition.RETRIES_EXHAUSTED for one in found.endings)
    came = sum(one.name == AFTERWARDS for one in found.endings)
    if came != failed:
        yield f"{failed} failed, and {came} of their results came"


def _runs(diary: Sequence[Line], found: Found) -> Iterator[str]:
    runs = Counter((line[1], line[2]) for line in _of(diary, "run"))
    for one in found.endings:
        expected = one.ending in (Condition.SUCCESS, Condition.RETRIES_EXHAUSTED)
        if expected and not runs[one.name, one.request_id]:
            yield f"{one.request_id} of {one.name} ended with {one.ending} and never ran"
        if one.ending != {FAILS: one.ending}.get(one.name, Condition.SUCCESS):
            yield f"{one.request_id} of {one.name} ended with {one.ending}"


def _ends_are_for_good(before: Sequence[Line], after: Sequence[Line]) -> Iterator[str]:
    """What a client saw ended doesn't run again, unless it is redriven."""
    redriven = {request_id for line in _of(before, "redriving") for request_id in line[1]}
    ended: set[str] = set()
    for line in (*before, *after):
        if line[0] == "ended":
            ended.add(line[1])
        elif line[0] == "run" and line[2] in ended - redriven:
            yield f"{line[2]} had ended and ran again"
