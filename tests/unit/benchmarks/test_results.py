"""The arithmetic of a run: medians, ratios, what boto3 users feel, and what the A/A control says."""

import pytest

from benchmarks.results import (
    BESIDE_NODE,
    BESIDE_PYTHON_PASS,
    NODEJS,
    Control,
    Failure,
    Results,
    Sample,
    controls,
    median_of,
    ratio,
)
from benchmarks.targets import TARGETS, judge


def results_of(cells: dict[tuple[str, str], list[float]], rate: float | None = None) -> Results:
    results = Results()
    for (workload, system), values in cells.items():
        samples = [
            Sample(repeat=repeat, value=value, requests_per_second=rate) for repeat, value in enumerate(values, 1)
        ]
        results.add(workload, system, samples)
    return results


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], None), ([None], None), ([3.0], 3.0), ([1.0, 9.0, 2.0], 2.0), ([1.0, 2.0], 1.5), ([None, 4.0, 2.0], 3.0)],
)
def test_the_median_is_of_what_was_measured(values, expected):
    assert median_of(values) == expected


@pytest.mark.parametrize(
    ("value", "reference", "expected"),
    [(3.0, 2.0, 1.5), (None, 2.0, None), (3.0, None, None), (3.0, 0.0, None), (-0.1, 2.0, None), (0.1, -2.0, None)],
)
def test_a_ratio_needs_two_positive_values(value, reference, expected):
    assert ratio(value, reference) == expected


def test_felt_is_taken_off_repeat_by_repeat():
    results = results_of({("boto3_felt", "raw_echo"): [1.0, 2.0, 1.0], ("boto3_felt", "rie"): [1.5, 2.6, 1.4]})

    assert results.values("boto3_felt", "rie") == pytest.approx([0.5, 0.6, 0.4])
    assert results.median("boto3_felt", "rie") == pytest.approx(0.5)
    assert results.whole_median("boto3_felt", "rie") == 1.5


def test_a_repeat_without_raw_echo_has_no_felt_value():
    results = results_of({("boto3_felt", "raw_echo"): [1.0], ("boto3_felt", "rie"): [1.5, 9.0]})

    assert results.values("boto3_felt", "rie") == [0.5]


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [([100.0] * 3, [100.0] * 3, True), ([100.0] * 3, [129.0] * 3, True), ([131.0] * 3, [100.0] * 3, False)],
)
def test_the_control_holds_while_the_same_system_twice_differs_by_less_than_1_3(first, second, holds):
    results = results_of({("warm_c1", "two_hop"): first, ("warm_c1", "two_hop_again"): second})

    [control] = controls(results)

    assert control.resolved is holds
    assert control.ratio == pytest.approx(max(first[0], second[0]) / min(first[0], second[0]))
    assert control.difference == abs(first[0] - second[0])


def test_a_control_without_values_does_not_hold():
    results = results_of({("warm_c1", "two_hop"): [5.0], ("warm_c1", "two_hop_again"): []})

    assert controls(results) == [Control("warm_c1", "two_hop", None, None)]
    assert not controls(results)[0].resolved


def test_the_control_of_boto3_felt_compares_whole_times():
    cells = {"raw_echo": [1.0], "two_hop": [1.1], "two_hop_again": [1.2]}
    results = results_of({("boto3_felt", system): values for system, values in cells.items()})

    [control] = controls(results)

    assert control.ratio == pytest.approx(1.2 / 1.1)


def test_wrong_answers_are_counted_over_all_cells():
    results = Results(failures=[Failure("rie", "start", 1, "gone")])
    results.add("warm_c1", "rie", [Sample(repeat=1, value=1.0, wrong_answers=2)])
    results.add("warm_c16", "ministack", [Sample(repeat=1, value=1.0), Sample(repeat=2, value=1.0, wrong_answers=1)])

    assert results.wrong_answers() == 3


def test_targets_are_judged_in_their_direction():
    results = results_of(
        {
            ("warm_c1", "lampion"): [200.0],
            ("warm_c1", "rie"): [410.0],
            ("warm_c1", "two_hop"): [100.0],
            ("cold_first", "lampion"): [120.0],
            ("warm_c16", "lampion"): [9000.0],
            ("warm_c16", "two_hop"): [10000.0],
        },
        rate=2500.0,
    )

    verdicts: dict[tuple[str, str], object] = {(one.target.kind, one.target.text): one.met for one in judge(results)}

    assert len(verdicts) == len(TARGETS)
    assert verdicts["required", "warm_c1: p50 / RIE's p50"] is True
    assert verdicts["aimed at", "warm_c1: p50 / two-hop's p50"] is False
    assert verdicts["required", "warm_c16: rate / RIE's rate with one connection"] is False
    assert verdicts["required", "warm_c16: rate / two-hop's rate"] is True
    assert verdicts["required", "warm_c16: wrong answers"] is True
    assert verdicts["required", "async_durable: wrong answers and lost events"] is None
    assert verdicts["required", "cold_first: first answer, ms"] is False
    assert verdicts["aimed at", "warm_c16: rate / ministack's rate"] is None


def test_kinds_of_first_answers_are_judged_by_the_starts_timed_in_turn_with_them():
    results = Results()
    for kind, value in (("", 5.0), (BESIDE_PYTHON_PASS, 20.0), (NODEJS, 20.0), (BESIDE_NODE, 40.0)):
        results.add("cold_first", "lampion", [Sample(repeat=1, value=value, kind=kind)])
    results.add("cold_first", "python_pass", [Sample(repeat=1, value=7.0)])

    verdicts = {one.target.text: one for one in judge(results)}

    assert verdicts["cold_first: Python / `python -c pass`"].measured == 0.25
    assert verdicts["cold_first: Python / `python -c pass`"].met is True
    assert verdicts["cold_first: Node.js / `node -e 0`"].met is False
    assert verdicts["cold_first: SnapStart / `python -c pass`"].met is None
    assert results.cold_yardstick("lampion, Node.js") == 20.0
    assert results.cold_yardstick("rie") == 7.0


def test_density_is_judged_by_memory_idle_processor_time_and_who_is_slowed_down():
    results = Results()
    more = {"idle CPU % of a core": 0.1, "c1 p50, all / one": 1.3}
    results.add("density", "lampion", [Sample(repeat=1, value=5.9, more=more)])

    verdicts = {one.target.text: one.met for one in judge(results)}

    assert verdicts["density: MiB (PSS) each"] is True
    assert verdicts["density: idle CPU, % of a core"] is True
    assert verdicts["density: c1 p50, all idle / one"] is False


def test_targets_of_events_and_large_payloads_are_ratios_within_the_run():
    results = results_of(
        {
            ("async_durable", "sqlite_batch16"): [40_000.0],
            ("async_durable", "lampion_10k_queued"): [20_000.0],
            ("async_durable", "lampion_1m_queued"): [15_000.0],
            ("payload_6mb", "lampion"): [12.0],
            ("payload_6mb", "lampion, with Python's objects"): [90.0],
            ("payload_6mb", "lampion, beside SHA-256 of the bytes"): [4.0],
        }
    )
    results.add("async_drain", "lampion_drain", [Sample(repeat=1, value=1.0, wrong_answers=2)])

    assert {one.target.text: (one.measured, one.met) for one in judge(results) if one.measured is not None} == {
        "async_durable: 10,000 queued / SQLite, batch 16": (0.5, True),
        "async_durable: 1,000,000 queued / 10,000 queued": (0.75, False),
        "async_durable: wrong answers and lost events": (0, True),
        "async_drain: events that didn't end well once": (2, False),
        "payload_6mb: p50 / SHA-256 of the bytes": (3.0, True),
    }
