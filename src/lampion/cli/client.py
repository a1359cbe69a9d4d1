"""One signed HTTP request to the server and its whole answer; failures become Failure with their exit code."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

from lampion.aws.sigv4_sign import Signer
from lampion.cli.failure import ExitCode, Failure
from lampion.cli.location import Server

_EXIT_CODE_OF_STATUS: Final = {
    401: ExitCode.ACCESS_DENIED,
    403: ExitCode.ACCESS_DENIED,
    404: ExitCode.NOT_FOUND,
    408: ExitCode.TIMEOUT,
    429: ExitCode.THROTTLED,
    504: ExitCode.TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class Call:
    """What to ask: `segments` are the parts of the path, not yet percent-encoded."""

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    service: str = "lambda"
    """For which it is signed."""

    @property
    def path(self) -> str:
        return "/" + "/".join(quote(segment, safe="-_.~") for segment in self.segments)

    @property
    def query_string(self) -> str:
        return "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(self.query.items()))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def send(server: Server, call: Call, *, timeout_seconds: float) -> Answer:
    """Sign and send; any status is an answer. Raises Failure when there is no answer."""
    target = call.path + (f"?{call.query_string}" if call.query else "")
    connection = _connection(server, timeout_seconds)
    try:
        connection.request(call.method, target, body=call.body, headers=_signed(server, call))
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    except TimeoutError:
        raise Failure(
            ExitCode.TIMEOUT,
            f"no answer from {server.url} in {timeout_seconds:g} s",
            fix="Look at the server's output.",
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise Failure(
            ExitCode.UNREACHABLE,
            f"can't reach a server at {server.url}",
            why=str(error) or type(error).__name__,
            fix="Start one with: lampion serve",
        ) from None
    finally:
        connection.close()


def ask(server: Server, call: Call, *, timeout_seconds: float) -> Answer:
    """Like `send`, but an error answer of the API raises Failure with the words of the server."""
    answer = send(server, call, timeout_seconds=timeout_seconds)
    if answer.status >= http.client.BAD_REQUEST:
        raise failure_of(answer)
    return answer


def failure_of(answer: Answer) -> Failure:
    """An API error answer as words and exit code."""
    code, message = answer.headers.get("x-amzn-errortype", "").partition(":")[0], ""
    try:
        body = json.loads(answer.body)
    except ValueError:
        body = None
    if isinstance(body, dict):
        message = str(body.get("message") or body.get("Message") or "")
        code = code or str(body.get("__type") or body.get("Type") or "")
    default = ExitCode.SERVER_ERROR if answer.status >= http.client.INTERNAL_SERVER_ERROR else ExitCode.USAGE
    exit_code = _EXIT_CODE_OF_STATUS.get(answer.status, default)
    return Failure(exit_code, f"{code or 'HTTP error'} ({answer.status})", why=message, fix=fix_of(exit_code, code))


def fix_of(exit_code: ExitCode, code: str) -> str:
    """`code` is that of the API's error. Who was recognised needs another policy, not another key."""
    if code in ("AccessDenied", "AccessDeniedException"):
        return "Ask who may change policies here: `lampion iam explain` says what they allow."
    return {
        ExitCode.ACCESS_DENIED: 'Take the key of this server: eval "$(lampion env)"',
        ExitCode.NOT_FOUND: "List what there is with: aws lambda list-functions",
        ExitCode.THROTTLED: "Wait for running invocations to end, then try again.",
    }.get(exit_code, "")


def _connection(server: Server, timeout_seconds: float) -> http.client.HTTPConnection:
    address = urlsplit(server.url)
    assert address.hostname is not None
    if address.scheme == "https":
        from lampion.cli.trust import trust_of

        context = trust_of(server)
        return http.client.HTTPSConnection(address.hostname, address.port, timeout=timeout_seconds, context=context)
    return http.client.HTTPConnection(address.hostname, address.port, timeout=timeout_seconds)


def _signed(server: Server, call: Call) -> dict[str, str]:
    """The call's headers and the two that prove who calls."""
    headers = {"Host": server.host, **call.headers}
    signer = Signer(server.access_key_id, server.secret_access_key, server.region, call.service, server.session_token)
    lower = {name.lower(): value for name, value in headers.items()}
    return headers | signer.sign(call.method, call.path, call.query_string, lower, call.body, time.time())
