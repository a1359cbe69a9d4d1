import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lampion.aws.errors import ValidationException
from lampion.aws.model import Member, Operation, Shape
from lampion.aws.validator import validate

from .botocore_client import OPERATIONS, SERVICE, read_by_us

RECORDED = json.loads(Path(__file__).with_name("recorded_validation.json").read_text(encoding="utf-8"))
ROLE = "arn:aws:iam::123456789012:role/role"
MATCH = "Member must satisfy regular expression pattern: "
ENUM = "Member must satisfy enum value set: "
NOT_NULL = "Member must not be null"


def fault(value: str | None, at: str, constraint: str) -> str:
    """One error as AWS words it; a value of None is one that is not quoted."""
    shown = "" if value is None else f" {value}"
    return f"Value{shown} at '{at}' failed to satisfy constraint: {constraint}"


def length(size: int, comparison: str = "less") -> str:
    return f"Member must have length {comparison} than or equal to {size}"


def errors_of(operation: str, members: dict[str, Any]) -> list[str]:
    try:
        validate(SERVICE.operations[operation], members)
    except ValidationException as error:
        return taken_apart(error.message)
    return []


def taken_apart(message: str) -> list[str]:
    head, _, rest = message.partition(" detected: ")
    errors = rest.split("; ")
    assert head == ("1 validation error" if len(errors) == 1 else f"{len(errors)} validation errors")
    return errors


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: f"{case['case']}::{case['answer']}")
def test_a_recorded_refusal_is_refused_in_the_same_words(case: dict[str, Any]):
    with pytest.raises(ValidationException) as refused:
        read_by_us(case["operation"], case["members"])
    assert taken_apart(refused.value.message) == case["errors"]


@pytest.mark.parametrize("case", RECORDED["accepted"], ids=lambda case: case["case"])
def test_a_call_that_aws_let_pass_the_validation_passes_ours(case: dict[str, Any]):
    read_by_us(case["operation"], case["members"])


def create(**members: Any) -> dict[str, Any]:
    return {"FunctionName": "f", "Role": ROLE, "Code": {"ZipFile": b"zip"}, **members}


@pytest.mark.parametrize(
    ("operation", "members", "errors"),
    [
        ("CreateFunction", create(), []),
        ("CreateFunction", create(Runtime="python99", Nonsense=1), []),
        ("CreateFunction", {}, [fault("null", name, NOT_NULL) for name in ("functionName", "role", "code")]),
        (
            "CreateFunction",
            create(FunctionName=""),
            [
                fault("''", "functionName", length(1, "greater")),
                fault("''", "functionName", f"{MATCH}{SERVICE.shapes['FunctionName'].pattern}"),
            ],
        ),
        ("CreateFunction", create(Description="é" * 256), []),
        ("CreateFunction", create(Description="é" * 257), [fault(f"'{'é' * 257}'", "description", length(256))]),
        (
            "CreateFunction",
            create(MemorySize=127, Timeout=0),
            [
                fault("'0'", "timeout", "Member must have value greater than or equal to 1"),
                fault("'127'", "memorySize", "Member must have value greater than or equal to 128"),
            ],
        ),
        ("CreateFunction", create(PackageType="Tar"), [fault("'Tar'", "packageType", f"{ENUM}[Zip, Image]")]),
        (
            "CreateFunction",
            create(Environment={"Variables": {"A": "1"}}),
            [
                fault(
                    None,
                    "environment.variables",
                    f"Map keys must satisfy constraint: [{MATCH}[a-zA-Z]([a-zA-Z0-9_])+]",
                )
            ],
        ),
        (
            "CreateFunction",
            create(Layers=[""]),
            [
                fault(
                    "'[]'",
                    "layers",
                    f"Member must satisfy constraint: [{length(2048)}, {length(1, 'greater')}, "
                    f"{MATCH}{SERVICE.shapes['LayerVersionArn'].pattern}, {NOT_NULL}]",
                )
            ],
        ),
        (
            "CreateFunction",
            create(Architectures=["x86_64", "arm64"]),
            [fault("'[x86_64, arm64]'", "architectures", length(1))],
        ),
        (
            "CreateFunction",
            create(KMSKeyArn="k"),
            [fault("'k'", "kMSKeyArn", f"{MATCH}(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()")],
        ),
        (
            "CreateFunction",
            create(FileSystemConfigs=[{"LocalMountPath": "/tmp"}]),
            [
                fault("null", "fileSystemConfigs.1.member.arn", NOT_NULL),
                fault("'/tmp'", "fileSystemConfigs.1.member.localMountPath", f"{MATCH}/mnt/[a-zA-Z0-9-_.]+"),
            ],
        ),
        (
            "CreateEventSourceMapping",
            {"FunctionName": "f", "SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": []}}},
            [fault("'[]'", "selfManagedEventSource.endpoints.KAFKA_BOOTSTRAP_SERVERS.member", length(1, "greater"))],
        ),
        (
            "CreateEventSourceMapping",
            {"FunctionName": "f", "SelfManagedEventSource": {"Endpoints": {"x": ["a:1"]}}},
            [
                fault(
                    "'{x=[a:1]}'",
                    "selfManagedEventSource.endpoints",
                    f"Map keys must satisfy constraint: [{ENUM}[KAFKA_BOOTSTRAP_SERVERS]]",
                )
            ],
        ),
        (
            "TagResource",
            {"Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Tags": {"k": None}},
            [
                fault(
                    "'{k=null}'",
                    "tags",
                    f"Map value must satisfy constraint: [{length(256)}, {length(0, 'greater')}, "
                    rf"{MATCH}([\p{{L}}\p{{Z}}\p{{N}}_.:/=+\-@]*), {NOT_NULL}]",
                )
            ],
        ),
        (
            "Invoke",
            {"FunctionName": "f", "InvocationType": "Later", "Qualifier": "!"},
            [
                fault("'!'", "qualifier", rf"{MATCH}\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"),
                fault("'Later'", "invocationType", f"{ENUM}[DryRun, RequestResponse, Event]"),
            ],
        ),
        (
            "SendDurableExecutionCallbackSuccess",
            {"CallbackId": "A", "Result": b"x" * 1_048_577},
            [fault(None, "result", length(1_048_576))],
        ),
    ],
)
def test_constraints_in_aws_words(operation: str, members: dict[str, Any], errors: list[str]):
    assert errors_of(operation, members) == errors


@pytest.mark.parametrize(
    ("memory", "fine"), [(127, False), (128, True), (129, True), (32_767, True), (32_768, True), (32_769, False)]
)
def test_the_edges_of_a_range(memory: int, fine: bool):
    assert (errors_of("CreateFunction", create(MemorySize=memory)) == []) is fine


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_required_member_of_every_operation_is_asked_for(name: str):
    operation = SERVICE.operations[name]
    required = SERVICE.shapes[operation.input].required if operation.input else ()
    expected = {fault("null", f"{member[0].lower()}{member[1:]}", NOT_NULL) for member in required}
    assert set(errors_of(name, {})) == expected


def test_a_text_beyond_64_kib_is_not_matched_and_its_length_is_named():
    long = "x" * 70_000
    assert [error.rpartition(" ")[2] for error in errors_of("GetFunction", {"FunctionName": long})] == ["256"]
    unbounded = errors_of("CreateFunction", create(Environment={"Variables": {long: "1"}}))
    assert len(unbounded) == 1, "a key without a length limit is refused by its pattern"


@pytest.mark.parametrize(
    ("name", "fine"), [("f", True), ("f" * 256, True), ("no name", False), ("n o" * 60, False), ("n o" * 200, False)]
)
def test_who_asks_again_is_told_the_same(name: str, fine: bool):
    first, second = (errors_of("Invoke", {"FunctionName": name}) for _ in range(2))
    assert first == second
    assert (not first) is fine


def test_secrets_are_never_quoted():
    members = create(Environment={"Variables": {"bad-key": "the-secret-value"}})
    assert "the-secret-value" not in "".join(errors_of("CreateFunction", members))


def test_a_flood_of_faults_has_a_limit():
    members = {"FunctionName": "f", "SourceAccessConfigurations": [{"URI": ""}] * 5000}
    assert len(errors_of("CreateEventSourceMapping", members)) == 1000


def made_up(**shapes: Shape) -> Operation:
    return replace(SERVICE.operations["Invoke"], name="MadeUp", input="In", shapes=shapes)


def test_a_shape_that_holds_itself_is_checked_all_the_way_down():
    operation = made_up(
        In=Shape("structure", members={"Tree": Member("Tree")}),
        Tree=Shape("structure", members={"Leaf": Member("Leaf"), "Trees": Member("Forest")}, required=("Leaf",)),
        Forest=Shape("list", member="Tree"),
        Leaf=Shape("string", max=1),
    )
    with pytest.raises(ValidationException) as refused:
        validate(operation, {"Tree": {"Leaf": "a", "Trees": [{"Leaf": "b"}, {"Trees": [{"Leaf": "cc"}]}]}})
    assert taken_apart(refused.value.message) == [
        fault("null", "tree.trees.2.member.leaf", NOT_NULL),
        fault("'cc'", "tree.trees.2.member.trees.1.member.leaf", length(1)),
    ]


def test_a_null_among_structures_is_named():
    operation = made_up(
        In=Shape("structure", members={"All": Member("List")}),
        List=Shape("list", member="One"),
        One=Shape("structure"),
    )
    with pytest.raises(ValidationException, match=r"Value '\[null\]' at 'all' .*: \[Member must not be null\]"):
        validate(operation, {"All": [None]})
