"""The event loop looks for a message only where it comes at once, there is a processor to spare, and not for long."""

from typing import TYPE_CHECKING

import pytest

from lampion.invoke.busy_poll import LONGEST_SECONDS, BusyPoll

if TYPE_CHECKING:
    from collections.abc import Callable

FAST, SLOW = LONGEST_SECONDS / 2, LONGEST_SECONDS * 2


class Stage:
    """An event loop whose turns are counted, and each takes a fiftieth of the longest wait."""

    def __init__(self, processors: int = 2) -> None:
        self.seconds = 100.0
        self.due: list[Callable[[], None]] = []
        self.poll = BusyPoll(self.due.append, lambda: self.seconds, processors=processors)

    def is_looking(self) -> bool:
        return bool(self.due)

    def turns(self) -> int:
        """Until nothing is due."""
        count = 0
        while self.due:
            self.due.pop()()
            self.seconds += LONGEST_SECONDS / 50
            count += 1
        return count

    def invocation(self, answer_seconds: float, request_seconds: float) -> None:
        """One that comes `request_seconds` after the last, and takes so long."""
        self.seconds += request_seconds
        with self.poll:
            self.seconds += answer_seconds


def test_fast_invocations_in_a_row_are_looked_for():
    stage = Stage()
    stage.invocation(FAST, SLOW)
    stage.invocation(FAST, FAST)
    assert stage.is_looking()


def test_it_ends_by_itself():
    stage = Stage()
    stage.invocation(FAST, SLOW)
    stage.invocation(FAST, FAST)
    assert 50 <= stage.turns() <= 52
    assert not stage.is_looking()


def test_a_new_wait_prolongs_it_without_a_second_look_at_each_turn():
    stage = Stage()
    stage.invocation(FAST, SLOW)
    stage.invocation(FAST, FAST)
    stage.invocation(FAST, FAST)
    assert len(stage.due) == 1


@pytest.mark.parametrize(("answer", "request_"), [(SLOW, SLOW), (FAST, SLOW)])
def test_rare_invocations_leave_the_processor_alone_in_between(answer, request_):
    stage = Stage()
    for _ in range(3):
        stage.invocation(answer, request_)
    assert stage.turns() <= 1


def test_a_slow_function_is_not_looked_at_while_it_runs():
    stage = Stage()
    stage.invocation(SLOW, FAST)
    stage.turns()
    with stage.poll:
        assert not stage.is_looking()


def test_the_first_answer_and_the_first_request_are_slept_for():
    stage = Stage()
    with stage.poll:
        assert not stage.is_looking()
    assert not stage.is_looking()


@pytest.mark.parametrize(("processors", "at_once", "looks"), [(1, 1, False), (2, 1, True), (2, 2, False), (4, 3, True)])
def test_a_processor_that_functions_need_is_left_to_them(processors, at_once, looks):
    stage = Stage(processors)
    stage.invocation(FAST, SLOW)
    stage.invocation(FAST, FAST)
    stage.turns()
    for _ in range(at_once):
        stage.poll.__enter__()
    assert (stage.turns() > 1) is looks


def test_an_invocation_that_fails_is_over_too():
    stage = Stage()
    stage.invocation(FAST, SLOW)
    with pytest.raises(RuntimeError), stage.poll:
        raise RuntimeError
    stage.invocation(FAST, FAST)
    assert stage.is_looking()
