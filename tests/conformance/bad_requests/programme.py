"""Runs bad requests against a live server and judges the answers. `python -m ... --count 20000 --seed 7` runs many."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from tests.conformance.bad_requests.case import Case
from tests.conformance.bad_requests.catalogue import Catalogue
from tests.conformance.bad_requests.changing import CHANGING
from tests.conformance.bad_requests.inner_cases import inner_cases
from tests.conformance.bad_requests.known import KNOWN
from tests.conformance.bad_requests.oracle import LONGEST_SECONDS, NOT_BUILT, Answer
from tests.conformance.bad_requests.report import Report, page
from tests.conformance.bad_requests.rules import rule_cases
from tests.conformance.bad_requests.stage import NotPutBackError, Stage
from tests.conformance.bad_requests.standing import FUNCTION
from tests.conformance.bad_requests.ways import WAYS
from tests.conformance.bad_requests.wire_cases import http_cases
from tests.live_server import LiveServer, marked_directory

SEED = 20150331
_MOST_COMPLAINTS = 200
_PER_UNBUILT = 10
_PART_MIXED = 0.25


def run(stage: Stage, cases: Iterable[Case]) -> Report:
    """Send all. A refused request must leave no trace; after one that was rightly accepted, all is put back."""
    report, started = Report(), time.monotonic()
    try:
        for case in cases:
            _try(stage, case, report)
            if len(report.complaints) >= _MOST_COMPLAINTS:
                break
    except NotPutBackError as error:
        report.complaints.append(f"the end of it: {error}")
    report.complaints += stage.breakdown()
    report.seconds = time.monotonic() - started
    return report


def _try(stage: Stage, case: Case, report: Report) -> None:
    """One case. Raises NotPutBackError."""
    answer = _answer(stage, case, report)
    report.add(case, answer)
    changes = stage.changes()
    if changes and not _may_change(case, answer):
        report.complaints.append(f"{case}\n    answered {answer}\n    left a trace: {'; '.join(changes)[:2000]}")
    if changes:
        try:
            stage.reset()
        except NotPutBackError as error:
            raise NotPutBackError(f"after {case}\n    answered {answer}\n    {error}") from error


def _answer(stage: Stage, case: Case, report: Report) -> Answer:
    """One that took too long is asked for once more, when what it rightly changed is put back: what hangs hangs again.

    The machine has other work, and a process that waits for its turn is no hang. Raises NotPutBackError.
    """
    answer = stage.send(case)
    report.slowest_seconds = max(report.slowest_seconds, answer.seconds)
    if answer.seconds <= LONGEST_SECONDS:
        return answer
    if stage.changes():
        if not _may_change(case, answer):
            return answer
        stage.reset()
    report.asked_again += 1
    return min(answer, stage.send(case), key=lambda one: one.seconds)


def _may_change(case: Case, answer: Answer) -> bool:
    return 200 <= answer.status < 300 and case.operation in CHANGING


def plan(stage: Stage, *, count: int, seed: int) -> Iterator[Case]:
    """`count` cases: all that aren't of the model, those of built operations, of each other some, and mixtures."""
    rng = Random(seed)
    catalogue = Catalogue(known=KNOWN, seed=seed, ways=WAYS)
    names = catalogue.model.operation_names
    built = [name for name in names if _is_built(stage, catalogue, name)]
    assert built, "no operation works on this server"
    others = [case for name in names if name not in built for case in _sample(catalogue, name, _PER_UNBUILT, rng)]
    chosen = [*http_cases(FUNCTION), *rule_cases(KNOWN), *inner_cases(), *others]
    yield from chosen
    mixtures = int(count * _PART_MIXED)
    shares = fair_shares(
        Counter({name: len(list(catalogue.cases(name))) for name in built}), count - len(chosen) - mixtures
    )
    for name in built:
        yield from _sample(catalogue, name, shares[name], rng)
    for _ in range(count - len(chosen) - shares.total()):
        yield catalogue.mixed(rng.choice(built), rng)


def fair_shares(sizes: Counter[str], total: int) -> Counter[str]:
    """How many of each: all of the small ones, and of the others the same number, so that all together are `total`."""
    shares: Counter[str] = Counter()
    left = max(0, total)
    for number, (name, size) in enumerate(sorted(sizes.items(), key=lambda item: item[1])):
        shares[name] = min(size, left // (len(sizes) - number))
        left -= shares[name]
    return shares


def _sample(catalogue: Catalogue, name: str, count: int, rng: Random) -> list[Case]:
    cases = list(catalogue.cases(name))
    return rng.sample(cases, min(len(cases), count))


def _is_built(stage: Stage, catalogue: Catalogue, name: str) -> bool:
    """Whether the server has the operation; asked rightly, and put back."""
    case = next(catalogue.cases(name))
    answer = stage.send(case)
    if stage.changes():
        stage.reset()
    return answer.code != NOT_BUILT


def main(arguments: list[str]) -> int:
    """Against a server of its own for each seed. The exit code is 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description="Bad requests against a server started for them.")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, nargs="+", default=[SEED])
    parser.add_argument("--result", type=Path, help="write the result page there")
    options = parser.parse_args(arguments)
    reports = {}
    for seed in options.seed:
        with marked_directory() as root, LiveServer(data=root / "fuzz") as server:
            stage = Stage(server)
            reports[seed] = run(stage, plan(stage, count=options.count, seed=seed))
            stage.close()
            if "Traceback" in server.output:
                reports[seed].complaints.append(f"the server wrote\n{server.output[-5000:]}")
        print("\n".join(reports[seed].complaints))
        print(f"seed {seed}: {reports[seed]}")
    if options.result:
        options.result.write_text(page(reports), encoding="utf-8")
    return 1 if any(report.complaints for report in reports.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
