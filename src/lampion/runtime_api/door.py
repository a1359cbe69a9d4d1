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
from lampion.runtime_api import credentials, extensions, initialization, invocation, restoration, streaming, telemetry
from lampion.runtime_api.answers import refusal

_NEXT = "/2018-06-01/runtime/invocation/next"
_RESTORE_NEXT = "/2018-06-01/runtime/restore/next"
_RESTORE_ERROR = "/2018-06-01/runtime/restore/error"
_CREDENTIALS = "/2021-04-23/credentials"
_INIT_ERROR = "/2018-06-01/runtime/init/error"
_ANSWER = re.compile(r"/2018-06-01/runtime/invocation/([^/]{1,64})/(response|error)")
_RESPONSE = "response"
_Answer = tuple[str, str]
"""What a path that answers an invocation says: the invocation's id, and _RESPONSE or "error"."""


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
        if answer is None:
            return SYNC_RESPONSE_BYTES
        head.findings = request_id, endpoint = answer.groups()
        if not self._session.knows(request_id):
            return invocation.UNKNOWN_REQUEST
        if streaming.RESPONSE_MODE in head.headers and head.method == "POST" and endpoint == _RESPONSE:
            return streaming.accept(head)
        return SYNC_RESPONSE_BYTES

    def too_large(self, head: RequestHead) -> Response:
        answer: _Answer | None = head.findings
        return invocation.TOO_LARGE if answer is None else invocation.too_large(self._session, answer[0])

    def start(self, request: Request, exchange: Exchange) -> None:
        head = request.head
        answer: _Answer | None = head.findings
        if answer is None or head.method != "POST":
            self._start_other(request, exchange)
        elif request.pieces is not None:
            streaming.start(self._session, answer[0], head, request.pieces, exchange)
        else:
            respond = invocation.response if answer[1] == _RESPONSE else invocation.error
            invocation.conclude(self._session, head, exchange, respond(self._session, answer[0], request))

    def _start_other(self, request: Request, exchange: Exchange) -> None:
        method, path = request.head.method, request.head.path
        if path == _NEXT and method == "GET":
            invocation.next_invocation(self._session, exchange)
        elif path == _RESTORE_NEXT and method == "GET":
            restoration.next_restore(self._session, exchange)
        elif path.startswith(extensions.PREFIX) and extensions.serve(self._session, request, exchange):
            return
        else:
            invocation.conclude(self._session, request.head, exchange, self._respond(method, path, request))

    def _respond(self, method: str, path: str, request: Request) -> Response:
        if path == _INIT_ERROR and method == "POST":
            return initialization.init_error(self._session, request)
        if path == _RESTORE_ERROR and method == "POST":
            return restoration.restore_error(self._session, request)
        if path == _CREDENTIALS and method == "GET":
            return credentials.credentials(self._session, request, self._clock)
        api = telemetry.APIS.get(path.rstrip("/"))
        if api is not None and method == "PUT":
            return telemetry.subscribe(self._session, api, request)
        return refusal(404, "NotFound", "No such endpoint of the Runtime API.")
