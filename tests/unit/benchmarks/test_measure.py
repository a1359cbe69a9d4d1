"""Reading instruments: wrk's last line, /proc's fields, a process tree, `lampion env`, and the order of systems."""

import subprocess
import sys

import pytest

from benchmarks.measure.load import Load, parse
from benchmarks.measure.process_tree import TICK_SECONDS, ProcessTree, Status, descendants
from benchmarks.run import rotated
from benchmarks.systems.catalogue import CATALOGUE, selected
from benchmarks.systems.lampion_server import exported

SPIN = """
import sys, time
while time.process_time() < 0.05: pass
print(time.process_time(), flush=True)
sys.stdin.read()
"""


def test_the_last_line_of_wrk_is_the_scripts():
    output = (
        "Running 2s test\n  2 requests in 2.00s\n"
        '{"requests": 3000, "microseconds": 2000000, "p50": 81, "p99": 190, "wrong": 2, "broken": 1}\n'
    )

    assert parse(output) == Load(3000, 3, 1500.0, 81, 190)


def test_a_process_name_may_hold_spaces_and_brackets():
    fields = ["S", "7", *["0"] * 9, "10", "20", "3", "4", *["0"] * 4, "12345", "0"]

    status = Status.parse(f"42 (a ) b (c)) {' '.join(fields)}\n")

    assert (status.pid, status.state, status.parent, status.started_ticks) == (42, "S", 7, 12345)
    assert status.own_seconds == pytest.approx(30 * TICK_SECONDS)
    assert status.children_seconds == pytest.approx(7 * TICK_SECONDS)


def test_cpu_time_of_another_process_is_finer_than_a_tick():
    with subprocess.Popen([sys.executable, "-c", SPIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as spinner:
        assert spinner.stdout is not None
        told = float(spinner.stdout.readline())
        seen = ProcessTree(spinner.pid).cpu_seconds()
        spinner.communicate()

    assert told <= seen <= told + TICK_SECONDS


def test_a_tree_is_the_root_and_all_below():
    parents = {1: 0, 10: 1, 11: 10, 12: 11, 20: 1, 21: 20}
    statuses = {pid: Status(pid, "S", parent, 0.0, 0.0, 0) for pid, parent in parents.items()}

    assert descendants(10, statuses) == {10, 11, 12}
    assert descendants(99, statuses) == set()


def test_exported_variables_are_read_as_a_shell_reads_them():
    text = "# Lampion\nexport AWS_REGION=us-east-1\nexport AWS_SECRET_ACCESS_KEY='a+b/c=='\n\necho hello\n"

    assert exported(text) == {"AWS_REGION": "us-east-1", "AWS_SECRET_ACCESS_KEY": "a+b/c=="}


def test_the_order_changes_with_every_repeat():
    systems = list(CATALOGUE.values())[:3]

    assert rotated(systems, 0) == systems
    assert rotated(systems, 1) == [systems[1], systems[2], systems[0]]
    assert rotated(systems, 3) == systems
    assert rotated([], 2) == []


def test_references_and_controls_always_ride_along():
    warm = [system.name for system in selected(["lampion"], ["warm_c1"])]
    cold = [system.name for system in selected(["lampion"], ["cold_first"])]

    assert set(warm) == {"lampion", "two_hop", "two_hop_again", "raw_echo"}
    assert set(cold) == {"lampion", "python_pass", "python_pass_again"}
