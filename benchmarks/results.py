"""What a run has measured, as plain values, and the arithmetic over it. Pure: no clock, no files, no processes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

TWO_HOP = "two_hop"
RAW_ECHO = "raw_echo"
PYTHON_PASS = "python_pass"
SQLITE_BATCH = "sqlite_batch16"
CONTROLS = {name: f"{name}_again" for name in (TWO_HOP, PYTHON_PASS, SQLITE_BATCH)}
"""A/A: the same system measured twice as if it were two. What differs between the two is noise."""

BESIDE_PYTHON_PASS = "beside python -c pass"
BESIDE_PYTHON_BARE = "beside python -I -S -c pass"
BESIDE_NODE = "beside node -e 0"
BESIDE_RUBY = "beside ruby -e 0"
BESIDE_SNAP_START = "beside python -c pass of SnapStart's Python"
"""Kinds of samples: what starting an interpreter takes, timed in turn with first answers of functions that it runs."""

BESIDE_SHA256 = "beside SHA-256 of the bytes"
"""Likewise of large payloads: what hashing one takes, once."""

WITH_PYTHON_OBJECTS = "with Python's objects"
"""A function whose runtime makes objects of the event, and text of the answer."""

NODEJS, RUBY, BOTO3, SNAP_START = "Node.js", "Ruby", "boto3", "boto3, SnapStart"
"""Kinds of functions beside the small one in Python."""

OUR_INIT, AWS_INIT = "Init Duration ms", "AWS's Init Duration p50 ms"
"""Columns of first answers by runtime: of the Init phase alone, ours as REPORT tells it, AWS's as published."""

RESOLVED_RATIO = 1.3
"""Two systems whose A/A control differs by this much or more can't be told apart by smaller ratios."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement of one system. `value` is in the workload's unit.

    `kind` tells samples of one system apart that are not of the same thing; `more` is by the title of its column.
    """

    repeat: int
    value: float
    p99: float | None = None
    requests: int = 1
    wrong_answers: int = 0
    requests_per_second: float | None = None
    cpu_microseconds_per_request: float | None = None
    pss_mib: float | None = None
    kind: str = ""
    more: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """A cell that has no value, and why."""

    system: str
    workload: str
    repeat: int
    reason: str


def row_name(system: str, kind: str) -> str:
    """What a row is called."""
    return f"{system}, {kind}" if kind else system


@dataclass(slots=True)
class Results:
    """Samples by workload and system, in the order of measuring."""

    samples: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    absent: dict[tuple[str, str], str] = field(default_factory=dict)
    """By workload and row: what a system doesn't offer on this machine, and why. No failure."""

    def add(self, workload: str, system: str, samples: Sequence[Sample]) -> None:
        """Samples of a kind stand in a row of their own."""
        cells = self.samples.setdefault(workload, {})
        if not samples:
            cells.setdefault(system, [])
        for sample in samples:
            cells.setdefault(row_name(system, sample.kind), []).append(sample)

    def of(self, workload: str, system: str) -> list[Sample]:
        return self.samples.get(workload, {}).get(system, [])

    def values(self, workload: str, system: str) -> list[float]:
        """In the workload's unit. Of boto3_felt: what the same repeat's raw echo took is taken off."""
        samples = self.of(workload, system)
        if workload != "boto3_felt":
            return [sample.value for sample in samples]
        floor = {sample.repeat: sample.value for sample in self.of(workload, RAW_ECHO)}
        return [sample.value - floor[sample.repeat] for sample in samples if sample.repeat in floor]

    def median(self, workload: str, system: str) -> float | None:
        return median_of(self.values(workload, system))

    def whole_median(self, workload: str, system: str) -> float | None:
        """As `median`, but of boto3_felt nothing is taken off."""
        return median_of([sample.value for sample in self.of(workload, system)])

    def cold_yardstick(self, row: str) -> float | None:
        """The median of `python -c pass` that was timed in turn with the samples of this row; else of that alone."""
        beside = row_name(row.partition(", ")[0], BESIDE_PYTHON_PASS)
        return self.median("cold_first", beside if self.of("cold_first", beside) else PYTHON_PASS)

    def hashing(self, row: str) -> float | None:
        """The median of SHA-256 that was timed in turn with the samples of this row."""
        return self.median("payload_6mb", row_name(row.partition(", ")[0], BESIDE_SHA256))

    def wrong_answers(self) -> int:
        return sum(
            sample.wrong_answers for cells in self.samples.values() for cell in cells.values() for sample in cell
        )


def median_of(values: Sequence[float | None]) -> float | None:
    """None when nothing was measured; absent values don't count."""
    present = [value for value in values if value is not None]
    return median(present) if present else None


def ratio(value: float | None, reference: float | None) -> float | None:
    """`value` / `reference`; None when either is absent, or not positive and so says nothing."""
    if value is None or reference is None or value <= 0 or reference <= 0:
        return None
    return value / reference


@dataclass(frozen=True, slots=True)
class Control:
    """The outcome of one A/A comparison: the larger median over the smaller, and their difference in the unit.

    Of boto3_felt the whole p50 is compared: the ratio of two small differences is mostly noise.
    """

    workload: str
    system: str
    ratio: float | None
    difference: float | None

    @property
    def resolved(self) -> bool:
        return self.ratio is not None and self.ratio < RESOLVED_RATIO


def controls(results: Results) -> list[Control]:
    """One per workload and system that was measured a second time."""
    found = []
    for workload, cells in results.samples.items():
        for system, again in CONTROLS.items():
            if system in cells and again in cells:
                found.append(_control(results, workload, system, again))
    return found


def _control(results: Results, workload: str, system: str, again: str) -> Control:
    one, other = results.whole_median(workload, system), results.whole_median(workload, again)
    forth = ratio(one, other)
    difference = abs(one - other) if one is not None and other is not None else None
    return Control(workload, system, None if forth is None else max(forth, 1 / forth), difference)
