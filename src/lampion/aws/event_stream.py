"""Events of a stream as bytes: application/vnd.amazon.eventstream (Smithy specification, "Amazon Event Stream"). Pure.

A message is: its length, its headers' length, a CRC-32 of both; headers; payload; a CRC-32 of everything before it.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from functools import cache
from struct import Struct
from typing import Any, Final
from zlib import crc32

import msgspec

from lampion.aws.model import Operation
from lampion.aws.serializer import structure_writer
from lampion.aws.wire import Events

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"

_PRELUDE: Final = Struct(">II")
_CHECKSUM: Final = Struct(">I")
_STRING: Final = b"\x07"
_PRELUDE_BYTES: Final = _PRELUDE.size + _CHECKSUM.size

Payload = Callable[[Mapping[str, Any]], bytes]


async def frames(operation: Operation, events: Events) -> AsyncGenerator[bytes]:
    """Each event as a message. Raises ValueError for one that the model doesn't have."""
    known = _events(operation)
    async with aclosing(events.source) as source:
        async for name, members in source:
            if name not in known:
                raise ValueError(f"{operation.name} streams no {name}")
            headers, payload = known[name]
            yield message(headers, payload(members))


def message(headers: bytes, payload: bytes) -> bytes:
    """One message of encoded `headers` (see `encode_headers`) and a payload."""
    prelude = _PRELUDE.pack(_PRELUDE_BYTES + len(headers) + len(payload) + _CHECKSUM.size, len(headers))
    head = prelude + _CHECKSUM.pack(crc32(prelude)) + headers
    return b"".join((head, payload, _CHECKSUM.pack(crc32(payload, crc32(head)))))


def encode_headers(headers: Mapping[str, str]) -> bytes:
    """Headers that are strings, which all headers of events are."""
    pairs = ((name.encode(), value.encode()) for name, value in headers.items())
    return b"".join(
        len(name).to_bytes(1, "big") + name + _STRING + len(value).to_bytes(2, "big") + value for name, value in pairs
    )


@cache
def _events(operation: Operation) -> Mapping[str, tuple[bytes, Payload]]:
    """By name, the headers of each event of the operation's stream, and what makes the payload of its members."""
    shapes = operation.shapes
    assert operation.output is not None
    output = shapes[operation.output]
    assert output.payload is not None
    stream = shapes[output.members[output.payload].shape]
    return {name: _event(name, member.shape, operation) for name, member in stream.members.items()}


def _event(name: str, shape: str, operation: Operation) -> tuple[bytes, Payload]:
    members = operation.shapes[shape].members
    whole = next((key for key, member in members.items() if member.eventpayload), None)
    is_blob = whole is not None and operation.shapes[members[whole].shape].type == "blob"
    content_type = "application/octet-stream" if is_blob else "application/json"
    headers = encode_headers({":message-type": "event", ":event-type": name, ":content-type": content_type})
    if whole is None:
        return headers, _json(structure_writer(shape, operation.shapes))
    if not is_blob:
        raise ValueError(f"{shape}.{whole}: payloads of events are blobs; others are not known here")
    key = whole
    return headers, lambda event: bytes(event[key])


def _json(write: Callable[[Any], Any]) -> Payload:
    return lambda event: msgspec.json.encode(write(event))
