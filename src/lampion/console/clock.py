"""GET and POST /_lampion/clock: how far the server's clock is ahead, and advancing it where that is allowed."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from lampion.clock.adjustable import AdjustableClock
from lampion.clock.clock import Clock
from lampion.console.view import Asked


class _Advance(msgspec.Struct, forbid_unknown_fields=True):
    advance_seconds: float


class ClockView:
    """What `lampion clock` shows and moves. `adjustable` is None where the clock is the machine's."""

    path = re.compile(r"/_lampion/clock()")
    methods: Mapping[str, int] = MappingProxyType({"GET": 0, "POST": 1024})

    def __init__(self, *, adjustable: AdjustableClock | None, machine: Clock) -> None:
        self._adjustable = adjustable
        self._machine = machine

    async def answer(self, asked: Asked) -> bytes:
        if asked.method == "POST":
            await self._advance(asked.body)
        clock = self._adjustable or self._machine
        told = {
            "adjustable": self._adjustable is not None,
            "ahead_seconds": 0.0 if self._adjustable is None else round(self._adjustable.ahead_seconds, 3),
            "now": clock.now(),
        }
        return msgspec.json.encode(told)

    async def _advance(self, body: bytes) -> None:
        if self._adjustable is None:
            raise ValueError("the clock of this server can't be advanced: it was started without --clock adjustable")
        try:
            wanted = msgspec.json.decode(body, type=_Advance)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f'wanted is {{"advance_seconds": NUMBER}}: {error}') from None
        await self._adjustable.advance(wanted.advance_seconds)
