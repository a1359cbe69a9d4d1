"""The door to an API whose operations are named in a form (AWS's protocol "query"): IAM, STS."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from lampion.aws import query
from lampion.aws.errors import (
    RequestEntityTooLargeException,
    UnknownOperationException,
    WireError,
    not_built,
)
from lampion.aws.model import Operation, ServiceModel
from lampion.aws.operation import Handler, RequestContext
from lampion.aws.validator import validate
from lampion.domain.errors import ApiError, CallerError
from lampion.gateway.authentication import Authentication, Principal
from lampion.gateway.judge import Judge, facts_of_tags
from lampion.http.message import Request, RequestHead, Response
from lampion.identity.callers import Caller
from lampion.identity.evaluation import Wanted
from lampion.identity.request_facts import Asker, Facts
from lampion.identity.temporary_limits import check_admitted

_MOST_BYTES: Final = 1024 * 1024
_CODES: Final = {
    "AccessDeniedException": ("AccessDenied", 403),
    "ExpiredTokenException": ("ExpiredToken", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "InvalidParameterValueException": ("InvalidParameterValue", 400),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "RequestEntityTooLargeException": ("RequestEntityTooLarge", 413),
    "ServiceException": ("ServiceFailure", 500),
    "UnknownOperationException": ("InvalidAction", 400),
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "ValidationException": ("ValidationError", 400),
}
"""How this protocol spells errors of the wire, with their status (IAM API reference, "Common errors")."""


Members = dict[str, Any]
AskedFor = Callable[[str, Members, Caller], Awaitable[tuple[Sequence[Wanted], Facts]]]
"""From an operation and its members to all that must be allowed, and the condition keys that it brings."""


class _Call(msgspec.Struct, frozen=True):
    claim: Any = None
    error: ApiError | None = None


class QueryApi:
    """One service (gateway.door.Door)."""

    def __init__(
        self,
        *,
        service: ServiceModel,
        handlers: Mapping[str, Handler],
        authentication: Authentication,
        judge: Judge,
        asked_for: AskedFor,
        region: str,
        free: frozenset[str] = frozenset(),
    ) -> None:
        """`asked_for` says what an operation is about, to IAM; `free` are operations that need no permission."""
        self._service = service
        self._handlers = handlers
        self._authentication = authentication
        self._judge = judge
        self._asked_for = asked_for
        self._region = region
        self._free = free

    def accept(self, head: RequestHead) -> int:
        """Never refuses: its errors have a form of their own."""
        try:
            head.findings = _Call(self._authentication.read(head))
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
            return await self._answer(call.claim, request, request_id)
        except ApiError as error:
            return self.refusal(error, request_id)

    async def _answer(self, claim: Any, request: Request, request_id: str) -> Response:
        head = request.head
        principal = await self._authentication.verify(claim, request)
        fields = query.fields_of(request.body if head.method == "POST" else head.query.encode())
        operation = self._operation(fields)
        members = query.parse(operation, fields)
        check_admitted(self._service.name, operation.name, principal.actor.caller, has_session=principal.has_session)
        await self._check(principal, operation, members, head)
        handler = self._handlers.get(operation.name)
        if handler is None:
            raise not_built(operation.name)
        validate(operation, members)
        context = RequestContext(
            account_id=principal.account_id,
            region=self._region,
            principal=principal.access_key_id,
            request_id=request_id,
            host=head.headers.get("host", ""),
            caller_arn=principal.arn,
            user_id=principal.user_id,
            asker=Asker(principal.actor, self._judge.asking(head), has_session=principal.has_session),
        )
        output = await handler(context, members)
        return _response(200, query.serialize(self._service, operation, output, request_id), request_id)

    def _operation(self, fields: Mapping[str, str]) -> Operation:
        name, version = fields.get("Action", ""), fields.get("Version", self._service.api_version)
        operation = self._service.operations.get(name)
        if operation is None or version != self._service.api_version:
            raise UnknownOperationException(f"Could not find operation {name[:200]} for version {version[:200]}")
        return operation

    async def _check(self, principal: Principal, operation: Operation, members: Members, head: RequestHead) -> None:
        """Raises AccessDeniedException."""
        if operation.name not in self._free:
            those, facts = await self._asked_for(operation.name, members, principal.actor.caller)
            for wanted in those:
                self._judge.check(principal.actor, wanted, head, {**facts, **facts_of_tags(members)})

    def refusal(self, error: ApiError, request_id: str) -> Response:
        """gateway.door.RefusesInOwnForm."""
        code, status = _CODES.get(error.code, (error.code, 0))
        shape = self._service.error(error.code)
        if shape is not None and shape.error_status is not None:
            code, status = shape.error_code or code, shape.error_status
        if not status:
            status = error.status if isinstance(error, WireError) else 400 if isinstance(error, CallerError) else 500
        return _response(status, query.serialize_error(self._service, error, code, request_id), request_id)


def _response(status: int, body: bytes, request_id: str) -> Response:
    return Response(status, body, [("Content-Type", query.CONTENT_TYPE), ("x-amzn-RequestId", request_id)])
