"""The arithmetic of the neighbour measurement, and that it counts what goes wrong."""

import math

from tests.deployment import functions
from tests.escape.neighbour import Comparison, Load, Pair, abuse, floor_of, page
from tests.escape.open_loop import Caller, Round
from tests.escape.probes.python.abuse import KINDS


def test_percentiles_are_of_the_nearest_rank():
    hundred = Round(tuple(float(number) for number in range(1, 101)), ())
    assert (hundred.percentile(0.5), hundred.percentile(0.99), hundred.percentile(1)) == (50, 99, 100)
    assert Round((), ("late",) * 3).percentile(0.99) == math.inf


def _comparison(*ratios: float, errors: tuple[str, ...] = (), kind: str = "x") -> Comparison:
    return Comparison(kind, tuple(Pair(Round((1.0,), ()), Round((ratio,), errors)) for ratio in ratios))


def test_twice_the_tail_or_one_error_breaks_the_promise():
    assert _comparison(2.0).verdict(None) == "yes"
    assert _comparison(2.1).verdict(None) == "no"
    assert _comparison(1.0, errors=("late",)).verdict(None) == "no"


def test_the_median_of_the_pairs_counts_and_every_error():
    assert _comparison(1.0, 9.0, 2.0).verdict(None) == "yes"
    assert _comparison(1.0, 9.0, 2.1).verdict(None) == "no"
    assert _comparison(1.0, 1.0, errors=("late",)).errors == ("late", "late")


def test_where_the_machine_alone_breaks_it_the_abuse_may_add_as_much_again():
    assert _comparison(4.9).verdict(_comparison(2.5)) == "as the plain process"
    assert _comparison(5.1).verdict(_comparison(2.5)) == "no"
    assert _comparison(2.1).verdict(_comparison(1.9)) == "no", "the machine keeps it"
    assert _comparison(4.9, errors=("late",)).verdict(_comparison(2.5)) == "no"


def test_each_abuse_is_held_against_a_process_that_uses_the_same():
    processor, disk = _comparison(1.0, kind="a plain process"), _comparison(9.0, kind="a plain process that writes")
    assert floor_of("processor", [processor, disk]) is processor
    assert floor_of("disk", [processor, disk]) is disk
    assert floor_of("disk", [processor]) is None


def test_the_page_has_a_line_for_each_abuse():
    pairs = (Pair(Round((1.0,), ()), Round((3.0,), ())),)
    floors = [
        Comparison(kind, (Pair(Round((1.0,), ()), Round((1.5,), ())),))
        for kind in ("a plain process", "a plain process that writes")
    ]
    text = page([*floors, *(Comparison(kind, pairs) for kind in KINDS)], Load(200, 15, 1))
    assert text.count("| 1.00 | 3.00 | 1.00 | 3.00 | 3.00 | 3.00 | 2.00 | 0 | no |") == len(KINDS) == 6


async def test_it_counts_answers_and_errors(start_server):
    server = start_server("--auth", "open")
    client = server.client()
    with functions(client, "neighbour") as make:
        caller = Caller(server, make("def handler(event, context): return {'ok': True}"))
        broken = Caller(server, make("def handler(event, context): raise ValueError"))
        good, bad = await caller.round(50, 0.2), await broken.round(50, 0.2)
        with abuse(client, make("def handler(event, context): pass"), "log", 1.0):
            beside = await caller.round(50, 0.2)
        caller.close()
        broken.close()
    client.close()
    assert (len(good.latencies_ms), good.errors) == (10, ())
    assert (len(bad.latencies_ms), len(bad.errors)) == (0, 10)
    assert beside.errors == ()
