"""What became of a recorded case, and the count of them all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from tests.conformance.recorded.comparison import Difference


class Status(Enum):
    """Only what RAN has been compared to its end."""

    RAN = "run"
    NOT_BUILT = "not built"
    NEEDS_COMPANION = "needs a companion service"
    NOTHING_COMPARED = "nothing to compare"
    NEEDS_NAMESPACES = "needs namespace sandboxes"
    NO_INTERPRETER = "no interpreter on this machine"


@dataclass(frozen=True, slots=True)
class AnswerDifference:
    """A difference in the answer recorded as `answer`; `known` says why it has to be, where it has to."""

    answer: str
    difference: Difference
    known: str = ""

    def __str__(self) -> str:
        return f"{self.answer}: {self.difference}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case: `compared` names the answers that were looked at, `reason` says why it did not run."""

    case: str
    status: Status
    recorded: int
    compared: tuple[str, ...] = ()
    differences: tuple[AnswerDifference, ...] = ()
    reason: str = ""
    out_of_reach: Mapping[str, str] = field(default_factory=dict)
    """By name, the reason why an answer isn't looked at."""

    @property
    def unexpected(self) -> list[AnswerDifference]:
        return [one for one in self.differences if not one.known]

    @property
    def is_reproduced(self) -> bool:
        """It ran and every answer was AWS's, but for the differences that have to be."""
        return self.status is Status.RAN and not self.unexpected

    @property
    def answers_reproduced(self) -> int:
        differing = {one.answer for one in self.unexpected}
        return len([name for name in self.compared if name not in differing])


def ran(
    case: str,
    recorded: int,
    compared: Sequence[str],
    differences: Sequence[AnswerDifference],
    out_of_reach: Mapping[str, str] | None = None,
) -> Outcome:
    """A case that went as far as it could: it has run only if something was compared, or could not be asked."""
    unreached = dict(out_of_reach or {})
    if not compared and not differences:
        why = "no answer of it has a recorded call"
        return Outcome(case, Status.NOTHING_COMPARED, recorded, reason=why, out_of_reach=unreached)
    return Outcome(case, Status.RAN, recorded, tuple(compared), tuple(differences), out_of_reach=unreached)


def table(title: str, outcomes: Sequence[Outcome]) -> list[str]:
    """The totals of some cases, and what kept the others from running."""
    run = [one for one in outcomes if one.status is Status.RAN]
    compared = sum(len(one.compared) for one in run)
    lines = [
        title,
        f"  cases   {sum(one.is_reproduced for one in run)} reproduced of {len(run)} run, of {len(outcomes)}",
        f"  answers {sum(one.answers_reproduced for one in run)} reproduced of {compared} compared, "
        f"of {sum(one.recorded for one in outcomes)}",
    ]
    for status in Status:
        others = [one for one in outcomes if one.status is status and status is not Status.RAN]
        if others:
            lines.append(f"  {len(others)} {status.value}: {_reasons(others)}")
    unreached = Counter(reason for one in outcomes for reason in one.out_of_reach.values())
    if unreached:
        counted = "; ".join(f"{reason} {count}" for reason, count in unreached.most_common())
        lines.append(f"  {unreached.total()} answers out of reach: {counted}")
    return lines


def _reasons(outcomes: Sequence[Outcome]) -> str:
    counted = Counter(one.reason for one in outcomes)
    return ", ".join(f"{reason} {count}" for reason, count in counted.most_common())


def details(outcomes: Sequence[Outcome]) -> list[str]:
    """Every difference of every case, and every case that did not run."""
    lines = []
    for one in outcomes:
        if one.status is not Status.RAN:
            lines.append(f"{one.case}: {one.status.value}: {one.reason}")
        lines += [f"{one.case}: {difference}" for difference in one.unexpected]
        for why in sorted(set(one.out_of_reach.values())):
            names = ", ".join(name for name, reason in one.out_of_reach.items() if reason == why)
            lines.append(f"{one.case}: out of reach ({why}): {names}")
        lines += [f"{one.case}: known ({each.known}): {each}" for each in one.differences if each.known]
    return lines
