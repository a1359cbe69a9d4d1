"""The Runtime API's door: one per running sandbox, on the socket that only this sandbox can reach."""

import re
import socket

from lampion.clock.clock import Clock
from lampion.domain.limits import SYNC_RESPONSE_BYTES
from lampion.environments.session import RuntimeSession
from lampion.http.application import Body, Exchange
from lampion.http.limits import SANDBOX_SOCKET
from lampion.http.message import Request, RequestHead, Response
from lampion.http.server import HttpServer
from lampion.runtime_api import credentials, initialization, invocation, restoration, streaming
from lampion.runtime_api.answers import refusal

_NEXT = "/2018-06-01/runtime/invocation/next"
_RESTORE_NEXT = "/2018-06-01/runtime/restore/next"
_RESTORE_ERROR = "/2018-06-01/runtime/restore/error"
_CREDENTIALS = "/2021-04-23/credentials"
_INIT_ERROR = "/2018-06-01/runtime/init/error"
_ANSWER = re.compile(r"/2018-06-01/runtime/invocation/([^/]{1,64})/(response|error)")
_NOT_BUILT = {
    "/2020-01-01/extension/": "the Extensions API",
    "/2020-08-15/logs": "the Logs API",
    "/2022-07-01/telemetry": "the Telemetry API",
}


class RuntimeApiServer:
    """Opens a Runtime API for each session (environments.environment.RuntimeServer)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def open(self, listener: socket.socket, session: RuntimeSession) -> "OpenRuntimeApi":
        server = HttpServer(RuntimeApi(session, self._clock), self._clock, SANDBOX_SOCKET)
        await server.start(listener)
        return OpenRuntimeApi(server)


class OpenRuntimeApi:
    """A Runtime API being served."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server

    async def close(self) -> None:
        await self._server.close(grace_seconds=0)


class RuntimeApi:
    """The endpoints, for one session (http.application.Application)."""

    def __init__(self, session: RuntimeSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def accept(self, head: RequestHead) -> int | Body | Response:
        answer = _ANSWER.fullmatch(head.path)
        if answer is not None and not self._session.knows(answer[1]):
            return invocation.UNKNOWN_REQUEST
        if streaming.RESPONSE_MODE in head.headers and answer is not None and _is_response(head.method, answer):
            return streaming.accept(head)
        return SYNC_RESPONSE_BYTES

    def too_large(self, head: RequestHead) -> Response:
        answer = _ANSWER.fullmatch(head.path)
        return invocation.TOO_LARGE if answer is None else invocation.too_large(self._session, answer[1])

    def start(self, request: Request, exchange: Exchange) -> None:
        method, path = request.head.method, request.head.path
        if request.pieces is not None:
            answer = _ANSWER.fullmatch(path)
            assert answer is not None
            streaming.start(self._session, answer[1], request.head, request.pieces, exchange)
            return
        if path == _NEXT and method == "GET":
            invocation.next_invocation(self._session, exchange)
            return
        if path == _RESTORE_NEXT and method == "GET":
            restoration.next_restore(self._session, exchange)
            return
        invocation.conclude(self._session, request.head, exchange, self._respond(method, path, request))

    def _respond(self, method: str, path: str, request: Request) -> Response:
        answer = _ANSWER.fullmatch(path)
        if answer is not None and method == "POST":
            endpoint = invocation.response if answer[2] == "response" else invocation.error
            return endpoint(self._session, answer[1], request)
        if path == _INIT_ERROR and method == "POST":
            return initialization.init_error(self._session, request)
        if path == _RESTORE_ERROR and method == "POST":
            return restoration.restore_error(self._session, request)
        if path == _CREDENTIALS and method == "GET":
            return credentials.credentials(self._session, request, self._clock)
        for prefix, name in _NOT_BUILT.items():
            if path.startswith(prefix):
                return refusal(501, "NotImplemented", f"Lampion doesn't offer {name} yet.")
        return refusal(404, "NotFound", "No such endpoint of the Runtime API.")


def _is_response(method: str, answer: "re.Match[str]") -> bool:
    return method == "POST" and answer[2] == "response"
