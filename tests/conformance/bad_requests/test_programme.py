"""A run complains of what a server must not do; the server here is made of answers and changes told to it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from tests.conformance.bad_requests.case import Case, Expect
from tests.conformance.bad_requests.oracle import LONGEST_SECONDS, Answer
from tests.conformance.bad_requests.programme import run
from tests.conformance.bad_requests.report import page
from tests.conformance.bad_requests.stage import NotPutBackError, Stage

_ERROR = {"x-amzn-errortype": "ValidationException", "content-type": "application/json", "x-amzn-requestid": "some"}
_SLOW = LONGEST_SECONDS + 0.1


def _refusal(seconds: float = 0.0) -> Answer:
    return Answer(400, _ERROR, b'{"message":"no"}', seconds)


@dataclass
class _Told(Stage):
    """Gives these answers in order; each request changes this."""

    answers: list[Answer]
    change: list[str] = field(default_factory=list)
    end: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    resets: int = 0
    in_the_way: str = ""

    def send(self, case: Case) -> Answer:
        self.present = [*self.change]
        return self.answers.pop(0)

    def reset(self) -> None:
        if self.in_the_way:
            raise NotPutBackError(self.in_the_way)
        self.present = []
        self.resets += 1

    def changes(self) -> list[str]:
        return self.present

    def breakdown(self) -> list[str]:
        return self.end


def _cases(operation: str, count: int = 1) -> Iterable[Case]:
    return [Case(label="case", operation=operation, expect=Expect.ANYTHING)] * count


def test_a_refused_request_that_leaves_a_trace_is_complained_about_and_put_back() -> None:
    stage = _Told([_refusal()], change=["a row is new"])
    report = run(stage, _cases("CreateAlias"))
    assert len(report.complaints) == 1
    assert "left a trace: a row is new" in report.complaints[0]
    assert stage.resets == 1


@pytest.mark.parametrize(("operation", "complaints"), [("CreateAlias", 0), ("GetAlias", 1), ("Invoke", 1), ("", 1)])
def test_only_operations_that_change_something_may_do_so_when_accepted(operation: str, complaints: int) -> None:
    stage = _Told([Answer(200)], change=["a row is new"])
    assert len(run(stage, _cases(operation)).complaints) == complaints
    assert stage.resets == 1


def test_what_is_slow_twice_is_a_hang_and_what_is_slow_once_is_not() -> None:
    once = run(_Told([_refusal(_SLOW), _refusal()]), _cases("GetAlias"))
    assert (once.complaints, once.asked_again, once.slowest_seconds) == ([], 1, _SLOW)
    assert len(run(_Told([_refusal(_SLOW), _refusal(_SLOW)]), _cases("GetAlias")).complaints) == 1


def test_what_was_slow_to_change_something_is_asked_for_again_when_that_is_put_back() -> None:
    slow = Answer(200, seconds=_SLOW)
    stage = _Told([slow, Answer(200)], change=["new"])
    assert run(stage, _cases("CreateAlias")).complaints == []
    assert stage.resets == 2
    assert len(run(_Told([slow, slow], change=["new"]), _cases("CreateAlias")).complaints) == 1
    assert len(run(_Told([_refusal(_SLOW)], change=["new"]), _cases("CreateAlias")).complaints) == 2


def test_a_server_that_broke_down_is_complained_about_at_the_end() -> None:
    assert run(_Told([_refusal()], end=["it ended"]), _cases("GetAlias")).complaints == ["it ended"]


def test_a_run_with_too_many_complaints_ends() -> None:
    stage = _Told([Answer(0)] * 1000)
    report = run(stage, _cases("GetAlias", 1000))
    assert report.ran < 1000
    assert len(report.complaints) == report.ran


def test_what_cannot_be_put_back_ends_the_run_with_all_that_was_found() -> None:
    stage = _Told([_refusal()] * 3, change=["a row is new"], in_the_way="it is in use")
    report = run(stage, _cases("CreateAlias", 3))
    assert report.ran == 1
    assert ["left a trace" in text for text in report.complaints] == [True, False]
    assert report.complaints[1].startswith("the end of it: after case")
    assert report.complaints[1].endswith("it is in use")


def test_the_result_page_shows_seeds_and_all_answers() -> None:
    reports = {seed: run(_Told([_refusal(), Answer(0)]), _cases("", 2)) for seed in (7, 8)}
    text = page(reports)
    assert '`make fuzz SEED="7 8"`' in text
    assert "| 2 | 400 ValidationException |" in text
    assert "| 2 | closed without an answer |" in text
    assert "| 7 | 2 |" in text
