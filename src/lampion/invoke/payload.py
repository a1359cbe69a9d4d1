"""Whether a payload is JSON, decided without building objects, and AWS's words when it isn't. Pure.

Lambda parses with Jackson and passes its message on; the wording below is Jackson's.
"""

import re
from codecs import utf_8_decode

import msgspec

from lampion.domain.errors import InvalidRequestContentException

EMPTY = b"{}"
"""What a function gets when the caller sends no payload."""

_PIECE_BYTES = 64 * 1024
_SYNTAX = msgspec.json.Decoder(msgspec.Raw)
_SHOWN_BYTES = 500
_POSITION = re.compile(r" \(byte (\d+)\)$")
_WORD = re.compile(rb"[A-Za-z0-9_$.+-]+")
_VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

_EXPECTATIONS = (
    ("expected '\"'", "was expecting double-quote to start field name"),
    ("trailing comma in object", "was expecting double-quote to start field name"),
    ("expected ':'", "was expecting a colon to separate field name and value"),
    ("expected ',' or '}'", "was expecting comma to separate Object entries"),
    ("expected ',' or ']'", "was expecting comma to separate Array entries"),
)


class _NotUtf8(Exception):
    """The first byte that isn't UTF-8 is at `offset`."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def check_json(payload: bytes) -> None:
    """Raises InvalidRequestContentException when `payload` isn't one JSON text in UTF-8."""
    try:
        _SYNTAX.decode(payload)
        if not payload.isascii():
            _check_utf_8(payload)
    except RecursionError:
        raise _refusal("Document nesting depth (1001) exceeds the maximum allowed (1000)", payload, 1000) from None
    except _NotUtf8 as error:
        problem = f"Invalid UTF-8 start byte 0x{payload[error.offset]:x}"
        raise _refusal(problem, payload, error.offset + 1) from None
    except msgspec.DecodeError as error:
        if b"\\u" in payload and _is_lenient_json(payload):
            return  # a lone surrogate escape: odd, but RFC 8259 allows it and so does Lambda
        raise _explained(payload, str(error)) from None


def _check_utf_8(payload: bytes) -> None:
    """In pieces: a text of the whole would be larger than all caches, and cost more than twice as much."""
    view, offset, size = memoryview(payload), 0, len(payload)
    while offset < size:
        piece = view[offset : offset + _PIECE_BYTES]
        try:
            offset += utf_8_decode(piece, "strict", offset + len(piece) == size)[1]
        except UnicodeDecodeError as error:
            raise _NotUtf8(offset + error.start) from None


def _is_lenient_json(payload: bytes) -> bool:
    neutral = re.sub(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}", rb"\\u0020", payload)
    try:
        _SYNTAX.decode(neutral)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _explained(payload: bytes, problem: str) -> InvalidRequestContentException:
    position = _POSITION.search(problem)
    if position is None:
        return _end_of_input(payload)
    offset = int(position[1])
    word = _WORD.match(payload, _word_start(payload, offset))
    if word is not None and word[0][:1].isalpha() and "character" in problem.split(" (byte", maxsplit=1)[0]:
        token = word[0].decode("latin-1")
        return _refusal(f"Unrecognized token '{token}': was expecting {_VALUES}", payload, word.end())
    character = payload[offset : offset + 1].decode("latin-1")
    shown = f"Unexpected character ('{character}' (code {ord(character) if character else 0}))"
    for ours, jacksons in _EXPECTATIONS:
        if ours in problem:
            return _refusal(f"{shown}: {jacksons}", payload, offset + 1)
    return _refusal(f"{shown}: expected a valid value {_VALUES}", payload, offset + 1)


def _end_of_input(payload: bytes) -> InvalidRequestContentException:
    word = re.search(rb"[A-Za-z]+\Z", payload)
    if word is not None and not payload[: word.start()].strip():
        token = word[0].decode("latin-1")
        return _refusal(f"Unrecognized token '{token}': was expecting {_VALUES}", payload, len(payload))
    marker = {b"{": "expected close marker for Object", b"[": "expected close marker for Array"}
    opening = payload.lstrip()[:1]
    expectation = marker.get(opening, "was expecting closing quote for a string value")
    if opening in marker:
        start = len(payload) - len(payload.lstrip()) + 1
        expectation += f" (start marker at {_source(payload)}; line: 1, column: {start}])"
    return _refusal(f"Unexpected end-of-input: {expectation}", payload, len(payload))


def _word_start(payload: bytes, offset: int) -> int:
    while offset > 0 and payload[offset - 1 : offset].isalnum():
        offset -= 1
    return offset


def _refusal(problem: str, payload: bytes, consumed_bytes: int) -> InvalidRequestContentException:
    before = payload[:consumed_bytes]
    line = before.count(b"\n") + 1
    column = consumed_bytes - (before.rfind(b"\n") + 1) + 1
    return InvalidRequestContentException(
        "Could not parse request body into json: Could not parse payload into json: "
        f"{problem}\n at {_source(payload)}; line: {line}, column: {column}]"
    )


def _source(payload: bytes) -> str:
    shown = payload[:_SHOWN_BYTES].decode("utf-8", "replace")
    rest = len(payload) - _SHOWN_BYTES
    truncated = f"[truncated {rest} bytes]" if rest > 0 else ""
    return f'[Source: (byte[])"{shown}"{truncated}'
