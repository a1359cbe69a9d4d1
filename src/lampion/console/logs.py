"""GET /_lampion/logs/<function>: the log of a function, to read on from a cursor; waits for news when asked to."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from lampion.clock.clock import Clock
from lampion.console.view import Asked
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import ResourceNotFoundException
from lampion.function_logs.journal import FunctionLogs, LogEvent, LogGroup
from lampion.store.functions import Functions

PAGE_EVENTS = 1000
WAIT_SECONDS_MAX = 25.0
_POLL_SECONDS = 0.1


class LogsView:
    """What `lampion logs` shows."""

    path = re.compile(r"/_lampion/logs/([^/]{1,200})")
    methods: Mapping[str, int] = MappingProxyType({"GET": 0})

    def __init__(self, *, functions: Functions, logs: FunctionLogs, clock: Clock) -> None:
        self._functions = functions
        self._logs = logs
        self._clock = clock

    async def answer(self, asked: Asked) -> bytes:
        """A page: `events` and the cursor to go on from, `next`.

        The query may hold `after` (cursor), `since` (epoch milliseconds), `wait` (seconds). Raises ValueError for
        values that aren't numbers, ResourceNotFoundException for a name without function or log.
        """
        query = dict(parse_qsl(asked.query))
        try:
            after, since = int(query.get("after", "0")), int(query.get("since", "0"))
            wait_seconds = min(float(query.get("wait", "0")), WAIT_SECONDS_MAX)
        except ValueError as error:
            raise ValueError(f"after, since and wait are numbers: {error}") from None
        group = await self._group(FunctionKey(asked.account_id, asked.region, unquote(asked.about)))
        events = await self._events(group, after, since, wait_seconds)
        page: dict[str, Any] = {"events": events, "next": events[-1].cursor if events else after}
        return msgspec.json.encode(page)

    async def _group(self, key: FunctionKey) -> LogGroup:
        """The group that the function logs to; a function that is gone has left its log under the default name.

        Raises ResourceNotFoundException when there is neither function nor log.
        """
        function = await self._functions.get(key)
        if function is not None:
            return LogGroup(key.account_id, key.region, function.configuration.logging.log_group)
        group = LogGroup(key.account_id, key.region, f"/aws/lambda/{key.name}")
        if await self._logs.last_cursor(group) == 0:
            raise ResourceNotFoundException(f"Function not found: {key.arn}")
        return group

    async def _events(self, group: LogGroup, after: int, since: int, wait_seconds: float) -> Sequence[LogEvent]:
        end = self._clock.monotonic() + wait_seconds
        while True:
            events = await self._logs.read(group, after=after, limit=PAGE_EVENTS, since_ms=since)
            if events or self._clock.monotonic() >= end:
                return events
            await self._clock.sleep(_POLL_SECONDS)
