"""Several runs side by side, and the judgement: is the suite sound, does the wall hold what it promises? Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.escape.catalogue import ALL, LEAST_OPEN_IN_CONTROL, LISTED, Probe
from tests.escape.verdicts import Outcome, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One run: who ran it, at which grade, and what came of every probe."""

    title: str
    grade: str
    findings: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    marks: tuple[str, ...] = ()
    is_control: bool = False
    expected_open: frozenset[str] | None = frozenset()

    @classmethod
    def of(cls, title: str, result: dict[str, Any], **more: Any) -> "Column":
        verdicts = tuple(Verdict.from_json(each) for each in result["verdicts"])
        return cls(title=title, grade=result["grade"], findings=tuple(result["findings"]), verdicts=verdicts, **more)

    def outcome(self, name: str, language: str) -> Outcome | None:
        """None where this language has no such probe here."""
        return next((each.outcome for each in self.verdicts if (each.name, each.language) == (name, language)), None)

    def open_probes(self, among: Iterable[Probe]) -> list[str]:
        """Names of those open in any language."""
        opened = {each.name for each in self.verdicts if each.outcome is Outcome.OPEN}
        return [probe.name for probe in among if probe.name in opened]

    def languages(self) -> list[str]:
        return list(dict.fromkeys(each.language for each in self.verdicts))


def problems_of(column: Column) -> list[str]:
    """Why this run doesn't count, or what it disproves."""
    broken = [each for each in column.verdicts if each.outcome is Outcome.BROKEN or each.broken]
    found = [f"{column.title}: {each.name} in {each.language} is broken: {each.broken}" for each in broken]
    return found + (_control_problems(column) if column.is_control else _wall_problems(column))


def _control_problems(column: Column) -> list[str]:
    """The control run proves the suite: what isn't open there, no wall can be credited with."""
    found = []
    for language in column.languages():
        if language == "native":
            continue  # a handful of probes, each of which stands in the other languages as well
        outcomes = {probe.name: column.outcome(probe.name, language) for probe in ALL}
        count = sum(outcome is Outcome.OPEN for outcome in outcomes.values())
        if count < LEAST_OPEN_IN_CONTROL:
            found.append(f"{column.title}: only {count} probes are open in {language}; the suite itself is broken")
        found += [
            f"{column.title}: {probe.name} in {language} must be open without a sandbox and is not"
            for probe in ALL
            if not probe.closed_by_host and outcomes[probe.name] is Outcome.HELD
        ]
    return found


def _wall_problems(column: Column) -> list[str]:
    if column.expected_open is None:
        return [f"{column.title}: docs/concepts/isolation.md says nothing about this grade and user"]
    opened = {each.name: each for each in column.verdicts if each.outcome is Outcome.OPEN}
    ran = {each.name for each in column.verdicts}
    unexpected = [f"{column.title}: {name} is open: {opened[name].open[0]}" for name in sorted(opened)]
    found = [line for line, name in zip(unexpected, sorted(opened), strict=True) if name not in column.expected_open]
    closed = sorted((column.expected_open & ran) - set(opened))
    return found + [f"{column.title}: {name} is listed as open in the docs, and held" for name in closed]


def summary(columns: Sequence[Column]) -> list[str]:
    """One line for each run."""
    lines = []
    for column in columns:
        listed, extra = column.open_probes(LISTED), column.open_probes(probe for probe in ALL if probe not in LISTED)
        tried = len({each.name for each in column.verdicts} & {probe.name for probe in LISTED})
        names = " ".join(listed) or "none"
        lines.append(f"{column.title} (grade {column.grade}): {len(listed)} of {tried} open: {names}")
        if extra:
            lines.append(f"{column.title}: extra probes open: {' '.join(extra)}")
    return lines
