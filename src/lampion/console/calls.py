"""GET /_lampion/calls/<function>: what functions with this one's role called, and the least policy for it."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import unquote

import msgspec

from lampion.console.view import Asked
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import ResourceNotFoundException
from lampion.identity.call_record import CallRecord, least_policy
from lampion.store.functions import Functions


class CallsView:
    """What `lampion iam suggest` shows."""

    path = re.compile(r"/_lampion/calls/([^/]{1,200})")
    methods: Mapping[str, int] = MappingProxyType({"GET": 0})

    def __init__(self, *, record: CallRecord, functions: Functions) -> None:
        self._record = record
        self._functions = functions

    async def answer(self, asked: Asked) -> bytes:
        """`Role`, and `Policy`, or null where it called nothing. Raises ResourceNotFoundException."""
        key = FunctionKey(asked.account_id, asked.region, unquote(asked.about))
        function = await self._functions.get(key)
        if function is None:
            raise ResourceNotFoundException(f"Function not found: {key.arn}")
        role = function.configuration.role
        calls = self._record.of(role)
        return msgspec.json.encode({"Role": role, "Policy": least_policy(calls) if calls else None})
