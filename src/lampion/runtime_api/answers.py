"""The Runtime API's own small answers."""

import json
from typing import Final

import msgspec

from lampion.environments.session import IllegalCall
from lampion.http.message import JSON, Request, Response

UNKNOWN_TYPE: Final = "Runtime.Unknown"

ACCEPTED = Response(202, b'{"status":"OK"}\n', {"Content-Type": JSON})


class _Report(msgspec.Struct):
    """What is read of an error's body."""

    errorType: str = UNKNOWN_TYPE  # noqa: N815 - the wire's spelling


_REPORT: Final = msgspec.json.Decoder(_Report)


def refusal(status: int, error_type: str, message: str) -> Response:
    """An error in the Runtime API's form."""
    body = json.dumps({"errorMessage": message, "errorType": error_type}).encode()
    return Response(status, body, {"Content-Type": JSON})


def error_type_of(request: Request) -> str:
    """The type of a reported error: by its header, or, where the runtime sends none, by its body's `errorType`."""
    named = request.head.headers.get("lambda-runtime-function-error-type")
    if named is not None:
        return named
    try:
        return _REPORT.decode(request.body).errorType
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return UNKNOWN_TYPE


def illegal_call(error: IllegalCall) -> Response:
    """A call out of order."""
    return refusal(403, "InvalidStateTransition", f"State transition is not allowed: {error.args[0]}, {error.args[1]}")
