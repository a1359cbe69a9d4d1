"""The door to AWS's API: route, refuse strangers early, parse, validate, hand to the operation, serialize."""

from collections.abc import Mapping
from typing import Any

import msgspec

from lampion.aws import event_stream
from lampion.aws.errors import RequestEntityTooLargeException, UnknownOperationException, not_built
from lampion.aws.model import ServiceModel
from lampion.aws.operation import Handler, RequestContext, inspection_of
from lampion.aws.parser import parse
from lampion.aws.router import Match, Router
from lampion.aws.serializer import serialize
from lampion.aws.validator import validate
from lampion.domain.limits import API_REQUEST_BYTES, ASYNC_PAYLOAD_BYTES, CODE_REQUEST_BYTES, EVENT_PAYLOAD_BYTES
from lampion.gateway.authentication import HASHED_APART_BYTES, Authentication
from lampion.gateway.authorization import INVOCATIONS, Authorization
from lampion.http.message import Request, RequestHead, Response, StreamedResponse

_ALLOWANCES = {
    **dict.fromkeys(("CreateFunction", "UpdateFunctionCode", "PublishLayerVersion"), CODE_REQUEST_BYTES),
    "InvokeAsync": ASYNC_PAYLOAD_BYTES,
}
"""Bytes of body that an operation takes where it isn't what all take."""
_AWS_NAMES = {"Invoke": "InvokeFunction"}
"""Operations whose name in AWS's texts isn't the model's."""


class _Call(msgspec.Struct, frozen=True):
    match: Match
    claim: Any


class AwsApi:
    """Lambda's API (gateway.door.Door)."""

    def __init__(
        self,
        *,
        service: ServiceModel,
        handlers: Mapping[str, Handler],
        authentication: Authentication,
        authorization: Authorization,
        region: str,
        scheme: str,
    ) -> None:
        self._router = Router(service)
        self._handlers = handlers
        self._authentication = authentication
        self._authorization = authorization
        self._region = region
        self._scheme = scheme

    def accept(self, head: RequestHead) -> int:
        match = self._router.match(head.method, head.path, head.query)
        if match is None:
            raise UnknownOperationException(f"No operation of AWS Lambda is at {head.method} {head.path[:200]}")
        head.findings = _Call(match, self._authentication.read(head))
        return _allowance(match, head)

    def too_large(self, head: RequestHead) -> Exception:
        match = head.findings.match
        name = _AWS_NAMES.get(match.operation.name, match.operation.name)
        return RequestEntityTooLargeException(
            f"Request must be smaller than {_allowance(match, head)} bytes for the {name} operation"
        )

    async def serve(self, request: Request, request_id: str) -> Response | StreamedResponse:
        call: _Call = request.head.findings
        head, operation = request.head, call.match.operation
        handler = self._handlers.get(operation.name)
        inspection = None if len(request.body) < HASHED_APART_BYTES else inspection_of(handler, request.body)
        meanwhile = None if inspection is None else inspection.take
        principal = await self._authentication.verify(call.claim, request, meanwhile)
        members = _members(call.match, request)
        owner = await self._authorization.check(principal, operation.name, members, head)
        if handler is None:
            raise not_built(operation.name)
        validate(operation, members)
        context = RequestContext(
            account_id=principal.account_id,
            region=self._region,
            principal=principal.access_key_id,
            request_id=request_id,
            host=head.headers.get("host", ""),
            trace_header=head.headers.get("x-amzn-trace-id"),
            scheme=self._scheme,
            inspection=inspection,
            owner=owner,
            caller_arn=principal.arn,
            asker=None if operation.name in INVOCATIONS else self._authorization.asker(principal, head),
        )
        output = await handler(context, members)
        output = await self._authorization.shown(principal, operation.name, members, head, output)
        answer = serialize(operation, output, request_id)
        events = answer.events
        if events is not None:
            frames = event_stream.frames(operation, events)
            return StreamedResponse(answer.status, answer.headers, frames, events.close)
        return Response(answer.status, answer.body, answer.headers)


def _members(match: Match, request: Request) -> dict[str, Any]:
    head = request.head
    return parse(match.operation, match.labels, head.query, head.headers, request.body)


def _allowance(match: Match, head: RequestHead) -> int:
    name = match.operation.name
    if name == "Invoke" and head.headers.get("x-amz-invocation-type") == "Event":
        return EVENT_PAYLOAD_BYTES
    return _ALLOWANCES.get(name, API_REQUEST_BYTES)
