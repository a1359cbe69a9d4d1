"""Which extensions are registered: the table of their states, and every refusal with AWS's words."""

import itertools
from collections.abc import Callable

import pytest

from lampion.environments.extensions import Event, Extension, Extensions, Move, Refused, State, UnknownExtension

MOVES = {
    (State.STARTED, Move.REGISTER): State.REGISTERED,
    (State.STARTED, Move.NOT_LAUNCHED): State.LAUNCH_ERROR,
    (State.REGISTERED, Move.NEXT): State.READY,
    (State.REGISTERED, Move.INIT_ERROR): State.INIT_ERROR,
    (State.REGISTERED, Move.EXIT_ERROR): State.EXIT_ERROR,
    (State.READY, Move.EVENT): State.RUNNING,
    (State.READY, Move.EXIT_ERROR): State.EXIT_ERROR,
    (State.RUNNING, Move.NEXT): State.READY,
    (State.RUNNING, Move.EXIT_ERROR): State.EXIT_ERROR,
    (State.RUNNING, Move.EXITED): State.EXITED,
    (State.RUNNING, Move.KILLED): State.SHUTDOWN_FAILED,
    (State.INIT_ERROR, Move.INIT_ERROR): State.INIT_ERROR,
    (State.EXIT_ERROR, Move.EXIT_ERROR): State.EXIT_ERROR,
}


def identifiers() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"00000000-0000-4000-8000-{next(numbers):012}"


def extensions(*external: str) -> Extensions:
    return Extensions(identifiers(), external)


@pytest.mark.parametrize(("state", "move"), list(itertools.product(State, Move)))
def test_every_pair_of_state_and_move(state: State, move: Move) -> None:
    extension = Extension("x", "id", True, state)
    if (state, move) not in MOVES:
        with pytest.raises(Refused):
            extension.move(move)
    else:
        extension.move(move)
    assert extension.state is MOVES.get((state, move), state)


def test_an_external_one_registers_by_its_file_s_name() -> None:
    all_of_them = extensions("a", "b")
    registered = [all_of_them.are_registered]
    first = all_of_them.register("a", ["INVOKE", "SHUTDOWN", "INVOKE"])
    assert (first.is_external, first.state) == (True, State.REGISTERED)
    assert first.events == (Event.INVOKE, Event.SHUTDOWN)
    registered.append(all_of_them.are_registered)
    second = all_of_them.register("b", [])
    registered.append(all_of_them.are_registered)
    assert registered == [False, False, True]
    assert list(all_of_them) == [first, second]
    assert all_of_them.subscribed(Event.SHUTDOWN) == [first]


def test_any_other_name_makes_an_internal_one() -> None:
    all_of_them = extensions("a")
    internal = all_of_them.register("inside", ["INVOKE"])
    assert not internal.is_external
    assert (all_of_them.has_external, all_of_them.has_internal) == (True, True)
    assert [extension.name for extension in all_of_them] == ["a", "inside"]


def test_all_are_ready_when_each_has_asked_for_an_event() -> None:
    all_of_them = extensions("a", "b")
    for name in "ab":
        assert not all_of_them.are_ready
        all_of_them.register(name, ["SHUTDOWN"]).move(Move.NEXT)
    assert all_of_them.are_ready


@pytest.mark.parametrize(
    ("name", "events", "error_type", "message"),
    [
        ("", ["INVOKE"], "Extension.InvalidExtensionName", "Empty extension name"),
        ("a", ["SLEEP"], "Extension.InvalidEventType", "SLEEP: ErrorInvalidEventType"),
        ("inside", ["invoke"], "Extension.InvalidEventType", "invoke: ErrorInvalidEventType"),
        (
            "inside",
            ["INVOKE", "SHUTDOWN"],
            "Extension.InvalidEventType",
            "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension",
        ),
    ],
)
def test_what_can_t_be_registered_changes_nothing(name: str, events: list[str], error_type: str, message: str) -> None:
    all_of_them = extensions("a")
    with pytest.raises(Refused) as refused:
        all_of_them.register(name, events)
    assert (refused.value.error_type, refused.value.message) == (error_type, message)
    assert [(one.name, one.state, one.events) for one in all_of_them] == [("a", State.STARTED, ())]


def test_nobody_registers_twice() -> None:
    all_of_them = extensions("a")
    all_of_them.register("a", [])
    with pytest.raises(Refused) as refused:
        all_of_them.register("a", [])
    assert refused.value.error_type == "Extension.InvalidExtensionState"
    assert refused.value.message == (
        "State transition from Registered to Registered failed for extension a. Error: State transition is not allowed"
    )
    all_of_them.register("inside", [])
    with pytest.raises(Refused) as refused:
        all_of_them.register("inside", [])
    assert (refused.value.error_type, refused.value.message) == (
        "Extension.InvalidExtensionState",
        "Extension with this name already registered",
    )


def test_no_internal_one_registers_when_the_runtime_is_ready() -> None:
    all_of_them = extensions()
    all_of_them.close()
    with pytest.raises(Refused) as refused:
        all_of_them.register("late", [])
    assert (refused.value.error_type, refused.value.message) == (
        "Extension.RegistrationClosed",
        "Extension registration closed already",
    )
    assert not len(all_of_them)


def test_there_are_ten_at_most() -> None:
    all_of_them = extensions("a", "b")
    for number in range(8):
        all_of_them.register(f"inside-{number}", [])
    with pytest.raises(Refused) as refused:
        all_of_them.register("one-more", [])
    assert (refused.value.error_type, refused.value.message) == (
        "Extension.TooManyExtensions",
        "Extension limit (10) reached",
    )
    assert len(all_of_them) == 10


@pytest.mark.parametrize(
    ("identifier", "error_type", "message"),
    [
        (None, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"),
        ("", "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"),
        ("nonsense", "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"),
        (
            "00000000-0000-4000-8000-000000000009",
            "Extension.UnknownExtensionIdentifier",
            "Unknown extension 00000000-0000-4000-8000-000000000009",
        ),
    ],
)
def test_identifiers_that_are_nobody_s(identifier: str | None, error_type: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        extensions("a").find(identifier)
    assert (refused.value.error_type, refused.value.message) == (error_type, message)
    assert isinstance(refused.value, UnknownExtension) is (error_type == "Extension.UnknownExtensionIdentifier")


def test_an_extension_is_found_by_its_identifier() -> None:
    all_of_them = extensions("a")
    extension = all_of_them.register("a", [])
    assert all_of_them.find(extension.identifier) is extension
    assert all_of_them.find(extension.identifier.upper().replace("-", "")) is extension
    assert all_of_them.external("a") is extension


def test_of_the_errors_that_one_reports_the_first_stands() -> None:
    extension = extensions("a").register("a", [])
    extension.report(Move.INIT_ERROR, "Extension.First")
    extension.report(Move.INIT_ERROR, "Extension.Second")
    assert (extension.state, extension.error_type) == (State.INIT_ERROR, "Extension.First")
    with pytest.raises(Refused) as refused:
        extension.move(Move.NEXT)
    assert refused.value.message == (
        f"State transition from InitError to Ready failed for extension {extension.identifier}."
        " Error: State transition is not allowed"
    )
