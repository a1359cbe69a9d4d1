"""The judge of crashes can say no: each kind of broken promise, shown to it. And it accepts what a crash may leave."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.disk.event_side import FAILS
from tests.chaos.disk.judgement import Ended, Found, judge
from tests.chaos.disk.scenario import AFTERWARDS, SUCCEEDS

ALL = frozenset((SUCCEEDS, AFTERWARDS, FAILS))
CREATED: list[list[Any]] = [["created", SUCCEEDS], ["created", AFTERWARDS], ["created", FAILS]]
ACCEPTED = [*CREATED, ["offered", SUCCEEDS, "r"], ["accepted", SUCCEEDS, "r"]]
RAN = [["run", SUCCEEDS, "r"]]
DONE = Ended(1, SUCCEEDS, "r", "Success", False)
FAILED = Ended(2, FAILS, "f", "RetriesExhausted", True)
RESULT = Ended(3, AFTERWARDS, "d", "Success", False)
FAILURE = [*CREATED, ["offered", FAILS, "f"], ["accepted", FAILS, "f"], ["run", FAILS, "f"], ["run", AFTERWARDS, "d"]]
REDRIVEN = [*FAILURE, ["redriving", ["f"]], ["redriven", ["f"]]]


def found(*endings: Ended, entries: int = 0, functions: frozenset[str] = ALL, damage: Sequence[str] = ()) -> Found:
    return Found(endings, entries, functions, damage)


@pytest.mark.parametrize(
    ("before", "after", "seen", "finding"),
    [
        pytest.param(ACCEPTED, RAN, found(), "accepted and has 0 ends", id="lost"),
        pytest.param(ACCEPTED, RAN, found(DONE, replace(DONE, sequence=9)), "has 2 ends", id="ended twice"),
        pytest.param(ACCEPTED, RAN, found(DONE, DONE), "ended 2 times", id="one entry ended twice"),
        pytest.param(ACCEPTED, RAN, found(DONE, entries=1), "1 never ended", id="never ends"),
        pytest.param(CREATED, RAN, found(DONE), "never offered", id="invented"),
        pytest.param(ACCEPTED, [], found(DONE), "never ran", id="succeeded without running"),
        pytest.param(ACCEPTED, RAN, found(replace(DONE, ending="EventAgeExceeded")), "ended with", id="wrong end"),
        pytest.param(FAILURE, [], found(FAILED), "1 failed, and 0 of", id="a result got lost"),
        pytest.param(FAILURE, [], found(FAILED, RESULT, replace(RESULT, sequence=4)), "1 failed, and 2", id="twice"),
        pytest.param([*ACCEPTED, *RAN, ["ended", "r"]], RAN, found(DONE), "ran again", id="an end didn't last"),
        pytest.param(CREATED, [], found(functions=ALL - {SUCCEEDS}), "is gone", id="a function got lost"),
        pytest.param([*CREATED, ["deleting", FAILS], ["deleted", FAILS]], [], found(), "is there", id="resurrected"),
        pytest.param(REDRIVEN, [], found(FAILED, RESULT), "redriven and isn't", id="a redrive got lost"),
        pytest.param(
            FAILURE,
            [],
            found(replace(FAILED, is_kept=False), RESULT, replace(FAILED, sequence=5), replace(RESULT, sequence=6)),
            "without being asked",
            id="a redrive was invented",
        ),
        pytest.param(CREATED, [], found(damage=["a page is missing"]), "damaged", id="damaged"),
    ],
)
def test_a_broken_promise_is_found(before: list[Any], after: list[Any], seen: Found, finding: str) -> None:
    assert finding in "\n".join(judge(before, after, seen))


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        pytest.param(ACCEPTED, RAN, found(DONE), id="it ended"),
        pytest.param([*ACCEPTED, *RAN], RAN, found(DONE), id="it ran again, for nobody knew that it had ended"),
        pytest.param([*CREATED, ["offered", SUCCEEDS, "r"]], [], found(), id="unanswered, and not there"),
        pytest.param([*CREATED, ["offered", SUCCEEDS, "r"]], RAN, found(DONE), id="unanswered, and there"),
        pytest.param(FAILURE, [], found(FAILED, RESULT), id="it failed, and the result came"),
        pytest.param([*CREATED, ["deleting", FAILS]], [], found(functions=ALL - {FAILS}), id="an unanswered deletion"),
        pytest.param(
            [*REDRIVEN, ["ended", "f"], ["run", FAILS, "f"]],
            [],
            found(replace(FAILED, is_kept=False), RESULT, replace(FAILED, sequence=5), replace(RESULT, sequence=6)),
            id="redriven",
        ),
    ],
)
def test_what_may_be_is_accepted(before: list[Any], after: list[Any], seen: Found) -> None:
    assert judge(before, after, seen) == []
