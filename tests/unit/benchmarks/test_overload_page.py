"""An overload holds only when all of its promises do, and the page shows which one doesn't."""

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.facts import Facts
from benchmarks.measure.open_loop import Seen
from benchmarks.overload.page import holds, page
from benchmarks.overload.scenario import EVENTS, SCENARIOS, SYNC, Figures, Use

FACTS = Facts(
    taken_at="2026-01-02T03:04:05+00:00", commit="abc1234", command="python x", machine={"cores": "2"}, versions={}
)


def seen(**more: int) -> Seen:
    return Seen(
        sent=3000 + sum(more.values()),
        ends={SYNC: Counter[int | str]({200: 850, 429: 1700, 503: 150}) + Counter(more), EVENTS: Counter({202: 300})},
        in_time=Counter({SYNC: 800, EVENTS: 300}),
        seconds={SYNC: [0.1] * 850, EVENTS: [0.01] * 300},
        took_seconds=1.0,
        connections=500,
    )


GOOD = Figures(
    scenario=SCENARIOS[0],
    peak=1000.0,
    peak_use=Use(load=0.1, system=1.8),
    seen=seen(),
    use=Use(load=0.3, system=1.6),
    events_ended=100,
    memory_before_mib=50.0,
    memory_peak_mib=80.0,
    first_answer_seconds=0.2,
    drained_seconds=3.0,
    rate_after=950.0,
    events_not_well=0,
)


def test_goodput_is_what_was_answered_and_what_ended_while_requests_left():
    assert GOOD.goodput == 900.0
    assert GOOD.refused == 1850
    assert holds([GOOD])


def test_the_processors_that_the_load_takes_are_told_and_change_no_promise():
    text = page(FACTS, [GOOD], 1.0)
    assert "| goodput / peak, for each second of processor that the load left | 1.01 |  |" in text
    assert "| processors used by the load, at the peak and now, cores | 0.10 and 0.30 |  |" in text
    assert "| processors used by the server and its functions | 1.80 and 1.60 |  |" in text


@pytest.mark.parametrize(
    ("bad", "row"),
    [
        (replace(GOOD, events_ended=99), "| goodput / peak | 0.90 | >= 0.9: **missed** |"),
        (replace(GOOD, seen=seen(closed=2)), "| neither done nor refused | 2.00 | 0: **missed** |"),
        (replace(GOOD, events_not_well=1), "| accepted events that didn't end well | 1.00 | 0: **missed** |"),
        (
            replace(GOOD, memory_peak_mib=400.0),
            "| memory of the server, growth at most, MiB | 350 | <= 256: **missed** |",
        ),
        (
            replace(GOOD, first_answer_seconds=1.5),
            "| afterwards: seconds until an invoke was answered | 1.50 | <= 1: **missed** |",
        ),
        (replace(GOOD, rate_after=800.0), "| afterwards: rate / peak | 0.80 | >= 0.9: **missed** |"),
    ],
)
def test_one_broken_promise_is_enough_and_is_shown(bad, row):
    assert not holds([GOOD, bad])
    assert row in page(FACTS, [GOOD, bad], 1.0)
    assert "missed" not in page(FACTS, [GOOD], 1.0)


def test_the_page_says_what_happened_to_requests_that_were_neither_done_nor_refused():
    assert "Neither done nor refused: closed 2." in page(FACTS, [replace(GOOD, seen=seen(closed=2))], 1.0)
