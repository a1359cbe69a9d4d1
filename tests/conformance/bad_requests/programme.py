"""Runs bad requests against a live server and judges the answers. `python -m ... --count 20000 --seed 7` runs many."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random

from tests.conformance.bad_requests.case import Case, Expect
from tests.conformance.bad_requests.catalogue import Catalogue
from tests.conformance.bad_requests.oracle import NOT_BUILT, Answer, complaints
from tests.conformance.bad_requests.stage import STANDING, Stage
from tests.conformance.bad_requests.wire_cases import http_cases
from tests.live_server import LiveServer, marked_directory

SEED = 20150331
_BATCH = 25
_CHANGING = frozenset(
    (
        *("CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "DeleteFunction", "PublishVersion"),
        *("PutRuntimeManagementConfig", "TagResource", "UntagResource"),
    )
)
_MOST_COMPLAINTS = 200
_LEAST_PER_UNBUILT = 4


@dataclass
class Report:
    """How many ran, how they were answered, and what was wrong."""

    ran: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    complaints: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, case: Case, answer: Answer) -> None:
        self.ran += 1
        self.statuses[answer.status] += 1
        self.codes[f"{answer.status} {answer.code}".strip()] += 1
        self.slowest_seconds = max(self.slowest_seconds, answer.seconds)
        self.complaints += [f"{case}\n    answered {answer}\n    {text}" for text in complaints(case, answer)]

    def __str__(self) -> str:
        tally = "\n".join(f"  {count:>6}  {code}" for code, count in self.codes.most_common())
        speed = f"{self.ran} bad requests in {self.seconds:.1f} s, the slowest {self.slowest_seconds:.2f} s"
        return f"{speed}; answers (0 = closed without one):\n{tally}\ncomplaints: {len(self.complaints)}"


def run(stage: Stage, cases: Iterable[Case]) -> Report:
    """Send all. A refused request must leave no trace; after one that was rightly accepted, all is put back."""
    report, started = Report(), time.monotonic()
    unchecked: list[Case] = []
    for case in cases:
        if unchecked and _may_be_accepted(case):
            _look_for_traces(stage, unchecked, report)
        answer = stage.send(case)
        report.add(case, answer)
        if _may_be_accepted(case) and 200 <= answer.status < 300:
            stage.reset()
        else:
            unchecked.append(case)
        if len(unchecked) == _BATCH or _may_be_accepted(case):
            _look_for_traces(stage, unchecked, report)
        if len(report.complaints) >= _MOST_COMPLAINTS:
            break
    _look_for_traces(stage, unchecked, report)
    report.complaints += stage.breakdown()
    report.seconds = time.monotonic() - started
    return report


def _may_be_accepted(case: Case) -> bool:
    """Whether the case may rightly change something."""
    return case.operation in _CHANGING and case.expect in (Expect.ANYTHING, Expect.FITS)


def _look_for_traces(stage: Stage, cases: list[Case], report: Report) -> None:
    """After refused requests everything must be as it was. Forgets the cases."""
    changes = stage.changes() if cases else []
    if changes:
        labels = "\n    ".join(map(str, cases))
        report.complaints.append(f"one of\n    {labels}\n    left a trace: {'; '.join(changes)[:2000]}")
        stage.reset()
    cases.clear()


def plan(stage: Stage, *, count: int, seed: int) -> Iterator[Case]:
    """`count` cases: all below the model, those of built operations, of each other operation some, then mixtures."""
    rng = Random(seed)
    catalogue = Catalogue(known=stage.known, seed=seed)
    names = catalogue.model.operation_names
    built = [name for name in names if _is_built(stage, catalogue, name)]
    assert built, "no operation works on this server"
    below = list(http_cases(STANDING))
    yield from below
    of_built = [case for name in built for case in catalogue.cases(name)]
    of_others = [list(catalogue.cases(name)) for name in names if name not in built]
    least = _LEAST_PER_UNBUILT * len(of_others)
    chosen = _sample(of_built, count - len(below) - least, rng)
    yield from sorted(chosen, key=lambda case: (case.operation, _may_be_accepted(case)))
    rest = count - len(below) - len(chosen)
    share = max(1, rest // max(1, len(of_others)))
    others = [case for cases in of_others for case in _sample(cases, share, rng)]
    yield from others
    for _ in range(rest - len(others)):
        yield catalogue.mixed(rng.choice(built), rng)


def _sample(cases: list[Case], count: int, rng: Random) -> list[Case]:
    return rng.sample(cases, min(len(cases), max(0, count)))


def _is_built(stage: Stage, catalogue: Catalogue, name: str) -> bool:
    """Whether the server has the operation; asked rightly, and put back."""
    case = next(catalogue.cases(name))
    answer = stage.send(case)
    if _may_be_accepted(case) and 200 <= answer.status < 300:
        stage.reset()
    return answer.code != NOT_BUILT


def main(arguments: list[str]) -> int:
    """Against a server of its own. The exit code is 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description="Bad requests against a server started for them.")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    with marked_directory() as root, LiveServer(data=root / "fuzz") as server:
        stage = Stage(server)
        report = run(stage, plan(stage, count=options.count, seed=options.seed))
        stage.close()
        print("\n".join(report.complaints))
        print(f"seed {options.seed}: {report}")
        return 1 if report.complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
