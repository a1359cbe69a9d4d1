"""How much of a log may be read, and for how long nothing may be."""

import pytest

from lampion.environments.log_rate import LINE_BYTES, Allowance, LogRate

RATE = LogRate(burst_bytes=1000, bytes_per_second=100)


def test_a_burst_is_free_and_what_is_beyond_it_takes_its_time():
    allowance = Allowance(RATE, 5.0)
    assert allowance.spend(600, 0, 5.0) == 0
    assert allowance.spend(400, 0, 5.0) == 0
    assert allowance.spend(50, 0, 5.0) == pytest.approx(0.5)


def test_time_brings_back_the_rate_and_no_more_than_the_burst():
    allowance = Allowance(RATE, 0.0)
    allowance.spend(1000, 0, 0.0)
    assert allowance.spend(300, 0, 3.0) == 0
    assert allowance.spend(1001, 0, 1000.0) == pytest.approx(0.01)
    assert allowance.spend(100, 0, 1000.0) == pytest.approx(1.01)


def test_a_line_counts_more_than_its_bytes():
    allowance = Allowance(RATE, 0.0)
    assert allowance.spend(0, 4, 0.0) == pytest.approx((4 * LINE_BYTES - 1000) / 100)


@pytest.mark.parametrize(("spent", "later", "is_ample"), [(0, 0, True), (500, 0, False), (500, 1, True)])
def test_pieces_become_small_while_half_of_the_burst_is_used_up(spent, later, is_ample):
    allowance = Allowance(RATE, 0.0)
    allowance.spend(spent, 0, 0.0)
    allowance.spend(0, 0, later)
    assert allowance.is_ample is is_ample


def test_a_pause_is_never_too_short_to_be_worth_it():
    allowance = Allowance(LogRate(burst_bytes=10, bytes_per_second=1_000_000), 0.0)
    assert allowance.spend(11, 0, 0.0) == 0.01
