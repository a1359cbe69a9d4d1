"""What the answers of AWS services mean for a delivery: taken, not now, or never. Pure."""

import re
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import unescape

import msgspec

from lampion.endpoints.exchange import HttpAnswer
from lampion.endpoints.services import Reach
from lampion.invoke.targets.target import TargetRefused, TargetUnavailable

_OK: Final = range(200, 300)
_SERVER_ERRORS: Final = range(500, 600)
_PASSING_STATUSES: Final = frozenset({408, 425, 429})

_THROTTLED: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "KMSThrottlingException",
        "KmsThrottled",
        "KMSThrottled",
        "LimitExceededException",
        "OverLimit",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_FAILED_INSIDE: Final = frozenset(
    {
        "InternalError",
        "InternalErrorException",
        "InternalException",
        "InternalFailure",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
    }
)
_KEY_NOT_ACCEPTED: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""The server's own key or clock is at fault: the operator can mend it, and nothing need be lost until then."""
_PASSING_CODES: Final = _THROTTLED | _FAILED_INSIDE | _KEY_NOT_ACCEPTED

_XML_CODE: Final = re.compile(r"<Code>\s*([^<]+?)\s*</Code>")
_XML_MESSAGE: Final = re.compile(r"<Message>\s*([^<]*?)\s*</Message>")
_UNSHOWABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_SHOWN_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True)
class ServiceError:
    """An error as a service names it; both texts may be empty."""

    code: str
    message: str

    @property
    def will_pass(self) -> bool:
        return self.code in _PASSING_CODES

    def __str__(self) -> str:
        words = ": ".join(filter(None, (self.code, self.message)))
        return _UNSHOWABLE.sub(" ", words)[:_SHOWN_CHARACTERS]


def check_taken(reach: Reach, answer: HttpAnswer) -> None:
    """Raises TargetUnavailable or TargetRefused unless the answer is a success."""
    if answer.status not in _OK:
        raise failure(reach, answer)


def failure(reach: Reach, answer: HttpAnswer) -> TargetUnavailable | TargetRefused:
    """What an answer other than a success means."""
    error = error_in(answer)
    where = f"{reach.service.identifier} at {reach.address}"
    words = f"{where} answered {answer.status}" + (f", {error}" if str(error) else "")
    if answer.status in _SERVER_ERRORS or answer.status in _PASSING_STATUSES or error.will_pass:
        return TargetUnavailable(words)
    return TargetRefused(words)


def error_in(answer: HttpAnswer) -> ServiceError:
    """The error in the body of an answer, whether JSON or XML; S3 answers some in its head only."""
    text = answer.body.decode("utf-8", "replace")
    if text.lstrip().startswith("{"):
        return _json_error(answer)
    code, message = _XML_CODE.search(text), _XML_MESSAGE.search(text)
    return ServiceError(unescape(code[1]) if code else "", unescape(message[1]) if message else "")


def _json_error(answer: HttpAnswer) -> ServiceError:
    try:
        members = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ServiceError("", "")
    code = members.get("__type") or members.get("code") or answer.headers.get("x-amzn-errortype") or ""
    message = members.get("message") or members.get("Message") or ""
    return ServiceError(_bare(str(code)), str(message))


def _bare(code: str) -> str:
    """Without the namespace before it and the address behind it: com.amazonaws.sqs#QueueDoesNotExist:http://..."""
    return code.rpartition("#")[2].partition(":")[0]
