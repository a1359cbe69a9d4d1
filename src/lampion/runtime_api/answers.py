"""The Runtime API's own small answers."""

import json

from lampion.environments.session import IllegalCall
from lampion.http.message import JSON, Response

ACCEPTED = Response(202, b'{"status":"OK"}\n', {"Content-Type": JSON})


def refusal(status: int, error_type: str, message: str) -> Response:
    """An error in the Runtime API's form."""
    body = json.dumps({"errorMessage": message, "errorType": error_type}).encode()
    return Response(status, body, {"Content-Type": JSON})


def illegal_call(error: IllegalCall) -> Response:
    """A call out of order."""
    return refusal(403, "InvalidStateTransition", f"State transition is not allowed: {error.args[0]}, {error.args[1]}")
