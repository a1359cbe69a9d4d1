"""Who is refused at once because standing in line would be in vain, or would only make a long line longer."""

import pytest

from lampion.environments.outlook import DOUBT, FEW, JUDGED_SECONDS, MEASURED_SECONDS, ROUNDS, SHORT_SECONDS, Outlook

LIMIT_SECONDS = 10.0


def watched(rate: float, seconds: float) -> Outlook:
    """A line out of which `rate` are served each second, up to `seconds` after the first of them."""
    outlook = Outlook(served=1)
    assert not outlook.is_poor(10_000, 1, 0.0, LIMIT_SECONDS)
    outlook.served += rate * seconds
    return outlook


@pytest.mark.parametrize(
    ("rate", "ahead", "at_work", "poor"),
    [
        # in vain: so far back that it won't be served in time, whatever the size of the line
        (1.0, DOUBT * LIMIT_SECONDS - 2, 1, False),
        (1.0, DOUBT * LIMIT_SECONDS, 1, True),
        (0.5, DOUBT * LIMIT_SECONDS / 2, 2, True),
        # long: as many as the environments won't get through in a few rounds, nor in half a second
        (100.0, FEW - 1, 1, False),
        (90.0, FEW, 1, True),
        (100.0, 16 * ROUNDS - 1, 16, False),
        (100.0, 16 * ROUNDS, 16, True),
        (700.0, 700 * SHORT_SECONDS - 2, 11, False),
        (700.0, 700 * SHORT_SECONDS + 1, 11, True),
        (100_000.0, 5000, 64, False),
        # of slow functions that many wait for, as their callers always do
        (16.0, 48, 16, False),
        (64.0, 200, 64, False),
    ],
)
def test_who_had_better_not_join(rate: float, ahead: float, at_work: int, poor: bool) -> None:
    assert watched(rate, 3.0).is_poor(int(ahead), at_work, 3.0, LIMIT_SECONDS) is poor


def test_a_line_that_nobody_got_through_yet_takes_everybody() -> None:
    outlook = Outlook()
    assert not any(outlook.is_poor(10_000, 1, now, LIMIT_SECONDS) for now in (0.0, 5.0, 100.0))


def test_a_burst_is_taken_however_long_its_line() -> None:
    outlook = watched(10.0, JUDGED_SECONDS)
    assert not outlook.is_poor(10_000, 1, JUDGED_SECONDS - 0.01, LIMIT_SECONDS)
    assert outlook.is_poor(10_000, 1, JUDGED_SECONDS, LIMIT_SECONDS)


def test_the_wait_for_cold_starts_is_no_part_of_the_rate() -> None:
    """Nobody was served for a minute; then, at once, a hundred each second."""
    outlook = Outlook()
    assert not outlook.is_poor(40, 2, 60.0, LIMIT_SECONDS)
    outlook.served += 1
    assert not outlook.is_poor(40, 2, 60.1, LIMIT_SECONDS)
    outlook.served += 300
    assert not outlook.is_poor(40, 2, 63.1, LIMIT_SECONDS)


def test_where_nobody_is_served_any_more_nothing_is_known() -> None:
    assert not watched(0.0, 3.0).is_poor(10_000, 1, 3.0, LIMIT_SECONDS)


def test_the_rate_is_that_of_the_latest_seconds() -> None:
    """100 a second for an hour, then one: in half a minute who stands far back is refused."""
    outlook, now = watched(0.0, 0.0), 0.0
    while now < 3600.0:
        now += 0.5
        outlook.served += 50
        assert not outlook.is_poor(40, 2, now, LIMIT_SECONDS)
    slow_since = now
    while not outlook.is_poor(40, 2, now, LIMIT_SECONDS):
        now += 0.5
        outlook.served += 0.5
    assert now - slow_since < 8 * MEASURED_SECONDS
