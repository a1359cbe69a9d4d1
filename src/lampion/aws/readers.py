"""Readers of decoded JSON by shape: the value, or SerializationException in AWS's words. Constraints come later."""

import binascii
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from lampion.aws import timestamps
from lampion.aws.errors import SerializationException
from lampion.aws.model import Shape

Reader = Callable[[Any], Any]
Shapes = Mapping[str, Shape]

RANGES: Final = {"integer": 2**31, "long": 2**63}
_NAMES: Final = {
    "integer": "an Integer",
    "long": "a Long",
    "double": "a Double",
    "float": "a Float",
    "boolean": "a Boolean",
    "string": "a String",
    "blob": "a Blob",
    "timestamp": "milliseconds since epoch",
}


def decode_json(body: bytes) -> Any:
    """The JSON document in `body`: strict UTF-8, no repeated keys, no NaN. Raises SerializationException."""
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise SerializationException("Could not parse request body into json") from None


def body_reader(name: str, shapes: Shapes, known: dict[str, Reader] | None = None) -> Reader:
    """A reader of decoded JSON for shape `name`. `known` carries the readers made so far, for recursive shapes."""
    known = {} if known is None else known
    if name not in known:
        shape = shapes[name]
        if shape.type in _COMPOUND:
            made: list[Reader] = []
            known[name] = _deferred(made)
            made.append(_COMPOUND[shape.type](shape, shapes, known))
            known[name] = made[0]
        else:
            known[name] = SCALARS[shape.type]
    return known[name]


def _deferred(made: list[Reader]) -> Reader:
    def read(value: Any) -> Any:
        return made[0](value)

    return read


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("repeated key")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constant)


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    return "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"


def refuse(value: Any, type_name: str) -> NoReturn:
    """Raises SerializationException: `value` is no `type_name`."""
    if isinstance(value, dict):
        raise SerializationException("Start of structure or map found where not expected.")
    if isinstance(value, list):
        raise SerializationException("Start of list found where not expected")
    raise SerializationException(f"{_token(value)} can not be converted to {_NAMES[type_name]}")


def _read_string(value: Any) -> str:
    if not isinstance(value, str):
        refuse(value, "string")
    if not value.isascii():
        _refuse_surrogates(value)
    return value


def _refuse_surrogates(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SerializationException("Could not parse request body into json") from None


def _whole_number(type_name: str) -> Reader:
    limit = RANGES[type_name]

    def read(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not -limit <= value < limit:
            refuse(value, type_name)
        return value

    return read


def _real_number(type_name: str) -> Reader:
    def read(value: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            refuse(value, type_name)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            refuse(value, type_name)
        return number

    return read


def _read_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        refuse(value, "boolean")
    return value


def _read_blob(value: Any) -> bytes:
    if not isinstance(value, str):
        refuse(value, "blob")
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError:
        raise SerializationException("Blob is not valid base64") from None


def _read_timestamp(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        refuse(value, "timestamp")
    try:
        return timestamps.from_text(value) if isinstance(value, str) else timestamps.from_unix(value)
    except (ValueError, OverflowError):
        refuse(value, "timestamp")


def _structure_reader(shape: Shape, shapes: Shapes, known: dict[str, Reader]) -> Reader:
    readers = {
        member.wire_name or name: (name, body_reader(member.shape, shapes, known))
        for name, member in shape.members.items()
        if member.location is None
    }

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            if isinstance(value, list):
                raise SerializationException("Start of list found where not expected")
            raise SerializationException("Unexpected field type")
        members = {}
        for wire_name, item in value.items():
            known_member = readers.get(wire_name)
            if known_member is not None and item is not None:
                members[known_member[0]] = known_member[1](item)
        return members

    return read


def _list_reader(shape: Shape, shapes: Shapes, known: dict[str, Reader]) -> Reader:
    element = body_reader(shape.member, shapes, known)

    def read(value: Any) -> list[Any]:
        if isinstance(value, dict):
            raise SerializationException("Start of structure or map found where not expected.")
        if not isinstance(value, list):
            raise SerializationException("Expected list or null")
        return [None if item is None else element(item) for item in value]

    return read


def _map_reader(shape: Shape, shapes: Shapes, known: dict[str, Reader]) -> Reader:
    item_reader = body_reader(shape.value, shapes, known)

    def read(value: Any) -> dict[str, Any]:
        if isinstance(value, list):
            raise SerializationException("Start of list found where not expected")
        if not isinstance(value, dict):
            raise SerializationException("Expected map or null")
        return {_read_string(key): None if item is None else item_reader(item) for key, item in value.items()}

    return read


_COMPOUND: Final[dict[str, Callable[[Shape, Shapes, dict[str, Reader]], Reader]]] = {
    "structure": _structure_reader,
    "list": _list_reader,
    "map": _map_reader,
}
SCALARS: Final[dict[str, Reader]] = {
    "string": _read_string,
    "integer": _whole_number("integer"),
    "long": _whole_number("long"),
    "double": _real_number("double"),
    "float": _real_number("float"),
    "boolean": _read_boolean,
    "blob": _read_blob,
    "timestamp": _read_timestamp,
}
