"""What a run of bad requests found, in words and as a result page."""

import os
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.conformance.bad_requests.case import Case
from tests.conformance.bad_requests.oracle import LONGEST_SECONDS, Answer, complaints

_ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Report:
    """How many ran, how they were answered, what was wrong. `asked_again` counts answers that took too long once."""

    ran: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    asked_again: int = 0
    complaints: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, case: Case, answer: Answer) -> None:
        self.ran += 1
        self.statuses[answer.status] += 1
        self.codes[f"{answer.status} {answer.code}".strip()] += 1
        self.complaints += [f"{case}\n    answered {answer}\n    {text}" for text in complaints(case, answer)]

    def __str__(self) -> str:
        tally = "\n".join(f"  {count:>6}  {code}" for code, count in self.codes.most_common())
        speed = f"{self.ran} bad requests in {self.seconds:.1f} s, the slowest {self.slowest_seconds:.2f} s"
        return f"{speed}; answers (0 = closed without one):\n{tally}\ncomplaints: {len(self.complaints)}"


def page(reports: Mapping[int, Report]) -> str:
    """The text of the result page; reports by seed."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=_ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    tally = sum((report.codes for report in reports.values()), Counter[str]())
    seeds = " ".join(map(str, reports))
    return "\n".join(
        [
            "# Bad requests",
            "",
            f'- command: `make fuzz SEED="{seeds}"`',
            f"- date: {datetime.now(UTC):%Y-%m-%d}",
            f"- commit: {commit}",
            f"- machine: {os.cpu_count()} processors",
            "- each seed on a server of its own; after each request every row of the database, but access keys, and "
            "all stored code was compared with what was there before",
            f"- an answer that took longer than {LONGEST_SECONDS:g} s was asked for once more: only what is slow again "
            "is a hang",
            "",
            "| Seed | Requests | Seconds | Slowest answer, s | Asked again | Complaints |",
            "|---|---|---|---|---|---|",
            *(
                f"| {seed} | {report.ran} | {report.seconds:.0f} | {report.slowest_seconds:.2f} | {report.asked_again} "
                f"| {len(report.complaints)} |"
                for seed, report in reports.items()
            ),
            "",
            "| Answers | Status and error |",
            "|---|---|",
            *(
                f"| {count} | {code if code != '0' else 'closed without an answer'} |"
                for code, count in tally.most_common()
            ),
            "",
        ]
    )
