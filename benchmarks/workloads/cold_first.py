"""The first answer of something that has never answered: a new function, or a process where a system has only one.

All is made before, and the system rests before each question. A system with several kinds is asked for each in turn;
the first turn isn't counted, for it reads each kind's files from the disk.
"""

import time

from benchmarks.results import Sample
from benchmarks.systems.system import Running
from benchmarks.workloads.workload import Effort, Workload

REST_SECONDS = 1.0
PAUSE_SECONDS = 0.3
"""After each answer, so that what a system does then, such as preparing for the next, doesn't slow the next one."""


def _measure(running: Running, repeat: int, effort: Effort) -> list[Sample]:
    assert running.first_answers is not None
    kinds = running.first_answers(1 + effort.first_answers_per_repeat)
    time.sleep(REST_SECONDS)
    samples = []
    for number, turn in enumerate(zip(*kinds.values(), strict=True)):
        for kind, first_answer in zip(kinds, turn, strict=True):
            seconds = first_answer()
            if number > 0:
                samples.append(Sample(repeat=repeat, value=seconds * 1e3, kind=kind))
            time.sleep(PAUSE_SECONDS)
    return samples


COLD_FIRST = Workload("cold_first", "first answer of a new function", "ms", "lower", _measure)
