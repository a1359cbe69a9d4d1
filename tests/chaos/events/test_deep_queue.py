"""The programme of `make deep-queue`, on a queue that isn't as deep."""

from dataclasses import replace

from tests.chaos.events.deep_queue import Figures, measure


def test_a_start_takes_the_same_whatever_waits_in_the_queue() -> None:
    figures = measure(20_000, drain=False)
    assert figures.start <= 2 * figures.start_without + 2, figures
    assert figures.first_end <= figures.start + 5, figures


def test_all_of_a_queue_that_a_killed_server_left_end_once() -> None:
    figures = measure(2_000, drain=True)
    assert figures.is_whole, figures
    assert figures.ended == 2_000


GOOD = Figures(10, 1.0, 1.5, 0.5, 9.0, 10, 0, 100.0)


def test_it_holds_what_was_promised_or_not() -> None:
    assert GOOD.holds
    assert not replace(GOOD, start=2.1).holds
    assert not replace(GOOD, first_end=2.1).holds
    assert not replace(GOOD, ended=9).holds
    assert not replace(GOOD, ended_twice=1).holds
    assert "lost: 1; ended twice: 0" in str(replace(GOOD, ended=9))
