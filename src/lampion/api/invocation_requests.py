"""What a caller wants run, read from the members that all operations of invocation share."""

import base64
import binascii
from typing import Any, Final

import msgspec

from lampion.aws.errors import not_built
from lampion.aws.operation import RequestContext
from lampion.domain.errors import InvalidRequestContentException
from lampion.domain.function import Function
from lampion.domain.invocation import Invocation
from lampion.domain.tenancy import check_tenant
from lampion.invoke.invoker import Invoker
from lampion.invoke.offered import check_offered
from lampion.invoke.payload import EMPTY, check_json
from lampion.invoke.qualifier import Target, resolve
from lampion.invoke.tracing import Tracing

Members = dict[str, Any]

_CLIENT_CONTEXT_BYTES: Final = 3583


class Requested(msgspec.Struct, frozen=True):
    """The target that a caller named, and the version of a function that would run for it now."""

    target: Target
    function: Function


class InvocationRequests:
    """Reads requests in the order in which AWS finds fault with them: the function first, then the payload."""

    def __init__(self, *, invoker: Invoker, tracing: Tracing) -> None:
        self._invoker = invoker
        self._tracing = tracing

    async def find(self, context: RequestContext, members: Members) -> Requested:
        """Whom it is for. Raises AWS's error when there is no such function, or none that can be invoked like this."""
        target = resolve(members["FunctionName"], members.get("Qualifier"), context, "InvokeFunction")
        function = await self._invoker.check(target)
        check_tenant(function.configuration, members.get("TenantId"))
        _check_built(function, members)
        return Requested(target, function)

    def read(self, context: RequestContext, members: Members, requested: Requested) -> Invocation:
        """What it gets. Raises InvalidRequestContentException."""
        target = requested.target
        payload = members.get("Payload") or EMPTY
        if context.inspection is None:
            check_json(payload)
        else:
            context.inspection.conclude()
        client_context = members.get("ClientContext")
        trace = self._tracing.trace(context.trace_header, target.key, requested.function)
        return Invocation(
            request_id=context.request_id,
            invoked_arn=target.arn,
            payload=payload,
            trace_id=trace.header,
            times_in_chain=trace.times_in_chain,
            client_context=None if client_context is None else _decoded(client_context),
            tenant_id=members.get("TenantId"),
            wants_log=members.get("LogType") == "Tail",
        )


def _check_built(function: Function, members: Members) -> None:
    """What a caller asks for beside the function itself."""
    check_offered(function)
    if "DurableExecutionName" in members:
        raise not_built("Invoke of a durable function")


def _decoded(client_context: str) -> str:
    """The client context as JSON text. Raises InvalidRequestContentException."""
    try:
        raw = base64.b64decode(client_context, validate=True)
        check_json(raw)
        text = raw.decode()
    except (binascii.Error, ValueError, InvalidRequestContentException):
        raise InvalidRequestContentException(
            "Could not parse request body into json: Client context must be a valid Base64-encoded JSON object."
        ) from None
    if len(raw) > _CLIENT_CONTEXT_BYTES or not text.lstrip().startswith("{"):
        raise InvalidRequestContentException("Client context must be a valid Base64-encoded JSON object.")
    return text
