"""The stage knows of every operation how it is asked rightly, sees what it changes, and puts that back."""

from collections.abc import Iterator

import pytest

from tests.conformance.bad_requests.catalogue import Catalogue, service_model
from tests.conformance.bad_requests.changing import CHANGING, changes_something
from tests.conformance.bad_requests.known import KNOWN
from tests.conformance.bad_requests.oracle import NOT_BUILT
from tests.conformance.bad_requests.programme import SEED
from tests.conformance.bad_requests.stage import Stage
from tests.conformance.bad_requests.ways import WAYS
from tests.live_server import LiveServer, marked_directory
from tests.witness import rows

_CATALOGUE = Catalogue(known=KNOWN, seed=SEED, ways=WAYS)
_OF_MAPPINGS = ("UpdateEventSourceMapping", "DeleteEventSourceMapping")
_CHANGING_VERBS = (
    *("Add", "Create", "Delete", "Publish", "Put", "Remove", "Tag", "Untag", "Update"),
    *("Checkpoint", "Pause", "Resume", "Send", "Stop"),
)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with marked_directory() as root, LiveServer(data=root / "stage") as server:
        made = Stage(server)
        yield made
        made.close()


def test_every_operation_that_changes_something_is_named_for_it() -> None:
    names = service_model().operation_names
    assert {name for name in names if name.startswith(_CHANGING_VERBS)} == CHANGING
    others = set(names) - CHANGING
    assert all(name.startswith(("Get", "List", "Invoke")) for name in others)
    assert changes_something("POST", "SomethingNew")


@pytest.mark.parametrize("operation", sorted(rows().proofs))
def test_every_operation_is_asked_rightly_seen_and_put_back(stage: Stage, operation: str) -> None:
    changes = []
    for case in _CATALOGUE.asked_rightly(operation):
        if operation in _OF_MAPPINGS:
            stage.rest()
        answer = stage.send(case)
        assert 200 <= answer.status < 300 or answer.code == NOT_BUILT, f"{case}: {answer}"
        found = stage.changes()
        stage.reset()
        assert stage.changes() == []
        changes += found
    assert bool(changes) == (operation in CHANGING)


def test_ways_are_of_operations_that_are_there() -> None:
    assert {*KNOWN, *WAYS} <= {"", *rows().proofs}
