"""GET /_lampion/status: which server this is, and what is failing, with the reasons that the health door keeps back."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

import lampion
from lampion.clock.clock import Clock
from lampion.console.view import Asked
from lampion.telemetry.health import Health


class StatusView:
    """What `lampion status` shows."""

    path = re.compile(r"/_lampion/status()")
    methods: Mapping[str, int] = MappingProxyType({"GET": 0})

    def __init__(self, *, health: Health, clock: Clock) -> None:
        self._health = health
        self._clock = clock

    async def answer(self, asked: Asked) -> bytes:
        problems, now = self._health.problems, self._clock.now()
        status: dict[str, Any] = {
            "status": "failing" if problems else "ok",
            "version": lampion.__version__,
            "account_id": asked.account_id,
            "region": asked.region,
            "problems": [
                {"name": one.name, "reason": one.reason, "seconds": round(max(0.0, now - one.since), 1)}
                for one in problems
            ],
        }
        return msgspec.json.encode(status)
