"""What a run writes down: every ratio, every wrong answer, every gap, and no place of the machine it ran on."""

import json

import pytest

from benchmarks.facts import Facts, without_places
from benchmarks.report import document, markdown, number, table
from benchmarks.results import Failure, Results, Sample
from benchmarks.workloads.catalogue import WORKLOADS
from benchmarks.workloads.workload import Effort

FACTS = Facts(
    taken_at="2026-01-02T03:04:05+00:00",
    commit="abc1234",
    command="python -m benchmarks --only warm_c1",
    machine={"processor": "Some CPU", "cores": "2"},
    versions={"python": "3.11.7"},
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.1234, "0.12"),
        (9.876, "9.88"),
        (12.34, "12.3"),
        (123.4, "123"),
        (56789.0, "56,789"),
        (-0.5, "-0.50"),
        (0.00512, "0.0051"),
        (0.0, "0.00"),
    ],
)
def test_numbers_have_the_digits_that_mean_something(value, text):
    assert number(value) == text


def test_a_table_is_markdown():
    assert table(("a", "b"), [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def a_run(*, again: float = 105.0, wrong_answers: int = 0) -> Results:
    results = Results()
    for system, value, rate in (
        ("two_hop", 100.0, 9e3),
        ("two_hop_again", again, 9e3),
        ("raw_echo", 50.0, 2e4),
        ("rie", 400.0, 2e3),
    ):
        results.add("warm_c1", system, [Sample(repeat=1, value=value, requests_per_second=rate)])
    lampion = Sample(
        repeat=1, value=150.0, wrong_answers=wrong_answers, cpu_microseconds_per_request=77.7, pss_mib=40.0
    )
    results.add("warm_c1", "lampion", [lampion])
    results.add("warm_c16", "lampion", [Sample(repeat=1, value=8000.0)])
    return results


def page_of(results: Results) -> str:
    return markdown(FACTS, Effort(), results, list(WORKLOADS.values()))


def row_of(page: str, system: str) -> list[str]:
    [row] = [line for line in page.splitlines() if line.startswith(f"| {system} |") and "150" in line]
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_every_row_has_its_ratios_to_both_references():
    row = row_of(page_of(a_run()), "lampion")

    assert row[:6] == ["lampion", "150", "150 - 150", "1", "1.50", "3.00"]
    assert "77.7" in row
    assert row[-1] == "0"


def test_wrong_answers_stand_out():
    assert row_of(page_of(a_run(wrong_answers=7)), "lampion")[-1] == "**7**"


def test_the_page_says_whether_the_control_holds():
    assert "| warm_c1 | two_hop | 1.05 | 5.00 µs | holds |" in page_of(a_run())
    assert "**does not hold: ratios below 1.50 mean nothing**" in page_of(a_run(again=150.0))


def test_the_rate_table_shows_ries_rate_with_one_connection():
    assert "| rie, one connection | 2,000 |" in page_of(a_run())


def test_cold_first_is_compared_with_an_interpreters_start():
    results = Results()
    results.add("cold_first", "python_pass", [Sample(repeat=1, value=10.0)])
    results.add("cold_first", "lampion", [Sample(repeat=1, value=float(value)) for value in range(1, 21)])

    page = page_of(results)

    assert "x python_pass | p95 ms" in page
    assert "| lampion | 10.5 | 1.00 - 20.0 | 20 | 1.05 | 20.0 | 0 |" in page


def test_what_a_system_does_not_offer_here_is_told_and_is_no_failure():
    results = a_run()
    results.absent["cold_first", "lampion, boto3, SnapStart"] = "OptimizationStatus: Off"

    page = page_of(results)
    told = json.loads(document(FACTS, Effort(), results, list(WORKLOADS.values())))

    assert "| lampion, boto3, SnapStart | cold_first | OptimizationStatus: Off |" in page
    assert "## Not measured" not in page
    assert told["not_offered"] == [
        {"workload": "cold_first", "system": "lampion, boto3, SnapStart", "why": "OptimizationStatus: Off"}
    ]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_table_has_as_many_cells_in_each_row_as_in_its_head(workload):
    results = Results()
    more = {"first answer p99 ms": 12.5, "sandboxes": 300.0}
    results.add(workload, "lampion", [Sample(repeat=1, value=8.0, more=more), Sample(repeat=1, value=4.0, kind="x")])

    rows = [line for line in page_of(results).splitlines() if line.startswith("|")]
    table = [line for line in rows if "target" not in line][: 2 + 2]

    assert len({line.count("|") for line in table}) == 1
    assert table[3].startswith("| lampion, x |")
    assert ("12.5" in table[2]) == (workload == "cold_burst")
    assert ("300" in table[2]) == (workload == "density")


def test_what_was_not_measured_is_told_without_places():
    results = a_run()
    reason = "FileNotFoundError: '/srv/somebody/.venv-bench/x' of https://registry.example/simple | no"
    results.failures.append(Failure("ministack", "start", 2, reason))

    page = page_of(results)
    told = json.loads(document(FACTS, Effort(), results, list(WORKLOADS.values())))

    assert "| ministack | start | 2 | FileNotFoundError: '<path>' of <address> / no |" in page
    assert told["not_measured"][0]["reason"] == "FileNotFoundError: '<path>' of <address> | no"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a/b and 1/2 stay", "a/b and 1/2 stay"),
        ("in /tmp/x-1/y.sock: gone", "in <path>: gone"),
        ("at http://127.0.0.1:90/x", "at <address>"),
    ],
)
def test_places_are_taken_out(text, expected):
    assert without_places(text) == expected


def test_the_document_holds_every_sample_and_ratio():
    told = json.loads(document(FACTS, Effort(), a_run(), list(WORKLOADS.values())))

    cell = told["workloads"]["warm_c1"]["systems"]["lampion"]
    assert cell["median"] == 150.0
    assert cell["ratio_to_two_hop"] == 1.5
    assert cell["ratio_to_raw_echo"] == 3.0
    assert cell["samples"][0]["cpu_microseconds_per_request"] == 77.7
    assert told["commit"] == "abc1234"
    assert told["effort"]["repeats"] == 5
    assert [control["holds"] for control in told["controls"]] == [True]
    assert {target["met"] for target in told["targets"]} >= {True, None}
