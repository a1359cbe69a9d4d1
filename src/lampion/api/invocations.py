"""Invoke."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from lampion.aws.errors import not_built
from lampion.aws.operation import RequestContext, operation
from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.domain.errors import InvalidParameterValueException, InvalidRequestContentException
from lampion.domain.function import Function
from lampion.domain.invocation import Invocation, InvocationType
from lampion.invoke.invoker import Invoker
from lampion.invoke.payload import EMPTY, check_json
from lampion.invoke.qualifier import resolve

Members = dict[str, Any]

_CLIENT_CONTEXT_BYTES = 3583


class InvocationsApi:
    """Running functions on request."""

    def __init__(self, *, invoker: Invoker, clock: Clock, rng: Rng) -> None:
        self._invoker = invoker
        self._clock = clock
        self._rng = rng

    @operation("Invoke")
    async def invoke(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = resolve(members["FunctionName"], members.get("Qualifier"), context, "InvokeFunction")
        kind = members.get("InvocationType", InvocationType.REQUEST_RESPONSE)
        if kind == InvocationType.EVENT:
            raise not_built("Invoke with InvocationType Event")
        function = await self._invoker.check(target)
        _check_built(function, members)
        if kind == InvocationType.DRY_RUN:
            return {"StatusCode": 204, "ExecutedVersion": function.version}
        payload = members.get("Payload") or EMPTY
        check_json(payload)
        client_context = members.get("ClientContext")
        invocation = Invocation(
            request_id=context.request_id,
            invoked_arn=target.arn,
            payload=payload,
            trace_id=context.trace_header or self._new_trace(),
            client_context=None if client_context is None else _decoded(client_context),
        )
        outcome = await self._invoker.invoke(target, function, invocation)
        answer = {"StatusCode": 200, "ExecutedVersion": outcome.executed_version, "Payload": outcome.payload}
        if outcome.function_error is not None:
            answer["FunctionError"] = outcome.function_error
        if members.get("LogType") == "Tail":
            answer["LogResult"] = base64.b64encode(outcome.log_tail).decode("ascii")
        return answer

    def _new_trace(self) -> str:
        """A trace header of our own, not sampled (X-Ray developer guide, "Tracing header")."""
        digits = self._rng.token(20).hex()
        return f"Root=1-{int(self._clock.now()):08x}-{digits[:24]};Parent={digits[24:]};Sampled=0"


def _check_built(function: Function, members: Members) -> None:
    """Kinds of functions that take another way than this one."""
    configuration = function.configuration
    if configuration.tenancy_config is not None:
        raise not_built("Invoke of a function with tenant isolation")
    if "TenantId" in members:
        raise InvalidParameterValueException(
            "The invoked function is not enabled with tenancy configuration. "
            "Remove the tenant ID from your request and try again."
        )
    if configuration.file_system_configs:
        raise not_built("Invoke of a function with a file system")
    if configuration.durable_config is not None or "DurableExecutionName" in members:
        raise not_built("Invoke of a durable function")
    if configuration.capacity_provider_config is not None:
        raise not_built("Invoke of a function on a capacity provider")


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
