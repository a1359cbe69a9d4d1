"""/runtime/init/error: the runtime reports that it can't initialize."""

from lampion.environments.endings import Answer
from lampion.environments.session import IllegalCall, RuntimeSession
from lampion.http.message import Request, Response
from lampion.runtime_api.answers import ACCEPTED, error_type_of, illegal_call


def init_error(session: RuntimeSession, request: Request) -> Response:
    try:
        session.fail_init(Answer(request.body, error_type_of(request)))
    except IllegalCall as error:
        return illegal_call(error)
    return ACCEPTED
