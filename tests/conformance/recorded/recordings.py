"""Reads the recordings: what was asked, what AWS answered."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.conformance.recorded.completions import COMPLETIONS, Call, Completion
from tests.conformance.recorded.stand_ins import STAND_INS

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Step:
    """One call: `names` are those under which its answer is recorded."""

    number: int
    service: str
    operation: str
    params: Mapping[str, Any]
    names: tuple[str, ...]

    @property
    def is_poll(self) -> bool:
        """A waiter's call: to be repeated until the function has settled."""
        return self.operation.startswith("Get") and not self.names


@dataclass(frozen=True, slots=True)
class Case:
    """The calls of one recorded case, in order, and the answers that AWS gave."""

    name: str
    steps: tuple[Step, ...]
    made: tuple[str, ...]
    recorded: Mapping[str, Any]

    @property
    def other_services(self) -> list[str]:
        """Those that it can't do without."""
        needed = {step.service for step in self.steps if (step.service, step.operation) not in STAND_INS}
        return sorted(needed - {"lambda"})


@cache
def recorded_answers(file: str) -> Mapping[str, Mapping[str, Any]]:
    """Answers by name, by case (`TestClass::test_name[parameter]`) of e.g. test_lambda."""
    text = (DATA / f"{file}.snapshot.json").read_text(encoding="utf-8")
    return {_short(name): case["recorded-content"] for name, case in json.loads(text).items()}


@cache
def cases() -> Mapping[str, Case]:
    """Every case whose requests are recorded too, by name, with the calls that the request file lacks."""
    requests = json.loads((DATA / "requests" / "test_lambda_api.json").read_text(encoding="utf-8"))
    answers = recorded_answers("test_lambda_api")
    return {
        _short(name): Case(
            name=_short(name),
            steps=tuple(_steps(case["steps"], COMPLETIONS.get(_short(name), Completion()))),
            made=tuple(case.get("made_from_answers", ())),
            recorded=answers[_short(name)],
        )
        for name, case in requests.items()
    }


def _steps(recorded: Sequence[Call], completion: Completion) -> Iterator[Step]:
    for number, step in enumerate([*recorded, *completion.calls]):
        names = [*step.get("answers", ()), *(name for at, name in completion.named.items() if at == number)]
        yield Step(number, step["service"], step["operation"], step["params"], tuple(names))


def _short(name: str) -> str:
    return name.partition("::")[2]
