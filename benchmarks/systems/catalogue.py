"""All systems by name, and which of them ride along in every run."""

from collections.abc import Iterable

from benchmarks.results import CONTROLS, PYTHON_PASS, RAW_ECHO, SQLITE_BATCH, TWO_HOP
from benchmarks.systems.event_floors import QueueRoom, SqliteBatch
from benchmarks.systems.lampion import Lampion
from benchmarks.systems.lampion_queued import LampionDrain, LampionQueued
from benchmarks.systems.lampion_runtimes import LampionRuntimes
from benchmarks.systems.ministack import Ministack
from benchmarks.systems.python_pass import PythonPass
from benchmarks.systems.reference import Reference
from benchmarks.systems.rie import Rie
from benchmarks.systems.system import System


def _catalogue() -> dict[str, System]:
    systems: list[System] = [
        Reference(TWO_HOP, "two_hop.py"),
        Lampion(),
        Reference(RAW_ECHO, "raw_echo.py"),
        Rie(),
        Reference(CONTROLS[TWO_HOP], "two_hop.py"),
        Ministack(),
        PythonPass(PYTHON_PASS),
        PythonPass(CONTROLS[PYTHON_PASS]),
        SqliteBatch(SQLITE_BATCH),
        LampionQueued("lampion_10k_queued", 10_000),
        QueueRoom("queue_room_10k_queued", 10_000),
        SqliteBatch(CONTROLS[SQLITE_BATCH]),
        LampionQueued("lampion_1m_queued", 1_000_000),
        LampionDrain(),
        LampionRuntimes(),
    ]
    return {system.name: system for system in systems}


CATALOGUE = _catalogue()
YARDSTICKS = (TWO_HOP, RAW_ECHO, PYTHON_PASS, SQLITE_BATCH, *CONTROLS.values())
"""Measured in every run, because every ratio is to one of them and every ratio is worth what the controls say."""

CHOOSABLE = tuple(name for name in CATALOGUE if name not in CONTROLS.values())


def selected(names: Iterable[str], workloads: Iterable[str]) -> list[System]:
    """The systems named and the yardsticks, those that take part in any of `workloads`."""
    wanted, workloads = {*names, *YARDSTICKS}, set(workloads)
    return [system for name, system in CATALOGUE.items() if name in wanted and system.workloads & workloads]
