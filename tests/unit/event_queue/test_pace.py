"""How fast a queue is worked off: wide while all goes well, narrow after a refusal, slower after each failure."""

from lampion.event_queue.pace import MOST_PAUSE_SECONDS, Pace


def test_the_window_doubles_in_a_round_of_successes_up_to_the_most():
    pace = Pace(most=100.0)
    for expected in (16, 32, 64, 100, 100):
        for _ in range(int(pace.window)):
            pace.went_well()
        assert pace.window == expected


def test_a_queue_that_may_run_one_at_a_time_never_has_two():
    pace = Pace(most=1.0)
    assert pace.allows(0)
    assert not pace.allows(1)
    pace.went_well()
    assert not pace.allows(1)


def test_a_refusal_beside_others_narrows_the_window_to_them_and_waits_for_one():
    pace = Pace(most=100.0)
    assert pace.was_refused(5) == 0.0
    assert not pace.allows(5)
    assert pace.allows(4)


def test_after_a_refusal_the_window_grows_by_one_in_a_round():
    pace = Pace(most=100.0)
    pace.was_refused(5)
    for _ in range(5):
        pace.went_well()
    assert 5.5 < pace.window < 6.0


def test_refusals_with_nothing_running_back_off_from_one_second_to_five_minutes():
    pace = Pace(most=100.0)
    waits = [pace.was_refused(0) for _ in range(11)]
    assert waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert waits[-1] == MOST_PAUSE_SECONDS == 300.0
    assert pace.allows(0)
    assert not pace.allows(1)


def test_after_a_failure_one_entry_alone_is_tried_and_then_twice_as_many_in_each_round():
    pace = Pace(most=100.0)
    pace.failed()
    assert pace.allows(0)
    assert not pace.allows(1)
    pace.went_well()
    assert pace.window == 2


def test_a_success_ends_the_back_off():
    pace = Pace(most=100.0)
    pace.failed()
    pace.failed()
    pace.went_well()
    assert pace.failed() == 1.0
