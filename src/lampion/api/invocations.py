"""Invoke, and its old form for events."""

import base64
from collections.abc import Mapping
from typing import Any

from lampion.api.invocation_requests import InvocationRequests, Members
from lampion.aws.operation import RequestContext, operation
from lampion.domain.invocation import InvocationType
from lampion.invoke.event_acceptance import EventAcceptance
from lampion.invoke.invoker import Invoker
from lampion.invoke.payload import check_json


class InvocationsApi:
    """Running functions on request."""

    def __init__(self, requests: InvocationRequests, *, invoker: Invoker, events: EventAcceptance) -> None:
        self._requests = requests
        self._invoker = invoker
        self._events = events

    @operation("Invoke", inspect=check_json)
    async def invoke(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        kind = members.get("InvocationType", InvocationType.REQUEST_RESPONSE)
        requested = await self._requests.find(context, members)
        if kind == InvocationType.DRY_RUN:
            return {"StatusCode": 204, "ExecutedVersion": requested.function.version}
        invocation = self._requests.read(context, members, requested)
        if kind == InvocationType.EVENT:
            await self._events.accept(requested.target, requested.function, invocation)
            return {"StatusCode": 202}
        outcome = await self._invoker.invoke(requested.target, requested.function, invocation)
        answer = {"StatusCode": 200, "ExecutedVersion": outcome.executed_version, "Payload": outcome.payload}
        if outcome.function_error is not None:
            answer["FunctionError"] = outcome.function_error
        if invocation.wants_log:
            answer["LogResult"] = base64.b64encode(outcome.log_tail).decode("ascii")
        return answer

    @operation("InvokeAsync")
    async def invoke_async(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Deprecated by AWS; the same as Invoke with InvocationType Event."""
        requested = await self._requests.find(context, members)
        invocation = self._requests.read(context, {"Payload": members["InvokeArgs"]}, requested)
        await self._events.accept(requested.target, requested.function, invocation)
        return {"Status": 202}
