import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from lampion.aws.compile import TABLES
from lampion.aws.model import build_service
from lampion.aws.overrides import Override, load_overrides

from .botocore_client import SERVICE, botocore_service

TABLE = TABLES.joinpath("lambda.json").read_bytes()


def test_the_model_has_what_botocore_has():
    theirs = botocore_service()
    assert sorted(SERVICE.operations) == sorted(theirs.operation_names)
    for name, operation in SERVICE.operations.items():
        model = theirs.operation_model(name)
        assert (operation.method, operation.uri, operation.status) == (
            model.http["method"],
            model.http["requestUri"],
            model.http["responseCode"],
        )
        assert operation.errors == tuple(sorted(shape.name for shape in model.error_shapes))
    assert SERVICE.paginators["ListFunctions"].result_key == "Functions"


def test_every_reference_between_shapes_leads_to_a_shape():
    for shape in SERVICE.shapes.values():
        named = [member.shape for member in shape.members.values()] + [shape.member, shape.key, shape.value]
        assert all(name in SERVICE.shapes for name in named if name)
        assert set(shape.required) <= shape.members.keys()


def test_errors_know_their_status_and_how_they_spell_their_message():
    not_found = SERVICE.error("ResourceNotFoundException")
    conflict = SERVICE.error("ResourceConflictException")
    assert not_found is not None
    assert conflict is not None
    assert (not_found.error_status, not_found.message_member) == (404, "Message")
    assert (conflict.error_status, conflict.message_member) == (409, "message")
    assert SERVICE.error("FunctionConfiguration") is None
    assert SERVICE.error("Nonsense") is None


def test_values_of_the_model_are_frozen():
    with pytest.raises(FrozenInstanceError):
        SERVICE.shapes["RoleArn"].pattern = ".*"  # type: ignore[misc]


def test_every_override_changes_something_and_names_its_recording():
    plain = build_service(TABLE, ())
    overrides = load_overrides()["lambda"]
    assert len(overrides) >= 9
    for override in overrides:
        assert override.recording.startswith("test_lambda")
        assert build_service(TABLE, (override,)).shapes != plain.shapes


def test_an_override_of_one_member_leaves_the_others_of_that_shape_alone():
    model = build_service(TABLE, (Override("ListLayersRequest.CompatibleRuntime", "case", {"enum": ("java1",)}),))
    member = model.shapes["ListLayersRequest"].members["CompatibleRuntime"]
    assert model.shapes[member.shape].enum == ("java1",)
    assert "python3.12" in model.shapes[member.shape].accepted
    assert "python3.12" in model.shapes["Runtime"].enum


@pytest.mark.parametrize("of", ["Nonsense", "ListLayersRequest.Nonsense", "RoleArn.member"])
def test_an_override_of_nothing_is_refused(of: str):
    with pytest.raises(ValueError, match="not in the model"):
        build_service(TABLE, (Override(of, "case", {"min": 1}),))


def test_serving_needs_no_botocore():
    program = (
        "import sys, pkgutil, importlib, lampion.aws\n"
        "names = [m.name for m in pkgutil.iter_modules(lampion.aws.__path__)]\n"
        "[importlib.import_module(f'lampion.aws.{name}') for name in names]\n"
        "from lampion.aws.model import load_service\n"
        "load_service('lambda')\n"
        "print([name for name in sys.modules if name.startswith('boto')])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
