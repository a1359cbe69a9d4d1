"""Lampion answers what AWS answered: the recorded requests replayed, and what other recordings show asked for."""

import re
from pathlib import Path

import pytest

from tests.conformance.recorded.asking import ASKED
from tests.conformance.recorded.comparison import Difference
from tests.conformance.recorded.completions import COMPLETIONS
from tests.conformance.recorded.known_differences import KNOWN, Known, with_known
from tests.conformance.recorded.not_asked import NOT_ASKED, reasons, without_requests
from tests.conformance.recorded.out_of_reach import OUT_OF_REACH
from tests.conformance.recorded.outcomes import AnswerDifference, Outcome, Status, ran
from tests.conformance.recorded.recordings import cases, recorded_answers
from tests.conformance.recorded.report import suite_of
from tests.conformance.recorded.suite import ASKING_MODULES, Suite
from tests.live_server import LiveServer

REPRODUCED = tuple((Path(__file__).parent / "reproduced.txt").read_text(encoding="utf-8").split("\n")[:-1])
"""The replayed cases that are green. Names enter this list when they turn green; none may leave it."""

BUILT_FIRST = {
    "CreateFunction",
    "DeleteFunction",
    "GetFunction",
    "GetFunctionConfiguration",
    "Invoke",
    "ListFunctions",
    "ListVersionsByFunction",
    "PublishVersion",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
}


def check(outcome: Outcome) -> None:
    if outcome.status is Status.NO_INTERPRETER:
        pytest.skip(f"no interpreter for {outcome.reason} on this machine")
    if outcome.status is Status.NEEDS_NAMESPACES:
        pytest.skip("this machine makes no namespace sandboxes: functions see the machine itself")
    assert outcome.status is Status.RAN, f"{outcome.status.value}: {outcome.reason}"
    assert not outcome.unexpected, "\n".join(map(str, outcome.unexpected))


@pytest.mark.parametrize("name", REPRODUCED)
def test_the_replayed_case_is_reproduced(suite: Suite, name: str) -> None:
    check(suite.replay(name))


def test_a_server_that_has_just_started_answers_no_differently(private_server: LiveServer) -> None:
    """What it learns while it runs, such as the versions of its interpreters, must not show in the answers."""
    check(suite_of(private_server).replay("TestLambdaFunction::test_function_lifecycle"))


def test_every_other_case_has_a_reason_not_to_run(suite: Suite) -> None:
    """A case that runs belongs into the list of the reproduced ones."""
    others = [suite.replay(name) for name in cases() if name not in REPRODUCED]
    assert [one.case for one in others if one.status is Status.RAN] == []
    assert all(one.reason for one in others)


def test_no_case_that_needs_only_what_was_built_first_is_missing() -> None:
    wanted = {
        case.name
        for case in cases().values()
        if case.name.startswith(("TestLambdaFunction::", "TestLambdaVersions::", "TestLambdaSnapStart::"))
        and not case.other_services
        and {step.operation for step in case.steps} <= BUILT_FIRST
    }
    assert len(wanted) >= 51
    assert wanted - set(REPRODUCED) == set()


@pytest.mark.parametrize("name", list(ASKED))
def test_the_asked_case_is_reproduced(suite: Suite, name: str) -> None:
    check(suite.ask(name))


def test_every_recorded_case_is_asked_or_has_one_reason_not_to_be() -> None:
    assert all(module.__doc__ for module in ASKING_MODULES)
    assert {name: reasons(name) for name in without_requests() if name not in ASKED and len(reasons(name)) != 1} == {}
    unasked = [name for name in without_requests() if name not in ASKED]
    idle = [pattern for pattern in NOT_ASKED if not any(re.fullmatch(pattern, name) for name in unasked)]
    assert idle == []


def test_every_answer_of_the_replayed_cases_is_compared_or_out_of_reach(suite: Suite) -> None:
    for name in REPRODUCED:
        outcome = suite.replay(name)
        if outcome.status is Status.RAN:
            assert {*outcome.compared, *outcome.out_of_reach} == {*cases()[name].recorded}, name


def test_what_is_out_of_reach_is_an_answer_of_a_case() -> None:
    answers = {(name, answer) for name, case in cases().items() for answer in case.recorded}
    answers |= {(name, answer) for name, case in ASKED.items() for answer in recorded_answers(case.file)[name]}
    assert [one for one in OUT_OF_REACH if not any(one.covers(*each) for each in answers)] == []
    assert set(COMPLETIONS) <= set(cases())


def test_a_known_difference_is_marked_and_no_other() -> None:
    table = [Known("case", r"answer\.Runtime", "no such interpreter")]
    found = [AnswerDifference("answer", Difference(path, "a", "b")) for path in ("Runtime", "State")]
    outcome = with_known(ran("case", 1, ["answer"], found), table)
    assert [one.known for one in outcome.differences] == ["no such interpreter", ""]
    assert [one.difference.path for one in outcome.unexpected] == ["State"]


def test_a_known_difference_that_is_gone_is_reported() -> None:
    outcome = with_known(ran("case", 1, ["answer"], []), [Known("case", r"answer\.Runtime", "no such interpreter")])
    assert "no such interpreter" in str(outcome.unexpected[0])
    assert not outcome.is_reproduced


def test_a_known_difference_may_depend_on_the_machine() -> None:
    entry = Known("case", r"answer\.LC_CTYPE", "set by the machine", depends_on_machine=True)
    assert with_known(ran("case", 1, ["answer"], []), [entry]).is_reproduced
    differs = AnswerDifference("answer", Difference("LC_CTYPE", "a", "b"))
    assert with_known(ran("case", 1, ["answer"], [differs]), [entry]).is_reproduced


def test_known_differences_are_of_cases_that_exist() -> None:
    assert {entry.case for entry in KNOWN} <= {*cases(), *ASKED}
