"""What a run of a probe says: open, held or broken. Pure."""

import json
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from lampion.sandbox.driver import Exit

MARKER = "ESCAPE "


class Outcome(StrEnum):
    """Broken means that the probe itself failed and says nothing about the wall."""

    OPEN = "open"
    HELD = "held"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One probe in one language; `open` are the attempts that succeeded, `held` those that were refused."""

    name: str
    language: str
    open: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        if self.open:
            return Outcome.OPEN
        return Outcome.BROKEN if self.broken or not self.held else Outcome.HELD

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Verdict":
        lists = {key: tuple(data[key]) for key in ("open", "held", "broken")}
        return cls(data["name"], data["language"], **lists, notes=data["notes"])


def judge(run: str, language: str, ending: Exit, output: str, seen_outside: list[str]) -> Verdict:
    """From what the probe printed, how it ended, and what was seen from outside meanwhile."""
    name = run.partition(":")[0]
    answer = _answer(output)
    if answer is None:
        return _judge_silence(run, language, ending, output, seen_outside)
    told = [(each["open"], f"{each['name']}: {each['evidence']}") for each in answer["attempts"]]
    return Verdict(
        name,
        language,
        tuple([text for is_open, text in told if is_open] + seen_outside),
        tuple(text for is_open, text in told if not is_open),
        (f"{run}: {answer['broken']}",) if answer["broken"] else (),
        {each["name"]: each["evidence"] for each in answer["attempts"]},
    )


def _answer(output: str) -> Any:
    """The probe's last answer; None when there is none, or only the beginning of one."""
    for line in reversed(output.splitlines()):
        if line.startswith(MARKER):
            with suppress(ValueError):
                return json.loads(line.removeprefix(MARKER))
    return None


def _judge_silence(run: str, language: str, ending: Exit, output: str, seen_outside: list[str]) -> Verdict:
    """A sandbox that is ended for what its function does is a wall, too."""
    name = run.partition(":")[0]
    if ending.out_of_memory:
        return Verdict(name, language, tuple(seen_outside), (f"{run}: the sandbox was ended, out of memory",))
    if ending.signal == signal.SIGSYS:
        return Verdict(name, language, tuple(seen_outside), (f"{run}: killed by SIGSYS",))
    return Verdict(name, language, tuple(seen_outside), (), (f"{run}: no answer, {ending}: {output[-600:]}",))


def merge(verdicts: list[Verdict]) -> list[Verdict]:
    """One verdict per probe and language out of those of its parts."""
    merged: dict[tuple[str, str], Verdict] = {}
    for each in verdicts:
        key = (each.name, each.language)
        before = merged.get(key, Verdict(each.name, each.language))
        merged[key] = Verdict(
            *key,
            before.open + each.open,
            before.held + each.held,
            before.broken + each.broken,
            {**before.notes, **each.notes},
        )
    return list(merged.values())
