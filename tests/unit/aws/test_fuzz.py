"""No input makes the wire raise anything but an ApiError."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lampion.aws.errors import SerializationException, ValidationException, serialize_error
from lampion.aws.parser import parse
from lampion.aws.sigv4 import Verifier, check
from lampion.aws.validator import validate
from lampion.domain.errors import ApiError

from .botocore_client import OPERATIONS, ROUTER, SERVICE, botocore_operation, sample

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800") | st.just("YWJj"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
latin_text = st.text(st.characters(max_codepoint=255), max_size=40)
queries = st.one_of(latin_text, st.text(st.sampled_from("&=%+a0M%FFé"), max_size=30))


def names_of(operation: str) -> list[str]:
    shape = SERVICE.operations[operation].input
    return list(SERVICE.shapes[shape].members) if shape else []


@st.composite
def bodies(draw: st.DrawFn, operation: str) -> bytes:
    """Raw bytes, or JSON whose members have the operation's names and any values."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=40))
    members = draw(st.dictionaries(st.sampled_from(names_of(operation) or ["x"]), json_values, max_size=4))
    return json.dumps(members).encode()


def answered(error: ApiError) -> None:
    """Whatever is refused can also be said to the caller."""
    answer = serialize_error(SERVICE, error, "r")
    assert 400 <= answer.status < 500
    assert msgspec.json.decode(answer.body)


@given(
    st.sampled_from(["GET", "POST", "PUT", "x"]),
    latin_text | st.text(st.sampled_from("/%{}.2aA"), max_size=40),
    queries,
)
def test_any_path_is_routed_or_not(method: str, path: str, query: str):
    for whole in (path, f"/2015-03-31/functions/{path}"):
        match = ROUTER.match(method, whole, query)
        assert match is None or match.operation.method == method


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_request_is_read_or_refused(data: st.DataObject):
    name = data.draw(st.sampled_from(OPERATIONS))
    operation = SERVICE.operations[name]
    labels = {label: data.draw(latin_text) for label in names_of(name)}
    headers = {"x-amz-invocation-type": data.draw(latin_text), "x-amz-log-type": data.draw(latin_text)}
    wire_names = [f"{label}={data.draw(queries)}" for label in names_of(name)[:3]]
    query = "&".join([*wire_names, data.draw(queries)])
    try:
        members = parse(operation, labels, query, headers, data.draw(bodies(name)))
        validate(operation, members)
    except (SerializationException, ValidationException) as error:
        answered(error)


def replaced_somewhere(draw: Callable[[Any], Any], value: Any) -> Any:
    """`value` with one part of it, at any depth, put out of shape."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: replaced_somewhere(draw, value[key])}
    if isinstance(value, list) and value and draw(st.booleans()):
        return [replaced_somewhere(draw, value[0]), *value[1:]]
    return draw(json_values)


def as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return "YWJj" if isinstance(value, bytes) else value


BODIED = [name for name in OPERATIONS if SERVICE.operations[name].method in {"POST", "PUT"}]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_whole_request_with_one_part_out_of_shape_is_read_or_refused(data: st.DataObject):
    name = data.draw(st.sampled_from(BODIED))
    operation = SERVICE.operations[name]
    whole = as_json(sample(botocore_operation(name).input_shape))
    body = json.dumps(replaced_somewhere(data.draw, whole)).encode()
    try:
        validate(operation, parse(operation, dict.fromkeys(names_of(name), "x"), "", {}, body))
    except (SerializationException, ValidationException) as error:
        answered(error)


AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=A/20261121/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=" + "0" * 64
)
QUERY = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20261121%2Fus-east-1%2Flambda%2Faws4_request"
    "&X-Amz-Date=20261121T040000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature=" + "0" * 64
)


@st.composite
def damaged(draw: st.DrawFn, text: str) -> str:
    at = draw(st.integers(0, len(text)))
    end = draw(st.integers(at, len(text)))
    return text[:at] + draw(latin_text) + text[end:]


@settings(max_examples=300, deadline=None)
@given(
    latin_text,
    st.one_of(st.just(""), queries, damaged(QUERY)),
    st.fixed_dictionaries(
        {"host": latin_text},
        optional={
            "authorization": st.one_of(latin_text, damaged(AUTHORIZATION)),
            "x-amz-date": st.one_of(latin_text, st.just("20261121T040000Z"), damaged("20261121T040000Z")),
            "date": st.one_of(latin_text, damaged("Sat, 21 Nov 2026 04:00:00 GMT")),
            "x-amz-content-sha256": latin_text,
        },
    ),
    st.sampled_from(["", "sécret", "x" * 40]),
)
def test_any_signature_is_refused_and_nothing_breaks(path: str, query: str, headers: dict[str, str], secret: str):
    with contextlib.suppress(ApiError):
        claim = Verifier("us-east-1").read_credential("GET", path, query, headers, 1_795_233_600.0)
        check(claim, secret, b"")
        raise AssertionError("accepted")
