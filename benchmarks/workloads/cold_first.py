"""The first answer of something that has never answered: a new function, or a process where a system has only one."""

from benchmarks.results import Sample
from benchmarks.systems.system import Running
from benchmarks.workloads.workload import Effort, Workload


def _measure(running: Running, repeat: int, effort: Effort) -> list[Sample]:
    first_answer_seconds = running.first_answer_seconds
    assert first_answer_seconds is not None
    count = effort.first_answers_per_repeat
    return [Sample(repeat=repeat, value=first_answer_seconds() * 1e3) for _ in range(count)]


COLD_FIRST = Workload("cold_first", "first answer of a new function", "ms", "lower", _measure)
