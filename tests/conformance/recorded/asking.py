"""Asks a server what a recording without requests shows: each case is a function that asks, registered by its name."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError

from tests.conformance.recorded import handlers
from tests.conformance.recorded.comparison import CaseComparison
from tests.conformance.recorded.made_answers import Answered, in_order, taken_apart, wrapped_creation
from tests.conformance.recorded.out_of_reach import reasons_out_of_reach
from tests.conformance.recorded.outcomes import AnswerDifference, Outcome, ran
from tests.conformance.recorded.placeholders import Place
from tests.conformance.recorded.recordings import recorded_answers
from tests.conformance.recorded.replay import CannotRun, ask, ask_until_settled
from tests.deployment import ROLE, Source, unique_name, zipped

_ASKED: Final = ("Architectures", "Description", "Environment", "Handler", "MemorySize", "Runtime", "Timeout")
"""Members of a creation's answer that are as they were asked for, or left at their defaults."""


@dataclass(slots=True)
class Asking:
    """One case that is being asked: its client, its functions, and what was compared so far."""

    client: Any
    place: Place
    recorded: Mapping[str, Any]
    comparison: CaseComparison
    name: str = field(default_factory=lambda: unique_name("asked"))
    functions: set[str] = field(default_factory=set)
    compared: list[str] = field(default_factory=list)
    differences: list[AnswerDifference] = field(default_factory=list)

    def create(self, source: Source | bytes, **configuration: Any) -> Answered:
        """CreateFunction with handler.handler of a package with `source` as handler.py; python3.12 unless said."""
        if isinstance(source, str):
            source = {"handler.py": source}
        package = source if isinstance(source, bytes) else zipped(source)
        params = {
            "FunctionName": self.name,
            "Runtime": "python3.12",
            "Handler": "handler.handler",
            "Role": ROLE,
            "Code": {"ZipFile": package},
            **configuration,
        }
        self.functions.add(params["FunctionName"])
        return self.ask("CreateFunction", **params)

    def create_as_shown(self, name: str) -> None:
        """CreateFunction with what the recorded creation `name` shows, which may be wrapped."""
        recorded = self.recorded[name]
        is_wrapped = "CreateFunctionResponse" in recorded
        shown = recorded["CreateFunctionResponse"] if is_wrapped else recorded
        created = self.create(handlers.NOTHING, **{member: shown[member] for member in _ASKED if member in shown})
        self.shows(name, wrapped_creation(created.form) if is_wrapped else created.form)

    def create_active(self, source: Source | bytes, **configuration: Any) -> Answered:
        """Create and wait until it is Active; CreateFunction's answer."""
        created = self.create(source, **configuration)
        self.settled(created.answer.get("FunctionName", self.name))
        return created

    def settled(self, name: str | None = None) -> Answered:
        """GetFunction's answer when nothing is pending any more. Raises CannotRun."""
        return ask_until_settled(self.client, "GetFunction", {"FunctionName": name or self.name})

    def ask(self, operation: str, **params: Any) -> Answered:
        """Any call. Raises CannotRun."""
        return ask(self.client, operation, params)

    def invoke(self, payload: bytes = b"{}", **params: Any) -> Mapping[str, Any]:
        """Invoke's answer in the recorded form."""
        return self.ask("Invoke", **{"FunctionName": self.name, "Payload": payload, **params}).form

    def shows(self, name: str, form: Any) -> None:
        """`form` is what the recording has under `name`, or it is a difference."""
        found = self.comparison.compare(in_order(self.recorded[name], self.place), form)
        self.compared.append(name)
        self.differences += [AnswerDifference(name, difference) for difference in found]

    def shows_creation(self, name: str, created: Answered) -> None:
        """For creations that were recorded together with an (absent) event source mapping."""
        self.shows(name, wrapped_creation(created.form))

    def shows_error(self, name: str, answered: Answered) -> None:
        """For errors of which only the code and the message were recorded."""
        self.shows(name, taken_apart(answered.error or answered.form))

    def delete_all(self) -> None:
        for name in self.functions:
            with suppress(ClientError):
                self.client.delete_function(FunctionName=name)


@dataclass(frozen=True, slots=True)
class AskedCase:
    """A case of a recording and the function that asks it; `runtime` when the case is one of a family."""

    file: str
    name: str
    asks: Callable[..., None]
    runtime: str | None = None

    def run(self, client: Any, place: Place) -> Outcome:
        recorded = recorded_answers(self.file)[self.name]
        asking = Asking(client, place, recorded, CaseComparison(place))
        try:
            self.asks(asking, *([self.runtime] if self.runtime else []))
        except CannotRun as error:
            return Outcome(self.name, error.status, len(recorded), reason=error.reason)
        finally:
            asking.delete_all()
        unreached = reasons_out_of_reach(self.name, recorded)
        missing = [name for name in recorded if (name in asking.compared) == (name in unreached)]
        assert not missing, f"{self.name} does not ask for {missing}, or it does although they are out of reach"
        return ran(self.name, len(recorded), asking.compared, asking.differences, unreached)


ASKED: dict[str, AskedCase] = {}
"""Every registered case by name; filled by importing the modules that ask."""

_Asks = Callable[[Asking], None]


def shows(file: str, name: str) -> Callable[[_Asks], _Asks]:
    """Registers a function that asks one case of a recording."""

    def register(asks: _Asks) -> _Asks:
        assert name not in ASKED
        ASKED[name] = AskedCase(file, name, asks)
        return asks

    return register


def shows_each(file: str, family: str, runtimes: str) -> Callable[[Callable[[Asking, str], None]], None]:
    """Registers a function for each case of a family (`family[runtime]`) whose runtime begins with `runtimes`."""

    def register(asks: Callable[[Asking, str], None]) -> None:
        beginning = f"{family}[{runtimes}"
        for name in recorded_answers(file):
            if name.startswith(beginning):
                ASKED[name] = AskedCase(file, name, asks, name[len(family) + 1 : -1])

    return register
