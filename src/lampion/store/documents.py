"""How domain values become stored JSON and come back, typed.

A member added to a value later needs a default: documents written before don't have it. One that is removed is ignored.
"""

from typing import Final

import msgspec

from lampion.domain.function import Function

_ENCODER: Final = msgspec.json.Encoder()
_FUNCTION_DECODER: Final = msgspec.json.Decoder(Function)


def encode_function(function: Function) -> bytes:
    """Raises ValueError for text that UTF-8 can't hold (lone surrogates)."""
    return _ENCODER.encode(function)


def decode_function(document: bytes) -> Function:
    """Raises ValueError for a document that isn't a function."""
    return _FUNCTION_DECODER.decode(document)
