"""Event stream messages, read back by botocore."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from lampion.aws.event_stream import encode_headers, frames, message
from lampion.aws.model import load_service
from lampion.aws.wire import Events

OPERATION = load_service("lambda").operations["InvokeWithResponseStream"]


@given(st.lists(st.tuples(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=50)), st.binary())))
def test_botocore_reads_what_was_meant(meant: list[tuple[dict[str, str], bytes]]) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(b"".join(message(encode_headers(headers), payload) for headers, payload in meant))
    assert [(read.headers, read.payload) for read in buffer] == meant


def test_a_message_as_the_specification_shows_it() -> None:
    """Amazon Event Stream specification, test vector `payload_one_str_header`."""
    expected = bytes.fromhex(
        "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e"
        "7b27666f6f273a27626172277d8d9c08b1"
    )
    assert message(encode_headers({"content-type": "application/json"}), b"{'foo':'bar'}") == expected


async def source(*events: tuple[str, Mapping[str, Any]]) -> AsyncGenerator[tuple[str, Mapping[str, Any]]]:
    for event in events:
        yield event


async def framed(*events: tuple[str, Mapping[str, Any]]) -> list[bytes]:
    return [frame async for frame in frames(OPERATION, Events(source(*events), close=lambda: None))]


async def test_each_event_is_one_message_of_its_shape() -> None:
    told = await framed(
        ("PayloadChunk", {"Payload": b"\0\xff"}), ("InvokeComplete", {"ErrorCode": "E", "ErrorDetails": None})
    )
    buffer = EventStreamBuffer()
    buffer.add_data(b"".join(told))
    assert [(read.headers, read.payload) for read in buffer] == [
        (
            {":message-type": "event", ":event-type": "PayloadChunk", ":content-type": "application/octet-stream"},
            b"\0\xff",
        ),
        (
            {":message-type": "event", ":event-type": "InvokeComplete", ":content-type": "application/json"},
            b'{"ErrorCode":"E"}',
        ),
    ]
    assert len(told) == 2


@pytest.mark.parametrize("event", [("Unknown", {}), ("InvokeComplete", {"Unknown": 1})])
async def test_what_the_model_does_not_have_is_a_mistake(event: tuple[str, Mapping[str, Any]]) -> None:
    with pytest.raises(ValueError, match="Unknown"):
        await framed(event)
