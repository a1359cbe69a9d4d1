"""The listener's application: picks the door by host and path, and makes an answer of whatever the door raises."""

import asyncio
import errno
import logging
import re
from collections.abc import Mapping
from contextlib import aclosing
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from lampion.aws.errors import InternalFailure, serialize_error
from lampion.aws.model import ServiceModel
from lampion.clock.rng import Rng
from lampion.domain.errors import ApiError, ServiceException
from lampion.domain.function_url import PATH_FORM
from lampion.function_url.address import is_function_url_host
from lampion.gateway.door import Door, refusal_in_own_form
from lampion.gateway.other_services import OtherServices
from lampion.http.application import Body, BrokenOff, ClientGone, Exchange
from lampion.http.message import Request, RequestHead, Response, StreamedResponse
from lampion.http.queued_body import QueuedBody
from lampion.store.errors import StoreError

_OWN_PREFIX = "/_lampion/"
_NOT_STORED = "The Lambda service encountered an internal error: its disk or its store can't be used now."
_OF_THE_DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS))
_FUNCTION_URLS = PATH_FORM.strip("/").rpartition("/")[2]

_IDLE_PORTERS: Final = 64
"""So many are kept for what comes next; it takes longer to make one than to wake it."""

_SCOPE: Final = re.compile(r"Credential=[^/\s]{1,128}/\d{8}/[a-z0-9-]{1,64}/([a-z0-9-]{1,64})/aws4_request")
"""Bounded in all its parts: it is looked for in what strangers send, who could write its beginning a thousand times."""

_TARGET_OF_KMS: Final = "TrentService."
_FORM: Final = "application/x-www-form-urlencoded"

_log = logging.getLogger(__name__)


class _Visit(msgspec.Struct):
    """What the gateway knows of a request between its head and its answer."""

    door: Door
    request_id: str
    findings: Any = None


class Gateway:
    """All doors on one port (http.application.Application)."""

    def __init__(
        self,
        *,
        service: ServiceModel,
        aws_api: Door,
        registry: Door,
        registry_api: Door,
        function_urls: Door,
        own: dict[str, Door],
        rng: Rng,
        services: Mapping[str, Door] = MappingProxyType({}),
        other_services: OtherServices | None = None,
    ) -> None:
        """`registry` is what clients of container images speak with, `registry_api` is ECR; `services` are further ones
        that are all at `/`, by the name that requests are signed for.
        """
        self._service = service
        self._aws_api = aws_api
        self._registry = registry
        self._registry_api = registry_api
        self._function_urls = function_urls
        self._services = services
        self._other_services = other_services
        self._own = {**own, _FUNCTION_URLS: function_urls}
        self._rng = rng
        self._porters: set[asyncio.Task[None]] = set()
        self._idle: list[asyncio.Future[tuple[Request, Exchange]]] = []

    def accept(self, head: RequestHead) -> int | Body | Response:
        request_id = self._rng.uuid4()
        door = self._door(head)
        try:
            allowance = door.accept(head)
        except Exception as error:
            return self._response_to(error, door, request_id)
        head.findings = _Visit(door, request_id, head.findings)
        return allowance

    def too_large(self, head: RequestHead) -> Response:
        visit: _Visit = head.findings
        head.findings = visit.findings
        return self._response_to(visit.door.too_large(head), visit.door, visit.request_id)

    def start(self, request: Request, exchange: Exchange) -> None:
        if request.pieces is not None:
            request.queue = QueuedBody(request.pieces)
        if self._idle:
            turn = self._idle.pop()
        else:
            loop = asyncio.get_running_loop()
            turn = loop.create_future()
            porter = loop.create_task(self._work(turn))
            self._porters.add(porter)
            porter.add_done_callback(self._porters.discard)
        turn.set_result((request, exchange))

    async def _work(self, turn: asyncio.Future[tuple[Request, Exchange]]) -> None:
        """Serve one request after the other, as long as not too many others wait for one as well."""
        loop = asyncio.get_running_loop()  # asked once: it costs a system call
        while True:
            await self._serve(*await turn)
            if len(self._idle) >= _IDLE_PORTERS:
                return
            turn = loop.create_future()
            self._idle.append(turn)

    async def _serve(self, request: Request, exchange: Exchange) -> None:
        visit: _Visit = request.head.findings
        request.head.findings = visit.findings
        try:
            response = await visit.door.serve(request, visit.request_id)
        except Exception as error:
            response = self._response_to(error, visit.door, visit.request_id)
        if request.queue is not None:
            request.queue.discard()
        if isinstance(response, Response):
            exchange.respond(response)
        else:
            await _pump(response, exchange)

    def _response_to(self, error: Exception, door: Door, request_id: str) -> Response:
        """What a door raised, as an answer. Called where it is caught."""
        told = error if isinstance(error, ApiError) else _told_of(error, request_id)
        refusal = refusal_in_own_form(door)
        if refusal is not None:
            return refusal(told, request_id)
        answer = serialize_error(self._service, told, request_id)
        return Response(answer.status, answer.body, answer.headers)

    def _door(self, head: RequestHead) -> Door:
        """By host before anything else: under the name of a function URL, every path is the function's."""
        if is_function_url_host(head.headers.get("host", "")):
            return self._function_urls
        path = head.path
        if path.startswith(_OWN_PREFIX):
            name = path[len(_OWN_PREFIX) :].partition("/")[0]
            return self._own.get(name, self._aws_api)
        if path == "/" and self._services and (service := self._services.get(_meant_service(head))) is not None:
            return service
        if path == "/" and self._other_services is not None and self._other_services.serves(head):
            return self._other_services
        if path.startswith("/v2/") or path == "/v2":
            return self._registry
        if path == "/" and "x-amz-target" in head.headers:
            return self._registry_api
        return self._aws_api


def _told_of(error: Exception, request_id: str) -> ApiError:
    """Of an exception that is no answer: logged with the request's id, told without detail."""
    if isinstance(error, StoreError) or (isinstance(error, OSError) and error.errno in _OF_THE_DISK):
        _log.error("request %s was not served: %s", request_id, error)
        return ServiceException(_NOT_STORED)
    _log.error("request %s failed", request_id, exc_info=error)
    return InternalFailure("The request failed inside Lampion; its log says why.")


def _meant_service(head: RequestHead) -> str:
    """The service in the scope of the signature, whether or not it is right. What is unsigned is told so in the form
    that its client reads: IAM's and STS's are one.
    """
    scope = _SCOPE.search(head.headers.get("authorization") or unquote(head.query))
    if scope is not None:
        return scope[1]
    if head.headers.get("x-amz-target", "").startswith(_TARGET_OF_KMS):
        return "kms"
    is_form = head.headers.get("content-type", "").startswith(_FORM) or head.query.startswith("Action=")
    return "sts" if is_form else ""


async def _pump(response: StreamedResponse, exchange: Exchange) -> None:
    """Write the pieces as fast as the client takes them. Where they fail, the answer breaks off: its head is gone."""
    exchange.on_disconnect(response.close)
    body = exchange.begin(Response(response.status, headers=response.headers), response.size_bytes)
    try:
        async with aclosing(response.pieces) as pieces:
            async for piece in pieces:
                await body.write(piece)
    except (ClientGone, BrokenOff):
        body.abort()
    except Exception:
        _log.exception("an answer broke off")
        body.abort()
    else:
        body.end()
    finally:
        response.close()
