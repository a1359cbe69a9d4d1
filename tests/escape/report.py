"""The result page: a table of all probes, runs and languages. Pure but for the question which commit this is."""

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.escape.catalogue import ALL, Probe
from tests.escape.catalogue import Path as Way
from tests.escape.scoreboard import Column, summary
from tests.escape.verdicts import Outcome

_ROOT = Path(__file__).resolve().parents[2]
_SIGNS = {Outcome.OPEN: "**open**", Outcome.HELD: "held", Outcome.BROKEN: "broken", None: "-"}
_SHORT = {"python": "Py", "nodejs": "Node", "native": "C"}


def page(columns: Sequence[Column], problems: Sequence[str], changes: Sequence[str], command: str) -> str:
    """The whole text of docs/results/escape.md."""
    lines = [
        "# Escape suite",
        "",
        f"- command: `{command}`",
        f"- date: {datetime.now(UTC):%Y-%m-%d}",
        f"- commit: {_commit()}",
        *(f"- {line}" for line in summary(columns)),
        *(
            f"- {column.title}: `lampion doctor` finds {', '.join(column.findings)}"
            for column in columns
            if column.findings
        ),
        *(
            f"- {column.title}: languages: {', '.join(column.languages())}; of functions on a server: {served(column)}"
            for column in columns
        ),
        f"- the host before and after: {'; '.join(changes) or 'the same'}",
        f"- judgement: {'; '.join(problems) or 'as documented'}",
        "",
        "`held`: every attempt of the probe was refused. `open`: at least one succeeded. `-`: not made in this run.",
        "Of the control run, which has no sandbox, each probe must be open unless the table says what closes it.",
        "",
        _row("Probe", "What it tries", *(column.title for column in columns)),
        _row("---", "---", *("---" for _ in columns)),
        *(_row(probe.name, _title(probe), *(_cell(column, probe) for column in columns)) for probe in ALL),
    ]
    return "\n".join([*lines, "", "## What was open", "", *_evidence(columns)]) + "\n"


def served(column: Column) -> str:
    """Those in which a probe that needs a server was made."""
    by_server = {probe.name for probe in ALL if probe.path is Way.PRODUCT}
    return ", ".join(dict.fromkeys(each.language for each in column.verdicts if each.name in by_server)) or "none"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _title(probe: Probe) -> str:
    return f"{probe.title} (closed without a sandbox: {probe.closed_by_host})" if probe.closed_by_host else probe.title


def _cell(column: Column, probe: Probe) -> str:
    outcomes = {language: column.outcome(probe.name, language) for language in column.languages()}
    tried = {language: outcome for language, outcome in outcomes.items() if outcome is not None}
    if len(set(tried.values())) <= 1:
        return _SIGNS[next(iter(tried.values()), None)]
    return ", ".join(f"{_SHORT.get(language, language)} {_SIGNS[outcome]}" for language, outcome in tried.items())


def _evidence(columns: Sequence[Column]) -> list[str]:
    lines = []
    for column in columns:
        if column.is_control:
            continue
        for each in column.verdicts:
            names = sorted({text.partition(":")[0] for text in each.open})
            if names:
                lines.append(f"- {column.title}, {each.name}, {each.language}: {'; '.join(names)[:400]}")
    return lines or ["Nothing."]


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=_ROOT, capture_output=True, text=True, check=True).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + (" with changes" if git("status", "--porcelain", "src") else "")
