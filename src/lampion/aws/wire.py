"""What leaves by the wire: status, headers, body."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Events:
    """What a handler gives as an event stream: members of the stream's shape, one after another.

    `close` is called when nobody takes them any more, and ends `source`.
    """

    source: AsyncGenerator[tuple[str, Mapping[str, Any]]]
    close: Callable[[], object]


class WireAnswer(msgspec.Struct, frozen=True):
    """An HTTP answer. Header names are spelled as AWS spells them. With `events`, they are its body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    events: Events | None = None
