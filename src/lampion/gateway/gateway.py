"""The listener's application: picks the door by host and path, and makes an answer of whatever the door raises."""

import asyncio
import errno
import logging
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from lampion.aws.errors import InternalFailure, serialize_error
from lampion.aws.model import ServiceModel
from lampion.clock.rng import Rng
from lampion.domain.errors import ApiError, ServiceException
from lampion.domain.function_url import PATH_FORM
from lampion.function_url.address import is_function_url_host
from lampion.gateway.door import Door
from lampion.http.application import BrokenOff, ClientGone, Exchange
from lampion.http.message import Request, RequestHead, Response, StreamedResponse
from lampion.store.errors import StoreError

_OWN_PREFIX = "/_lampion/"
_NOT_STORED = "The Lambda service encountered an internal error: its disk or its store can't be used now."
_OF_THE_DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS))
_FUNCTION_URLS = PATH_FORM.strip("/").rpartition("/")[2]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Visit:
    """What the gateway knows of a request between its head and its answer."""

    door: Door
    request_id: str
    findings: Any = None


class Gateway:
    """All doors on one port (http.application.Application)."""

    def __init__(
        self, *, service: ServiceModel, aws_api: Door, function_urls: Door, own: dict[str, Door], rng: Rng
    ) -> None:
        self._service = service
        self._aws_api = aws_api
        self._function_urls = function_urls
        self._own = {**own, _FUNCTION_URLS: function_urls}
        self._rng = rng
        self._tasks: set[asyncio.Task[None]] = set()

    def accept(self, head: RequestHead) -> int | Response:
        request_id = self._rng.uuid4()
        door = self._door(head)
        head.findings = None
        try:
            allowance = door.accept(head)
        except ApiError as error:
            return self._refusal(error, request_id)
        except Exception:
            return self._failure(request_id)
        head.findings = _Visit(door, request_id, head.findings)
        return allowance

    def too_large(self, head: RequestHead) -> Response:
        visit: _Visit = head.findings
        head.findings = visit.findings
        error = visit.door.too_large(head)
        return (
            self._refusal(error, visit.request_id) if isinstance(error, ApiError) else self._failure(visit.request_id)
        )

    def start(self, request: Request, exchange: Exchange) -> None:
        self._tasks.add(asyncio.get_running_loop().create_task(self._serve(request, exchange)))

    async def _serve(self, request: Request, exchange: Exchange) -> None:
        response = await self._answer(request)
        if isinstance(response, StreamedResponse):
            await _pump(response, exchange)
        self._tasks.discard(asyncio.current_task())
        if isinstance(response, Response):
            exchange.respond(response)

    async def _answer(self, request: Request) -> Response | StreamedResponse:
        visit: _Visit = request.head.findings
        request.head.findings = visit.findings
        try:
            return await visit.door.serve(request, visit.request_id)
        except ApiError as error:
            return self._refusal(error, visit.request_id)
        except (StoreError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in _OF_THE_DISK:
                return self._failure(visit.request_id)
            _log.error("request %s was not served: %s", visit.request_id, error)
            return self._refusal(ServiceException(_NOT_STORED), visit.request_id)
        except Exception:
            return self._failure(visit.request_id)

    def _door(self, head: RequestHead) -> Door:
        """By host before anything else: under the name of a function URL, every path is the function's."""
        if is_function_url_host(head.headers.get("host", "")):
            return self._function_urls
        path = head.path
        if path.startswith(_OWN_PREFIX):
            name = path[len(_OWN_PREFIX) :].partition("/")[0]
            return self._own.get(name, self._aws_api)
        return self._aws_api

    def _refusal(self, error: ApiError, request_id: str) -> Response:
        answer = serialize_error(self._service, error, request_id)
        return Response(answer.status, answer.body, answer.headers)

    def _failure(self, request_id: str) -> Response:
        """An exception that no room foresaw: logged with the request's id, told without detail."""
        _log.exception("request %s failed", request_id)
        return self._refusal(InternalFailure("The request failed inside Lampion; its log says why."), request_id)


async def _pump(response: StreamedResponse, exchange: Exchange) -> None:
    """Write the pieces as fast as the client takes them. Where they fail, the answer breaks off: its head is gone."""
    exchange.on_disconnect(response.close)
    body = exchange.begin(Response(response.status, headers=response.headers))
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
