"""What came of some rounds of kill -9, in words."""

import statistics
from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.checker import Finding


@dataclass
class Outcome:
    """What came of some rounds."""

    sandbox: str
    rounds: int = 0
    killed_again: int = 0
    accepted: int = 0
    unanswered: int = 0
    refused: int = 0
    ended: int = 0
    waiting: int = 0
    runs: int | None = None
    orphans_possible: int = 0
    load_seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    ready_seconds: list[float] = field(default_factory=list)
    first_end_seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = Counter(finding.kind for finding in self.findings)
        runs = "not seen from outside" if self.runs is None else str(self.runs)
        return "\n".join(
            (
                f"sandbox: {self.sandbox}",
                f"rounds: {self.rounds}, in {self.killed_again} of them killed again while it recovered",
                f"events accepted: {self.accepted} in {self.load_seconds:.0f} s of load",
                f"events without an answer when the server died: {self.unanswered}; refused: {self.refused}",
                f"ends: {self.ended}, those of results sent on among them; waiting still: {self.waiting}",
                f"runs: {runs}",
                f"lost: {kinds['lost']}; ended twice: {kinds['ended twice']}",
                f"broken promises: {dict(kinds) or 'none'}",
                f"processes of sandboxes at the moment of death: {self.orphans_possible}",
                f"from start to listening: {_spread(self.ready_seconds)}",
                f"from start to the first end of an event of before: {_spread(self.first_end_seconds)}",
            )
        )


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "not measured"
    return f"median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s"
