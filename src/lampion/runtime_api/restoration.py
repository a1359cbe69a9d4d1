"""/runtime/restore/next and /error: the runtime waits for its snapshot, or can't go on after it was restored."""

from lampion.environments.endings import Answer
from lampion.environments.session import IllegalCall, RuntimeSession
from lampion.http.application import Exchange
from lampion.http.message import Request, Response
from lampion.runtime_api.answers import ACCEPTED, error_type_of, illegal_call


def next_restore(session: RuntimeSession, exchange: Exchange) -> None:
    """Answered when the snapshot is about to be taken."""
    try:
        session.restore_next(lambda: exchange.respond(Response(200, b"")))
    except IllegalCall as error:
        exchange.respond(illegal_call(error))


def restore_error(session: RuntimeSession, request: Request) -> Response:
    try:
        session.fail_restore(Answer(request.body, error_type_of(request)))
    except IllegalCall as error:
        return illegal_call(error)
    return ACCEPTED
