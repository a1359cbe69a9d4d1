"""How domain values become stored JSON and come back, typed.

A member added to a value later needs a default: documents written before don't have it. One that is removed is ignored.
"""

import threading
from functools import cache
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")

_ENCODER: Final = msgspec.json.Encoder()
_ONE_AT_A_TIME: Final = threading.Lock()
"""msgspec notes what it knows of a class at the class, before it knows all: who meets that then reads wild memory."""


def encode(value: object) -> bytes:
    """Raises ValueError for text that UTF-8 can't hold (lone surrogates)."""
    return _ENCODER.encode(value)


def decode(document: bytes, shape: type[T]) -> T:
    """Raises ValueError for a document that is something else."""
    key: Any = shape
    value: T = _decoder(key).decode(document)
    return value


@cache
def _decoder(shape: Any) -> "msgspec.json.Decoder[Any]":
    with _ONE_AT_A_TIME:
        return msgspec.json.Decoder(shape)
