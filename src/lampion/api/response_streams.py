"""InvokeWithResponseStream."""

import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from lampion.api.invocation_requests import InvocationRequests, Members
from lampion.aws.event_stream import CONTENT_TYPE
from lampion.aws.operation import RequestContext, operation
from lampion.aws.wire import Events
from lampion.domain.invocation import InvocationType
from lampion.invoke.invoker import Invoker
from lampion.invoke.payload import check_json
from lampion.invoke.streaming import StreamedInvocation


class ResponseStreamsApi:
    """Running functions on request, for callers who take the answer as it comes."""

    def __init__(self, requests: InvocationRequests, *, invoker: Invoker) -> None:
        self._requests = requests
        self._invoker = invoker

    @operation("InvokeWithResponseStream", inspect=check_json)
    async def invoke_with_response_stream(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        requested = await self._requests.find(context, members)
        if members.get("InvocationType") == InvocationType.DRY_RUN:
            return {"StatusCode": 204, "ExecutedVersion": requested.function.version}
        invocation = self._requests.read(context, members, requested)
        streamed = await self._invoker.invoke_streamed(requested.target, requested.function, invocation)
        events = _events(streamed, with_log=invocation.wants_log)
        return {
            "StatusCode": 200,
            "ExecutedVersion": streamed.executed_version,
            "ResponseStreamContentType": CONTENT_TYPE,
            "EventStream": Events(events, close=streamed.abandon),
        }


async def _events(streamed: StreamedInvocation, *, with_log: bool) -> AsyncGenerator[tuple[str, Mapping[str, Any]]]:
    async with aclosing(streamed.pieces()) as pieces:
        async for piece in pieces:
            yield "PayloadChunk", {"Payload": piece}
    if streamed.is_abandoned:
        return
    complete: dict[str, str | None] = {}
    failure = streamed.failure
    if failure is not None:
        complete = {"ErrorCode": failure.code, "ErrorDetails": failure.details}
    outcome = await streamed.ended()
    if with_log:
        complete["LogResult"] = base64.b64encode(outcome.log_tail).decode("ascii")
    yield "InvokeComplete", complete
