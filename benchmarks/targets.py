"""What Lampion has to reach, as data: each target compares one of its medians with a peer's of the same run. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.results import (
    BESIDE_NODE,
    BESIDE_PYTHON_PASS,
    BESIDE_RUBY,
    BESIDE_SNAP_START,
    NODEJS,
    RUBY,
    SNAP_START,
    SQLITE_BATCH,
    TWO_HOP,
    Results,
    median_of,
    ratio,
    row_name,
)

LAMPION = "lampion"
FEW, MANY = "lampion_10k_queued", "lampion_1m_queued"

Measured = Callable[[Results], float | None]


@dataclass(frozen=True, slots=True)
class Target:
    """Met when `measured` is at most (or at least) `bound`; not judged when either side was not measured."""

    kind: Literal["required", "aimed at"]
    text: str
    measured: Measured
    relation: Literal["<=", ">="]
    bound: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target with what was measured for it."""

    target: Target
    measured: float | None

    @property
    def met(self) -> bool | None:
        if self.measured is None:
            return None
        bound = self.target.bound
        return self.measured <= bound if self.target.relation == "<=" else self.measured >= bound


def _over(workload: str, peer: str) -> Measured:
    return lambda results: ratio(results.median(workload, LAMPION), results.median(workload, peer))


def _rate_over_rie(results: Results) -> float | None:
    """RIE takes one invoke at a time (it crashes on two), so its rate is the one with one connection."""
    rie = median_of([sample.requests_per_second for sample in results.of("warm_c1", "rie")])
    return ratio(results.median("warm_c16", LAMPION), rie)


def _wrong_answers(workload: str) -> Measured:
    """Of Lampion in all its rows; None when it wasn't measured."""

    def count(results: Results) -> float | None:
        cells = results.samples.get(workload, {})
        samples = [sample for row, cell in cells.items() if row.startswith(LAMPION) for sample in cell]
        return sum(sample.wrong_answers for sample in samples) if samples else None

    return count


def _accepted(row: str, other: str) -> Measured:
    return lambda results: ratio(results.median("async_durable", row), results.median("async_durable", other))


def _over_hashing(results: Results) -> float | None:
    return ratio(results.median("payload_6mb", LAMPION), results.hashing(LAMPION))


def _first(kind: str, beside: str) -> Measured:
    """First answers of one kind over starts of an interpreter that were timed in turn with them."""
    return lambda results: ratio(
        results.median("cold_first", row_name(LAMPION, kind)), results.median("cold_first", row_name(LAMPION, beside))
    )


def _more(workload: str, column: str) -> Measured:
    return lambda results: median_of([sample.more.get(column) for sample in results.of(workload, LAMPION)])


def _value(workload: str) -> Measured:
    return lambda results: results.median(workload, LAMPION)


TARGETS = (
    Target("required", "warm_c1: p50 / RIE's p50", _over("warm_c1", "rie"), "<=", 0.5),
    Target("required", "warm_c16: rate / two-hop's rate", _over("warm_c16", TWO_HOP), ">=", 0.6),
    Target("required", "warm_c16: rate / RIE's rate with one connection", _rate_over_rie, ">=", 5.0),
    Target("required", "warm_c16: wrong answers", _wrong_answers("warm_c16"), "<=", 0.0),
    Target("required", "cold_first: first answer, ms", _value("cold_first"), "<=", 100.0),
    Target("aimed at", "warm_c1: p50 / two-hop's p50", _over("warm_c1", TWO_HOP), "<=", 1.3),
    Target("aimed at", "warm_c16: rate / ministack's rate", _over("warm_c16", "ministack"), ">=", 20.0),
    Target("aimed at", "boto3_felt: ms above the raw echo", _value("boto3_felt"), "<=", 0.5),
    Target("aimed at", "boto3_felt: felt / RIE's felt", _over("boto3_felt", "rie"), "<=", 0.5),
    Target("required", "cold_first: Python / `python -c pass`", _first("", BESIDE_PYTHON_PASS), "<=", 0.5),
    Target("required", "cold_first: Node.js / `node -e 0`", _first(NODEJS, BESIDE_NODE), "<=", 0.3),
    Target("required", "cold_first: Ruby / `ruby -e 0`", _first(RUBY, BESIDE_RUBY), "<=", 0.3),
    Target("required", "cold_first: SnapStart / `python -c pass`", _first(SNAP_START, BESIDE_SNAP_START), "<=", 1.0),
    Target("required", "cold_burst: sandboxes a second", _value("cold_burst"), ">=", 100.0),
    Target("required", "density: MiB (PSS) each", _value("density"), "<=", 6.0),
    Target("required", "density: idle CPU, % of a core", _more("density", "idle CPU % of a core"), "<=", 1.0),
    Target("required", "density: c1 p50, all idle / one", _more("density", "c1 p50, all / one"), "<=", 1.2),
    Target("required", "payload_6mb: p50 / SHA-256 of the bytes", _over_hashing, "<=", 3.0),
    Target("required", "async_durable: 10,000 queued / SQLite, batch 16", _accepted(FEW, SQLITE_BATCH), ">=", 0.4),
    Target("required", "async_durable: 1,000,000 queued / 10,000 queued", _accepted(MANY, FEW), ">=", 0.8),
    Target("required", "async_durable: wrong answers and lost events", _wrong_answers("async_durable"), "<=", 0.0),
    Target("required", "async_drain: events that didn't end well once", _wrong_answers("async_drain"), "<=", 0.0),
)


def judge(results: Results) -> list[Verdict]:
    """Every target, in the order of `TARGETS`."""
    return [Verdict(target, target.measured(results)) for target in TARGETS]
