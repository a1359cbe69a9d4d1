"""/runtime/invocation: next, response, error (Lambda developer guide, "Using the Lambda runtime API")."""

from lampion.domain.limits import SYNC_RESPONSE_BYTES
from lampion.environments.endings import Answer, Dispatch, ResponseTooLarge
from lampion.environments.session import IllegalCall, RuntimeSession, UnknownRequest
from lampion.http.application import Exchange
from lampion.http.message import JSON, Request, RequestHead, Response
from lampion.runtime_api.answers import ACCEPTED, error_type_of, illegal_call, refusal

NEXT_HEADER = "Lampion-Runtime-Next"
"""On an event: an answer may bear this header too, and is then answered with the next event. Ours, not AWS's: it saves
a runtime that knows it half of its requests; others never notice. With "never" the runtime says that it will end
instead, so that no other event is meant for it meanwhile."""

_NEXT_HEADER = NEXT_HEADER.lower()
_AT_ONCE = "true"
_NEVER = "never"

UNKNOWN_REQUEST = refusal(400, "InvalidRequestID", "Invalid request ID")


def too_large_answer(most_bytes: int) -> Response:
    """The refusal of an answer that exceeds so much."""
    return refusal(413, "RequestEntityTooLarge", f"Exceeded maximum allowed payload size ({most_bytes} bytes).")


TOO_LARGE = too_large_answer(SYNC_RESPONSE_BYTES)


def next_invocation(session: RuntimeSession, exchange: Exchange) -> None:
    """Answer with the next invocation as soon as there is one."""

    def deliver(dispatch: Dispatch) -> None:
        exchange.respond(_event(dispatch))

    exchange.on_disconnect(lambda: session.abandon_next(deliver))
    try:
        session.next(deliver)
    except IllegalCall as error:
        exchange.respond(illegal_call(error))


def conclude(session: RuntimeSession, head: RequestHead, exchange: Exchange, answer: Response) -> None:
    """Answer an answer: with the next invocation, where the runtime asks for it in the same request."""
    if answer is ACCEPTED and head.headers.get(_NEXT_HEADER) == _AT_ONCE:
        next_invocation(session, exchange)
    else:
        exchange.respond(answer)


def response(session: RuntimeSession, request_id: str, request: Request) -> Response:
    """The function's result, passed on as it is."""
    return _answer(session, request_id, Answer(request.body))


def error(session: RuntimeSession, request_id: str, request: Request) -> Response:
    """The function's error, passed on as it is; when the runtime has ended, if it is about to."""
    answer = Answer(request.body, error_type_of(request))
    if request.head.headers.get(_NEXT_HEADER) != _NEVER:
        return _answer(session, request_id, answer)
    try:
        session.answer_streamed(request_id, answer)
    except UnknownRequest:
        return UNKNOWN_REQUEST
    return ACCEPTED


def too_large(session: RuntimeSession, request_id: str) -> Response:
    """A result beyond the limit: the invocation fails, the runtime learns why."""
    _answer(session, request_id, ResponseTooLarge())
    return TOO_LARGE


def _answer(session: RuntimeSession, request_id: str, ending: Answer | ResponseTooLarge) -> Response:
    try:
        session.answer(request_id, ending)
    except UnknownRequest:
        return UNKNOWN_REQUEST
    return ACCEPTED


def _event(dispatch: Dispatch) -> Response:
    invocation = dispatch.invocation
    headers = (
        f"Content-Type: {JSON}\r\n"
        f"Lambda-Runtime-Aws-Request-Id: {invocation.request_id}\r\n"
        f"Lambda-Runtime-Invocation-Id: {invocation.request_id}\r\n"
        f"Lambda-Runtime-Deadline-Ms: {dispatch.deadline_epoch_ms}\r\n"
        f"Lambda-Runtime-Invoked-Function-Arn: {invocation.invoked_arn}\r\n"
        f"Lambda-Runtime-Trace-Id: {invocation.trace_id}\r\n"
        f"{NEXT_HEADER}: {_AT_ONCE}\r\n"
    )
    if invocation.client_context is not None:
        headers += f"Lambda-Runtime-Client-Context: {_header_text(invocation.client_context)}\r\n"
    if invocation.cognito_identity is not None:
        headers += f"Lambda-Runtime-Cognito-Identity: {_header_text(invocation.cognito_identity)}\r\n"
    if invocation.tenant_id is not None:
        headers += f"Lambda-Runtime-Aws-Tenant-Id: {invocation.tenant_id}\r\n"
    return Response(200, invocation.payload, headers)


def _header_text(json_text: str) -> str:
    """JSON as a header's value: UTF-8 bytes; line breaks can only stand between tokens, so a space will do."""
    return json_text.replace("\r", " ").replace("\n", " ").encode().decode("latin-1")
