"""The protocol of forms and XML, with botocore as the other side of the wire, over every operation of IAM and STS."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from botocore.awsrequest import HeadersDict
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from lampion.aws import query
from lampion.aws.errors import MalformedInput, MalformedQueryString, ValidationException
from lampion.aws.model import load_service
from lampion.domain.errors import ApiError

from .botocore_client import sample

SERVICES = ("iam", "sts")
EVERY = [(service, name) for service in SERVICES for name in sorted(load_service(service).operations)]
ROLE = load_service("iam").operations["CreateRole"]
SIMULATION = load_service("iam").operations["SimulateCustomPolicy"]

_serializer = create_serializer("query", include_validation=False)
_parser = create_parser("query")


@cache
def botocore_service(name: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def full(shape: Shape | None, seen: tuple[str, ...] = ()) -> Any:
    """As `sample`, of shapes that may contain themselves: those end after one turn."""
    if shape is None:
        return {}
    if shape.type_name == "structure":
        if shape.name in seen:
            return {}
        return {name: full(member, (*seen, shape.name)) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [full(shape.member, seen), full(shape.member, seen)]
    return {"k&<é": full(shape.value, seen)} if shape.type_name == "map" else sample(shape)


def seconds(value: Any) -> Any:
    """As our side has moments."""
    if isinstance(value, dict):
        return {key: seconds(one) for key, one in value.items()}
    if isinstance(value, list):
        return [seconds(one) for one in value]
    return value.timestamp() if isinstance(value, datetime) else value


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_what_botocore_sends_is_read(service: str, name: str) -> None:
    model = botocore_service(service).operation_model(name)
    members = full(model.input_shape)
    body = urlencode(_serializer.serialize_to_request(members, model)["body"]).encode()
    fields = query.fields_of(body)
    assert fields["Action"] == name
    assert query.parse(load_service(service).operations[name], fields) == members


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_what_is_answered_botocore_reads(service: str, name: str) -> None:
    ours, model = load_service(service), botocore_service(service).operation_model(name)
    output = full(model.output_shape)
    body = query.serialize(ours, ours.operations[name], output, "the-id")
    read = _parser.parse({"status_code": 200, "headers": HeadersDict(), "body": body}, model.output_shape)
    assert read.pop("ResponseMetadata")["RequestId"] == "the-id"
    assert seconds(read) == output


class NoSuchEntityException(ApiError):
    fault = MalformedInput.fault


def test_an_error_has_the_protocols_name_for_it() -> None:
    body = query.serialize_error(
        load_service("iam"), NoSuchEntityException("no <such>\x00 thing"), "NoSuchEntity", "id"
    )
    read = _parser.parse({"status_code": 404, "headers": HeadersDict(), "body": body}, None)
    assert read["Error"] == {"Type": "Sender", "Code": "NoSuchEntity", "Message": "no <such>  thing"}
    assert load_service("iam").shapes["NoSuchEntityException"].error_code == "NoSuchEntity"


def test_a_member_that_the_model_doesnt_have_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="Nonsense"):
        query.serialize(load_service("iam"), ROLE, {"Role": {"Nonsense": 1}}, "id")


@pytest.mark.parametrize(
    "body",
    [
        b"Action",
        b"\xff",
        b"a=%ff",
        b"a=%",
        b"a=1%4",
        b"a=%zz",
        b"a=1&b=2&a=1",
        b"&".join(b"a%d=1" % number for number in range(5001)),
    ],
    ids=repr,
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedQueryString):
        query.fields_of(body)


@pytest.mark.parametrize(
    "fields",
    [
        {"MaxSessionDuration": "long"},
        {"MaxSessionDuration.member.1": "3600"},
        {"Tags": "text"},
        {"Tags.member": "text"},
        {"Tags.member.one.Key": "text"},
        {"Tags.member.-1.Key": "text"},
        {"Tags.member.1": "text"},
        {"Tags.member.1.Key": "text", "Tags.member.1": "text"},
        {"Tags.member.1": "text", "Tags.member.1.Key": "text"},
        {"Tags" + ".member.1" * 20: "text"},
        {"RoleName.": "text"},
    ],
    ids=repr,
)
def test_values_of_the_wrong_type_are_refused(fields: Mapping[str, str]) -> None:
    with pytest.raises(MalformedInput):
        query.parse(ROLE, fields)


def test_a_list_is_in_the_order_of_its_numbers_and_may_be_empty() -> None:
    fields = {f"ActionNames.member.{number}": str(number) for number in (10, 9, 2)}
    assert query.parse(SIMULATION, fields)["ActionNames"] == ["2", "9", "10"]
    assert query.parse(SIMULATION, {"ActionNames": ""})["ActionNames"] == []


names = st.text(st.sampled_from("Tagsmember.1RoleNameKeyÄ"), max_size=20) | st.sampled_from(
    ("RoleName", "Tags.member.1.Key", "Tags.member.1", "Tags", "Tags.member", "MaxSessionDuration")
)


@given(st.dictionaries(names, st.text(max_size=10), max_size=6))
def test_any_form_is_read_or_refused(fields: dict[str, str]) -> None:
    try:
        members = query.parse(ROLE, query.fields_of(urlencode({"Action": "CreateRole", **fields}).encode()))
    except (MalformedInput, MalformedQueryString, ValidationException):
        return
    assert members.keys() <= load_service("iam").shapes[ROLE.input or ""].members.keys()


@given(st.text())
def test_any_text_can_be_answered(text: str) -> None:
    clean = text.encode("utf-8", "ignore").decode()
    body = query.serialize(load_service("iam"), ROLE, {"Role": {"Description": clean}}, "id")
    assert ET.fromstring(body) is not None
