"""What a workload is, and how much of it is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.results import Sample
from benchmarks.systems.system import Running


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How often and how long."""

    repeats: int = 5
    warm_seconds: int = 2
    warm_up_seconds: int = 1
    boto3_calls: int = 300
    first_answers_per_repeat: int = 5
    burst_functions: int = 200
    idle_sandboxes: int = 300
    idle_seconds: int = 10
    event_seconds: int = 4
    drained_events: int = 20_000
    payload_calls: int = 30
    stream_calls: int = 5


SMOKE = Effort(
    repeats=1,
    warm_seconds=1,
    warm_up_seconds=1,
    boto3_calls=20,
    first_answers_per_repeat=1,
    burst_functions=10,
    idle_sandboxes=10,
    idle_seconds=1,
    event_seconds=1,
    drained_events=1_000,
    payload_calls=3,
    stream_calls=1,
)
"""Only to see that everything works; wrk knows no less than a second."""


@dataclass(frozen=True, slots=True)
class Workload:
    """`measure(running, repeat, effort)` gives the samples of one repeat of one system."""

    name: str
    metric: str
    unit: str
    better: Literal["lower", "higher"]
    measure: Callable[[Running, int, Effort], Sequence[Sample]]
