"""The judge of events can say no: each kind of broken promise, shown to it. And it accepts what a crash may leave."""

from dataclasses import replace

import pytest

from tests.chaos.events.functions import AFTERWARDS, RETRYING
from tests.chaos.events.judgement import Effect, Facts, judge
from tests.chaos.events.load import Sent
from tests.chaos.events.queue_file import Ended, Waiting

SENT = Sent("succeeding", "1", 202, "r")
UNANSWERED = Sent("succeeding", "2", 0, "")
DONE = Ended(1, "succeeding", "r", "Success")
RAN = Effect("succeeding", "1", "r")
GOOD = Facts([SENT], [DONE], [], [RAN])
FOLLOWED = Facts(
    [Sent("failing", "1", 202, "f")],
    [Ended(1, "failing", "f", "RetriesExhausted"), Ended(2, AFTERWARDS, "d", "Success")],
    [],
    [Effect("failing", "1", "f"), Effect(AFTERWARDS, "1", "d")],
)


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        pytest.param(replace(GOOD, ended=[], effects=[]), "lost", id="accepted, and gone"),
        pytest.param(replace(GOOD, ended=[DONE, DONE._replace(sequence=2)]), "ended twice", id="two ends"),
        pytest.param(replace(GOOD, waiting=[Waiting("succeeding", "r", 0)]), "ended twice", id="ended and waiting"),
        pytest.param(replace(GOOD, ended=[], waiting=[Waiting("succeeding", "r", 0)]), "stuck", id="never ends"),
        pytest.param(replace(GOOD, sent=[], effects=None), "invented", id="an end of what wasn't sent"),
        pytest.param(
            replace(GOOD, waiting=[Waiting(RETRYING, "x", 0)]), "invented", id="waiting, and of what wasn't sent"
        ),
        pytest.param(replace(GOOD, ended=[DONE._replace(ending="EventAgeExceeded")]), "wrong end", id="another end"),
        pytest.param(replace(GOOD, sent=[SENT, Sent("succeeding", "3", 500, "s")]), "refused", id="refused"),
        pytest.param(replace(GOOD, effects=[]), "never ran", id="succeeded without running"),
        pytest.param(replace(GOOD, effects=[RAN, RAN._replace(n="9")]), "invented", id="ran what wasn't sent"),
        pytest.param(replace(GOOD, effects=[RAN, RAN._replace(name="failing")]), "invented", id="another one's event"),
        pytest.param(replace(FOLLOWED, ended=FOLLOWED.ended[:1]), "results", id="a result got lost"),
        pytest.param(
            replace(
                FOLLOWED,
                ended=[*FOLLOWED.ended, Ended(3, AFTERWARDS, "d2", "Success")],
                effects=[*(FOLLOWED.effects or []), Effect(AFTERWARDS, "1", "d2")],
            ),
            "results",
            id="a result came twice",
        ),
    ],
)
def test_a_broken_promise_is_found(facts: Facts, kind: str) -> None:
    assert kind in {finding.kind for finding in judge(facts)}


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(GOOD, id="it ended"),
        pytest.param(FOLLOWED, id="it failed, and the result came"),
        pytest.param(replace(GOOD, effects=[RAN, RAN]), id="it ran twice"),
        pytest.param(replace(GOOD, effects=None), id="nobody sees what functions do"),
        pytest.param(replace(GOOD, sent=[SENT, UNANSWERED]), id="unanswered, and not there"),
        pytest.param(
            Facts(
                [SENT, UNANSWERED],
                [DONE, Ended(2, "succeeding", "u", "Success")],
                [],
                [RAN, Effect("succeeding", "2", "u")],
            ),
            id="unanswered, and there",
        ),
        pytest.param(replace(GOOD, effects=[RAN, Effect("succeeding", "sync-r1", "s")]), id="others wait for answers"),
    ],
)
def test_what_may_be_is_accepted(facts: Facts) -> None:
    assert judge(facts) == []
