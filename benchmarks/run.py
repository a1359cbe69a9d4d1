"""The order of a run: in every repeat every system is started alone, goes through its workloads, and is ended."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.results import Failure, Results, row_name
from benchmarks.systems.system import Running, Scratch, System
from benchmarks.workloads.workload import Effort, Workload


def run(
    systems: Sequence[System],
    workloads: Sequence[Workload],
    effort: Effort,
    *,
    verbose: bool,
    is_over: Callable[[], bool] = lambda: False,
) -> Results:
    """Every cell `effort.repeats` times, interleaved; a cell that fails is noted, and the run goes on.

    Raises KeyboardInterrupt before the next system when it `is_over`.
    """
    results = Results()
    present = []
    for system in systems:
        if reason := system.missing():
            _note(results, Failure(system.name, "all", 0, reason))
        else:
            present.append(system)
    for repeat in range(1, effort.repeats + 1):
        for system in rotated(present, repeat - 1):
            if is_over():
                raise KeyboardInterrupt
            print(f"repeat {repeat}/{effort.repeats}: {system.name}", file=sys.stderr, flush=True)
            with _scratch(verbose) as scratch:
                _measure_system(
                    results, system, scratch, [w for w in workloads if w.name in system.workloads], (repeat, effort)
                )
    return results


def rotated(systems: Sequence[System], by: int) -> list[System]:
    """No system always runs first, or always behind the same number of others."""
    by %= max(len(systems), 1)
    return [*systems[by:], *systems[:by]]


def _measure_system(
    results: Results, system: System, scratch: Scratch, workloads: Sequence[Workload], round_: tuple[int, Effort]
) -> None:
    repeat = round_[0]
    try:
        with system.running(scratch) as running:
            for workload in workloads:
                _measure_cell(results, system, running, workload, round_)
    except Exception as error:  # whatever a system under measurement does must not end the run
        _note(results, Failure(system.name, "start", repeat, _reason(error)))


def _measure_cell(
    results: Results, system: System, running: Running, workload: Workload, round_: tuple[int, Effort]
) -> None:
    repeat, effort = round_
    try:
        results.add(workload.name, system.name, workload.measure(running, repeat, effort))
        if workload.name == "cold_first":
            for kind, reason in running.absent.items():
                results.absent[workload.name, row_name(system.name, kind)] = reason
    except Exception as error:  # as above
        _note(results, Failure(system.name, workload.name, repeat, _reason(error)))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _note(results: Results, failure: Failure) -> None:
    results.failures.append(failure)
    print(f"  {failure.system}, {failure.workload}: {failure.reason}", file=sys.stderr, flush=True)


@contextmanager
def _scratch(verbose: bool) -> Iterator[Scratch]:
    directory = Path(tempfile.mkdtemp(prefix="lampion-bench-"))
    output = os.dup(2) if verbose else os.open(os.devnull, os.O_WRONLY)
    try:
        yield Scratch(directory, output)
    finally:
        os.close(output)
        shutil.rmtree(directory, ignore_errors=True)
