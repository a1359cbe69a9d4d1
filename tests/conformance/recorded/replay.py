"""Sends a recorded case's requests to a server and compares what it answers with what AWS answered."""

import re
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError

from tests.conformance.recorded.answers import recorded_form
from tests.conformance.recorded.comparison import CaseComparison, Difference
from tests.conformance.recorded.made_answers import Answered, NoRule, in_order, made
from tests.conformance.recorded.markers import LARGE_PACKAGE_BYTES, NoSuchAnswer, fill_in
from tests.conformance.recorded.out_of_reach import reasons_out_of_reach
from tests.conformance.recorded.outcomes import AnswerDifference, Outcome, Status, ran
from tests.conformance.recorded.placeholders import Place
from tests.conformance.recorded.recordings import Case, Step
from tests.conformance.recorded.stand_ins import STAND_INS

SETTLED_SECONDS = 30.0
_PAUSE_SECONDS = 0.02
_IN_MOTION: Final[Mapping[str, Collection[str]]] = {
    "State": ("Pending", "Creating", "Enabling", "Disabling", "Updating"),
    "LastUpdateStatus": ("InProgress",),
    "Status": ("IN_PROGRESS",),
}
_TOO_LARGE = "TestLambdaSizeLimits::test_oversized_request_create_lambda"


class CannotRun(Exception):
    """The case stops here, for a reason that is no difference."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def replay(client: Any, place: Place, case: Case) -> Outcome:
    """Walk the case from its first step to its last; what it created is deleted afterwards."""
    if case.other_services:
        unreached = reasons_out_of_reach(case.name, case.recorded)
        reason = ", ".join(case.other_services)
        return Outcome(case.name, Status.NEEDS_COMPANION, len(case.recorded), reason=reason, out_of_reach=unreached)
    run = _Run(client, place, case)
    try:
        run.walk()
    except CannotRun as error:
        return Outcome(case.name, error.status, len(case.recorded), reason=error.reason)
    finally:
        run.tidy_up()
    return ran(case.name, len(case.recorded), run.compared, run.differences, run.out_of_reach)


def ask(client: Any, operation: str, params: Mapping[str, Any]) -> Answered:
    """One call; its output, or the error that AWS would send too. Raises CannotRun when it answers 501."""
    try:
        answer = getattr(client, xform_name(operation))(**params)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 501:
            raise CannotRun(Status.NOT_BUILT, _what_is_missing(error.response["Error"]["Message"])) from None
        answer = error.response
    return Answered(operation, answer, recorded_form(operation, answer))


def ask_until_settled(client: Any, operation: str, params: Mapping[str, Any]) -> Answered:
    """What a waiter does: ask until nothing is pending or in progress any more, or the time for it is over.

    Raises CannotRun when the function can't become active because nothing here runs its runtime.
    """
    end = time.monotonic() + SETTLED_SECONDS
    while True:
        answered = ask(client, operation, params)
        if not is_in_motion(answered.answer) or time.monotonic() > end:
            _check_runtime(answered.answer)
            return answered
        time.sleep(_PAUSE_SECONDS)


def is_in_motion(answer: Mapping[str, Any]) -> bool:
    """Whether what the answer describes (a function, a mapping, provisioned concurrency) is still on its way."""
    configuration: Mapping[str, Any] = answer.get("Configuration", answer)
    return any(configuration.get(member) in states for member, states in _IN_MOTION.items())


def _what_is_missing(message: str) -> str:
    """`PublishVersion` out of "Lampion doesn't offer PublishVersion yet. ..."."""
    match = re.match(r"Lampion doesn't offer (.+) yet\.", message)
    assert match is not None, f"a 501 that does not say what is missing: {message}"
    return match[1]


def _check_runtime(answer: Mapping[str, Any]) -> None:
    configuration: Mapping[str, Any] = answer.get("Configuration", answer)
    for prefix in ("State", "LastUpdateStatus"):
        if configuration.get(f"{prefix}ReasonCode") == "InvalidRuntime":
            built = "not available yet" not in configuration[f"{prefix}Reason"]
            raise CannotRun(Status.NO_INTERPRETER if built else Status.NOT_BUILT, configuration["Runtime"])


@dataclass(slots=True)
class _Run:
    client: Any
    place: Place
    case: Case
    calls: list[Answered] = field(default_factory=list)
    answers: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    pending_made: list[str] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)
    differences: list[AnswerDifference] = field(default_factory=list)
    out_of_reach: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.out_of_reach = reasons_out_of_reach(self.case.name, self.case.recorded)

    def walk(self) -> None:
        comparison = CaseComparison(self.place)
        named: dict[str, Any] = {}
        for step in self.case.steps:
            try:
                answered = self._ask(step)
            except (NoSuchAnswer, ParamValidationError) as error:
                self._cannot_go_on(step, error)
                break
            self.calls.append(answered)
            self.answers[step.number] = answered.answer
            named |= dict.fromkeys(step.names, answered.form)
        named |= self._made()
        for name, recorded in self.case.recorded.items():
            if name in self.out_of_reach:
                self._check_out_of_reach(name, named)
            elif name in named:
                self.compared.append(name)
                found = comparison.compare(in_order(recorded, self.place), named[name])
                self.differences += [AnswerDifference(name, difference) for difference in found]
            else:
                self.differences.append(AnswerDifference(name, Difference("", recorded, "(not asked for)")))

    def tidy_up(self) -> None:
        """Delete the mappings and functions that the case created."""
        for answered in self.calls:
            with suppress(ClientError):
                match answered.operation, answered.answer:
                    case "CreateEventSourceMapping", {"UUID": uuid}:
                        ask_until_settled(self.client, "GetEventSourceMapping", {"UUID": uuid})
                        self.client.delete_event_source_mapping(UUID=uuid)
                    case "CreateFunction", {"FunctionName": name}:
                        self.client.delete_function(FunctionName=name)

    def _ask(self, step: Step) -> Answered:
        package_bytes = LARGE_PACKAGE_BYTES if self.case.name == _TOO_LARGE else None
        params = fill_in(step.params, step.operation, self.answers, package_bytes)
        stand_in = STAND_INS.get((step.service, step.operation))
        if stand_in is not None:
            answer = stand_in(params, self.place)
            return Answered(step.operation, answer, answer)
        return (ask_until_settled if step.is_poll else ask)(self.client, step.operation, params)

    def _check_out_of_reach(self, name: str, named: Mapping[str, Any]) -> None:
        """So that the table stays true: what could be compared after all is a difference."""
        if name in named and not CaseComparison(self.place).compare(self.case.recorded[name], named[name]):
            reason = self.out_of_reach[name]
            self.differences.append(AnswerDifference(name, Difference("", f"out of reach: {reason}", "as recorded")))

    def _made(self) -> dict[str, Any]:
        try:
            return made(self.case.made, self.case.recorded, self.calls)
        except NoRule:
            return {}
        except (KeyError, IndexError, StopIteration) as error:
            return dict.fromkeys(self.case.made, f"could not be made: {error!r}")

    def _cannot_go_on(self, step: Step, error: Exception) -> None:
        """The rest of the case can't be asked: that is a difference, not a reason to say nothing."""
        name = f"step {step.number} ({step.operation})"
        self.differences.append(AnswerDifference(name, Difference("", "a call that can be made", str(error))))
