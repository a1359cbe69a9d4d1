"""botocore as the other side of the wire: requests as it sends them, answers as it reads them, and sample values."""

import io
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

from botocore.awsrequest import HeadersDict
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from lampion.aws.model import load_service
from lampion.aws.parser import parse
from lampion.aws.router import Router
from lampion.aws.validator import validate
from lampion.aws.wire import WireAnswer

SERVICE = load_service("lambda")
ROUTER = Router(SERVICE)
OPERATIONS = sorted(SERVICE.operations)

_serializer = create_serializer("rest-json", include_validation=False)
_parser = create_parser("rest-json")


@cache
def botocore_service() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("lambda", "service-2"), "lambda")


def botocore_operation(name: str) -> OperationModel:
    return botocore_service().operation_model(name)


@dataclass(frozen=True)
class WireRequest:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


def request_of(operation: str, members: dict[str, Any]) -> WireRequest:
    """The request that botocore sends, without its own checks of the parameters."""
    made = _serializer.serialize_to_request(members, botocore_operation(operation))
    path, _, fixed_query = made["url_path"].partition("?")
    query = [fixed_query] if fixed_query else []
    for key, value in made["query_string"].items():
        values = value if isinstance(value, list) else [value]
        query += [f"{quote(key, safe='-_.~')}={quote(str(item), safe='-_.~')}" for item in values]
    body = made["body"]
    headers = {name.lower(): value for name, value in made["headers"].items()}
    return WireRequest(made["method"], path, "&".join(query), headers, body.encode() if isinstance(body, str) else body)


def read_by_us(operation: str, members: dict[str, Any]) -> dict[str, Any]:
    """The members that our side reads out of botocore's request, validated."""
    sent = request_of(operation, members)
    match = ROUTER.match(sent.method, sent.path, sent.query)
    assert match is not None, f"{sent.method} {sent.path} leads nowhere"
    assert match.operation.name == operation
    read = parse(match.operation, match.labels, sent.query, sent.headers, sent.body)
    validate(match.operation, read)
    return read


def read_by_botocore(answer: WireAnswer, operation: str) -> dict[str, Any]:
    """What botocore makes of our answer."""
    model = botocore_operation(operation)
    output = model.output_shape
    streams = model.has_streaming_output and answer.status < 400
    body = io.BytesIO(answer.body) if streams else answer.body
    response = {"status_code": answer.status, "headers": HeadersDict(dict(answer.headers)), "body": body}
    parsed: dict[str, Any] = _parser.parse(response, output)
    if answer.status >= 400:
        error_shape = botocore_service().shape_for_error_code(parsed["Error"]["Code"])
        if error_shape is not None:
            parsed.update(_parser.parse(response, error_shape))
    return {key: value.read() if isinstance(value, io.IOBase) else value for key, value in parsed.items()}


_SCALARS = {"integer": 7, "long": 8, "double": 2.5, "float": 2.5, "boolean": True, "timestamp": 1_700_000_000.0}


def sample(shape: Shape) -> Any:
    """A value that uses every member of `shape`, whatever the constraints. Timestamps are seconds."""
    if shape.type_name == "structure":
        return {name: sample(member) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [sample(shape.member), sample(shape.member)]
    if shape.type_name == "map":
        return {"key é": sample(shape.value)}
    if shape.type_name == "string":
        return shape.enum[-1] if shape.enum else "a/b:c 100% é+"
    return b"\x00\xffbytes" if shape.type_name == "blob" else _SCALARS[shape.type_name]
