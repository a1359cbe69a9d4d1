"""Whether an accepted request's answer, and an error's status, are those of the service model. Pure."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from tests.conformance.bad_requests.case import HttpRequest
from tests.conformance.bad_requests.catalogue import service_model

_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
}


@cache
def _operation(name: str) -> OperationModel:
    return service_model().operation_model(name)


def misfits(name: str, request: HttpRequest, status: int, body: bytes) -> Iterator[str]:
    """What of an answer that isn't an error doesn't belong to the operation.

    Nothing when the request doesn't reach it: an empty label makes another path, and so another operation.
    """
    operation = _operation(name)
    if not _path(operation.http["requestUri"]).fullmatch(request.target.partition("?")[0]):
        return
    shape = operation.output_shape
    members = shape.members.values() if shape is not None else ()
    promised = operation.http.get("responseCode", 200)
    tells_status = any(member.serialization.get("location") == "statusCode" for member in members)
    if status != promised and not tells_status:
        yield f"the status of {name} is {promised}"
    if shape is not None and shape.serialization.get("payload"):
        return
    try:
        document = json.loads(body) if body else {}
    except ValueError:
        yield "an answer that isn't JSON"
        return
    if shape is not None:
        yield from _misfits(shape, document, "answer")
    elif document:
        yield f"{name} has no answer"


def misfit_status(code: str, status: int) -> Iterator[str]:
    """Whether a modelled error has another status than the model's."""
    shape = _errors().get(code)
    if shape is not None and shape.metadata.get("error", {}).get("httpStatusCode", status) != status:
        yield f"{code} has status {shape.metadata['error']['httpStatusCode']}"


@cache
def _errors() -> dict[str, Shape]:
    return {shape.name: shape for shape in service_model().error_shapes}


@cache
def _path(uri: str) -> re.Pattern[str]:
    """The paths of one operation: a label is one segment, or with a plus any number."""
    parts = re.split(r"(\{[^}]+\})", uri.partition("?")[0])
    labels = (
        re.escape(part) if not part.startswith("{") else ".+" if part.endswith("+}") else "[^/]+" for part in parts
    )
    return re.compile("".join(labels))


def _misfits(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if value is None:
        return
    wanted = _JSON_TYPES[shape.type_name]
    is_wanted = isinstance(value, wanted)
    if not is_wanted or (isinstance(value, bool) and bool not in wanted):
        yield f"{path} isn't of type {shape.type_name}"
    elif isinstance(shape, StructureShape):
        yield from _structure_misfits(shape, value, path)
    elif isinstance(shape, ListShape):
        for part in value:
            yield from _misfits(shape.member, part, f"{path}[]")
    elif isinstance(shape, MapShape):
        for part in value.values():
            yield from _misfits(shape.value, part, f"{path}.*")


def _structure_misfits(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[str]:
    members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
    for name, part in value.items():
        if name in members:
            yield from _misfits(members[name], part, f"{path}.{name}")
        else:
            yield f"{path}.{name} isn't in the model"
    for name in shape.required_members:
        member = shape.members[name]
        if "location" not in member.serialization and member.serialization.get("name", name) not in value:
            yield f"{path}.{name} is missing"
