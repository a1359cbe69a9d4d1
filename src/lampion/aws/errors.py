"""Errors of the wire that no operation models, and the answer made of any error."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final

import msgspec

from lampion.aws.model import ServiceModel
from lampion.aws.wire import WireAnswer
from lampion.domain.errors import ApiError, CallerError, PlatformError

_CONTENT_TYPE: Final = ("Content-Type", "application/json")
_REQUEST_ID: Final = "x-amzn-RequestId"
_ERROR_TYPE: Final = "x-amzn-ErrorType"


class WireError(ApiError):
    """An error that the front of every AWS service makes; its body holds the message and no `Type`."""

    status: ClassVar[int] = 400
    message_member: ClassVar[str] = "message"


class ValidationException(WireError, CallerError):
    """Members break the constraints of their shapes."""


class SerializationException(WireError, CallerError):
    """The request can't be read: not JSON, or a value of the wrong type."""

    message_member = "Message"


class UnknownOperationException(WireError, CallerError):
    """No operation has this method and path."""

    status = 404


class AccessDeniedException(WireError, CallerError):
    """The caller is known and not allowed to do this."""

    status = 403
    message_member = "Message"


class MissingAuthenticationTokenException(WireError, CallerError):
    """The request isn't signed."""

    status = 403


class IncompleteSignatureException(WireError, CallerError):
    """The signature's parts are missing or malformed."""

    status = 403


class InvalidSignatureException(WireError, CallerError):
    """The signature is for another request, key, scope or time."""

    status = 403


class UnrecognizedClientException(WireError, CallerError):
    """The access key isn't known."""

    status = 403


class ExpiredTokenException(WireError, CallerError):
    """The session token has run out."""

    status = 403


class RequestEntityTooLargeException(WireError, CallerError):
    """The request's body exceeds the operation's limit."""

    status = 413


class MalformedQueryString(WireError, CallerError):
    """The form in a request's body isn't one."""


class MalformedInput(WireError, CallerError):
    """A form's value is of the wrong type, or its names contradict one another."""


class InternalFailure(WireError, PlatformError):
    """Something failed inside Lampion, and which operation was meant is not known or doesn't matter."""

    status = 500


class OperationNotImplementedException(WireError, PlatformError):
    """AWS has the operation, Lampion doesn't yet. Not an AWS error: AWS implements all it models."""

    status = 501


def not_built(what: str) -> OperationNotImplementedException:
    """The answer for an operation, or a use of one, that AWS has and Lampion doesn't have yet."""
    return OperationNotImplementedException(f"Lampion doesn't offer {what} yet. See docs/reference/operations.md.")


def serialize_error(service: ServiceModel, error: ApiError, request_id: str) -> WireAnswer:
    """The answer that AWS gives for `error`: status, member spelling and header members from the model.

    A modelled error's body holds `Type` (whose fault) unless the error's own member `Type` says otherwise;
    `Type=""` leaves it out, as AWS does for some errors.
    """
    code = error.code
    headers = [_CONTENT_TYPE, (_REQUEST_ID, request_id), (_ERROR_TYPE, code)]
    form = None if isinstance(error, WireError) else _form(service, code)
    status, body = _wire_only(error) if form is None else (form.status, _modelled(form, error, headers))
    return WireAnswer(status, headers, msgspec.json.encode(body))


@dataclass(frozen=True, slots=True)
class _Form:
    """Where the members of an error shape go, worked out once: refusals are made when there is much to do."""

    status: int
    headers: Mapping[str, str]
    has_type: bool
    message_member: str | None


@cache
def _form(service: ServiceModel, code: str) -> _Form | None:
    shape = service.error(code)
    if shape is None:
        return None
    headers = {name: member.wire_name for name, member in shape.members.items() if member.location == "header"}
    return _Form(shape.error_status or 500, headers, "Type" in shape.members, shape.message_member)


def _wire_only(error: ApiError) -> tuple[int, dict[str, str]]:
    if isinstance(error, WireError):
        return error.status, {**error.members, error.message_member: error.message}
    return (400 if isinstance(error, CallerError) else 500), {**error.members, "message": error.message}


def _modelled(form: _Form, error: ApiError, headers: list[tuple[str, str]]) -> dict[str, str]:
    body: dict[str, str] = {}
    for name, value in error.members.items():
        if name in form.headers:
            headers.append((form.headers[name], value))
        elif name != "Type":
            body[name] = value
    if form.has_type and (type_name := error.members.get("Type", error.fault.value)):
        body["Type"] = type_name
    if form.message_member is not None:
        body[form.message_member] = error.message
    return body
