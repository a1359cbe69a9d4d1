"""The door to an API that names its operations in X-Amz-Target (AWS's protocol "json" 1.1)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from lampion.aws.errors import (
    RequestEntityTooLargeException,
    UnknownOperationException,
    WireError,
    not_built,
)
from lampion.aws.model import Operation, ServiceModel
from lampion.aws.operation import Handler, RequestContext
from lampion.aws.parser import parse
from lampion.aws.serializer import serialize
from lampion.aws.validator import Fault, faults
from lampion.domain.errors import ApiError, CallerError
from lampion.gateway.authentication import Authentication, Principal
from lampion.gateway.judge import Judge, facts_of_tags
from lampion.http.message import Request, RequestHead, Response
from lampion.identity.actors import Actor
from lampion.identity.request_facts import Asker, Facts

_MOST_BYTES: Final = 4 * 1024 * 1024
_JSON: Final = "application/x-amz-json-1.1"
_OWN_STATUSES: Final = frozenset((413, 500, 501))
"""Everything else is 400 in this protocol, also what other protocols have a status of its own for."""


class CheckOperation(Protocol):
    """Knows what an operation is about, to IAM."""

    async def __call__(
        self, actor: Actor, operation: str, members: Mapping[str, Any], head: RequestHead, facts: Facts
    ) -> None:
        """`facts` are those about tags that the request brings. Raises AccessDeniedException."""


class _Call(msgspec.Struct, frozen=True):
    operation: Operation | None = None
    claim: Any = None
    error: ApiError | None = None


class TargetApi:
    """One service (gateway.door.Door)."""

    def __init__(
        self,
        *,
        service: ServiceModel,
        handlers: Mapping[str, Handler],
        authentication: Authentication,
        region: str,
        scheme: str,
        judge: Judge,
        invalid: Callable[[Sequence[Fault]], ApiError],
        handlers_judge: bool = False,
        check_operation: CheckOperation | None = None,
    ) -> None:
        """`invalid`: how the service says that parameters break the model's constraints. `handlers_judge`: who may is
        for the handlers to ask, as only they know what it depends on. `check_operation` asks by what an operation is
        about; without it, it is about "*".
        """
        self._service = service
        self._handlers = handlers
        self._authentication = authentication
        self._region = region
        self._scheme = scheme
        self._judge = judge
        self._invalid = invalid
        self._handlers_judge = handlers_judge
        self._check_operation = check_operation

    def accept(self, head: RequestHead) -> int:
        """Never refuses: its errors have a form of their own."""
        try:
            head.findings = _Call(self._operation(head), self._authentication.read(head))
        except ApiError as error:
            head.findings = _Call(error=error)
        return _MOST_BYTES

    def too_large(self, head: RequestHead) -> Exception:
        return RequestEntityTooLargeException(f"Request must be smaller than {_MOST_BYTES} bytes.")

    async def serve(self, request: Request, request_id: str) -> Response:
        call: _Call = request.head.findings
        try:
            if call.error is not None:
                raise call.error
            assert call.operation is not None
            return await self._answer(call.operation, call.claim, request, request_id)
        except ApiError as error:
            return self._refusal(error, request_id)

    async def _answer(self, operation: Operation, claim: Any, request: Request, request_id: str) -> Response:
        principal = await self._authentication.verify(claim, request)
        members = await self._checked(principal, operation, request)
        handler = self._handlers.get(operation.name)
        if handler is None:
            raise not_built(operation.name)
        broken = faults(operation, members)
        if broken:
            raise self._invalid(broken)
        context = RequestContext(
            account_id=principal.account_id,
            region=self._region,
            principal=principal.access_key_id,
            request_id=request_id,
            host=request.head.headers.get("host", ""),
            scheme=self._scheme,
            caller_arn=principal.arn,
            user_id=principal.user_id,
            asker=Asker(principal.actor, self._judge.asking(request.head), has_session=principal.has_session),
        )
        answer = serialize(operation, await handler(context, members), request_id)
        return Response(answer.status, answer.body, [("Content-Type", _JSON), ("x-amzn-RequestId", request_id)])

    async def _checked(self, principal: Principal, operation: Operation, request: Request) -> dict[str, Any]:
        """The members of what the caller may do. Raises AccessDeniedException."""
        actor, head = principal.actor, request.head
        if self._check_operation is None and not self._handlers_judge:
            self._judge.check(actor, (f"{self._service.name}:{operation.name}", "*"), head)
        members = parse(operation, {}, "", head.headers, request.body)
        if self._check_operation is not None:
            await self._check_operation(actor, operation.name, members, head, facts_of_tags(members))
        return members

    def _operation(self, head: RequestHead) -> Operation:
        service, _, name = head.headers.get("x-amz-target", "").partition(".")
        operation = self._service.operations.get(name) if service == self._service.target_prefix else None
        if operation is None or head.method != "POST":
            raise UnknownOperationException(f"No operation here is called {head.headers.get('x-amz-target', '')[:200]}")
        return operation

    def _refusal(self, error: ApiError, request_id: str) -> Response:
        shape = self._service.error(error.code)
        status, message_member = 400 if isinstance(error, CallerError) else 500, "message"
        if isinstance(error, WireError):
            message_member = error.message_member
            if error.status in _OWN_STATUSES:
                status = error.status
        if shape is not None and shape.error_status is not None:
            status = shape.error_status
        body = msgspec.json.encode({"__type": error.code, message_member: error.message})
        headers = [("Content-Type", _JSON), ("x-amzn-RequestId", request_id), ("x-amzn-ErrorType", error.code)]
        return Response(status, body, headers)
