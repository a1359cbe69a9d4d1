"""/2020-01-01/extension: register, event/next, init/error, exit/error (developer guide, "Lambda Extensions API")."""

from typing import Any, Final

import msgspec

from lampion.environments.endings import Dispatch
from lampion.environments.extension_flow import ExtensionFlow, Shutdown
from lampion.environments.extensions import Extension, Extensions, Move, Refused, UnknownExtension
from lampion.environments.session import RuntimeSession
from lampion.http.application import Exchange
from lampion.http.message import JSON, Request, Response
from lampion.runtime_api.answers import ACCEPTED, refusal

PREFIX: Final = "/2020-01-01/extension/"
_REGISTER: Final = ("POST", f"{PREFIX}register")
_NEXT: Final = ("GET", f"{PREFIX}event/next")
_ERRORS: Final = {
    ("POST", f"{PREFIX}init/error"): Move.INIT_ERROR,
    ("POST", f"{PREFIX}exit/error"): Move.EXIT_ERROR,
}
_ERROR_TYPE: Final = "Lambda-Extension-Function-Error-Type"
_IDENTIFIER: Final = "Lambda-Extension-Identifier"
_FORBIDDEN: Final = 403


class _Registration(msgspec.Struct):
    """The body of a registration; `null` is as good as nothing."""

    events: list[str] | None = None
    configurationKeys: list[str] | None = None  # noqa: N815 - the wire's spelling


_REGISTRATION: Final = msgspec.json.Decoder(_Registration)


def serve(session: RuntimeSession, request: Request, exchange: Exchange) -> bool:
    """Whether this is one of its endpoints; then it is answered, now or later."""
    call = (request.head.method, request.head.path)
    if call not in (_REGISTER, _NEXT) and call not in _ERRORS:
        return False
    flow = session.extension_flow()
    try:
        if call == _REGISTER:
            exchange.respond(_register(flow, session, request))
        elif call == _NEXT:
            _next(flow, session, request, exchange)
        else:
            exchange.respond(_report(flow, request, _ERRORS[call]))
    except Refused as refused:
        exchange.respond(refusal(_FORBIDDEN, refused.error_type, refused.message))
    return True


def caller(extensions: Extensions, request: Request) -> Extension:
    """The extension that a request comes from. Raises Refused."""
    return extensions.find(request.head.headers.get(_IDENTIFIER.lower()))


def _register(flow: ExtensionFlow, session: RuntimeSession, request: Request) -> Response:
    headers, function = request.head.headers, session.function
    name = headers.get("lambda-extension-name", "")
    if not name:  # before the body is looked at
        raise Refused("Extension.InvalidExtensionName", "Empty extension name")
    try:
        registration = _REGISTRATION.decode(request.body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Refused("InvalidRequestFormat", str(error)) from None
    if registration.configurationKeys:
        raise Refused("InvalidRequestFormat", "configurationKeys are deprecated; use environment variables instead")
    extension = flow.register(name, registration.events or ())
    answer = {
        "functionName": function.key.name,
        "functionVersion": function.version,
        "handler": function.configuration.handler or "",
    }
    if "accountId" in (word.strip() for word in headers.get("lambda-extension-accept-feature", "").split(",")):
        answer["accountId"] = function.key.account_id
    return Response(200, msgspec.json.encode(answer), {"Content-Type": JSON, _IDENTIFIER: extension.identifier})


def _next(flow: ExtensionFlow, session: RuntimeSession, request: Request, exchange: Exchange) -> None:
    def deliver(event: Dispatch | Shutdown) -> None:
        body = _invoke(event) if isinstance(event, Dispatch) else _shutdown(event)
        identifier = session.new_identifier()
        headers = {"Content-Type": JSON, "Lambda-Extension-Event-Identifier": identifier}
        exchange.respond(Response(200, msgspec.json.encode(body), headers))

    flow.next(caller(flow.extensions, request), deliver)


def _report(flow: ExtensionFlow, request: Request, move: Move) -> Response:
    """Only the header is read: what the body says is the extension's own affair."""
    headers = request.head.headers
    try:
        extension = caller(flow.extensions, request)
    except UnknownExtension as unknown:
        if not headers.get(_ERROR_TYPE.lower()):
            raise _missing_type() from None
        raise Refused(unknown.error_type, f"Unknown {_IDENTIFIER}") from None
    error_type = headers.get(_ERROR_TYPE.lower())
    if not error_type:
        raise _missing_type()
    flow.report(extension, move, error_type)
    return ACCEPTED


def _missing_type() -> Refused:
    return Refused("Extension.MissingHeader", f"{_ERROR_TYPE} not found")


def _invoke(dispatch: Dispatch) -> dict[str, Any]:
    invocation = dispatch.invocation
    return {
        "eventType": "INVOKE",
        "deadlineMs": dispatch.deadline_epoch_ms,
        "requestId": invocation.request_id,
        "invokedFunctionArn": invocation.invoked_arn,
        "tracing": {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id},
    }


def _shutdown(shutdown: Shutdown) -> dict[str, Any]:
    return {
        "eventType": "SHUTDOWN",
        "deadlineMs": shutdown.deadline_epoch_ms,
        "shutdownReason": shutdown.reason,
    }
