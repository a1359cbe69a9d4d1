"""A small HTTP/1.1 client: connections kept and used again, time limits, verified TLS; it follows no redirects."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock, Timer
from lampion.endpoints.address import Origin
from lampion.endpoints.errors import ServiceUnreachable
from lampion.endpoints.exchange import ConnectionFailed, Exchange, HttpAnswer

_IDLE_CONNECTIONS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long a connection may take to be made, an answer to come, and an unused connection to be kept."""

    connect_seconds: float = 5.0
    answer_seconds: float = 30.0
    idle_seconds: float = 15.0


@dataclass(slots=True)
class _Kept:
    """A connection that waits for its next request."""

    exchange: Exchange
    expiry: Timer


class HttpClient:
    """Sends requests; opens nothing before the first one."""

    def __init__(self, clock: Clock, *, ca_bundle: Path | None = None, limits: TimeLimits | None = None) -> None:
        self._clock = clock
        self._ca_bundle = ca_bundle
        self._limits = limits or TimeLimits()
        self._kept: dict[Origin, list[_Kept]] = {}
        self._tls: ssl.SSLContext | None = None
        self._closed = False

    async def send(self, origin: Origin, request: bytes) -> HttpAnswer:
        """The answer to a whole request as it stands on the wire, whatever its status. Raises ServiceUnreachable.

        A connection that was kept may have been closed meanwhile: then the request is sent once more, on a new one.
        """
        try:
            kept = self._take(origin)
            if kept is not None:
                try:
                    return await self._ask(origin, kept, request)
                except ConnectionFailed as error:
                    if not error.before_answer:
                        raise
            return await self._ask(origin, await self._connect(origin), request)
        except ConnectionFailed as error:
            raise ServiceUnreachable(str(error)) from None

    async def close(self) -> None:
        """Close the connections that wait. Requests under way end on their own."""
        self._closed = True
        for kept in [one for several in self._kept.values() for one in several]:
            kept.expiry.cancel()
            kept.exchange.close()
        self._kept.clear()

    async def _ask(self, origin: Origin, exchange: Exchange, request: bytes) -> HttpAnswer:
        async with self._returned(origin, exchange):
            try:
                async with self._clock.deadline(self._limits.answer_seconds):
                    return await exchange.ask(request)
            except TimeoutError:
                raise ServiceUnreachable(f"no answer within {self._limits.answer_seconds:g} s") from None

    @asynccontextmanager
    async def _returned(self, origin: Origin, exchange: Exchange) -> AsyncIterator[None]:
        """Kept for the next request after a whole answer, closed after anything else."""
        try:
            yield
        finally:
            waiting = self._kept.setdefault(origin, [])
            if exchange.is_reusable and not self._closed and len(waiting) < _IDLE_CONNECTIONS_MAX:
                kept = _Kept(exchange, self._clock.call_later(self._limits.idle_seconds, lambda: self._expire(origin)))
                waiting.append(kept)
            else:
                exchange.close()

    def _take(self, origin: Origin) -> Exchange | None:
        """The connection used last, as it is the likeliest to be still open."""
        waiting = self._kept.get(origin, [])
        while waiting:
            kept = waiting.pop()
            kept.expiry.cancel()
            if kept.exchange.is_reusable:
                return kept.exchange
        return None

    def _expire(self, origin: Origin) -> None:
        """The timer of the connection that has waited longest has run out: they are kept in order."""
        if waiting := self._kept.get(origin):
            waiting.pop(0).exchange.close()

    async def _connect(self, origin: Origin) -> Exchange:
        loop = asyncio.get_running_loop()
        tls = await self._tls_context() if origin.is_tls else None
        try:
            async with self._clock.deadline(self._limits.connect_seconds):
                _, exchange = await loop.create_connection(
                    Exchange, origin.host, origin.port, ssl=tls, server_hostname=origin.host if tls else None
                )
        except TimeoutError:
            raise ServiceUnreachable(f"no connection within {self._limits.connect_seconds:g} s") from None
        except ssl.SSLCertVerificationError as error:
            raise ServiceUnreachable(f"the server's certificate is not trusted: {error.verify_message}") from None
        except OSError as error:
            raise ServiceUnreachable(error.strerror or str(error) or type(error).__name__) from None
        return exchange

    async def _tls_context(self) -> ssl.SSLContext:
        """Made once, in a thread: reading the authorities takes tens of milliseconds."""
        if self._tls is None:
            bundle = str(self._ca_bundle) if self._ca_bundle else None
            try:
                self._tls = await asyncio.to_thread(ssl.create_default_context, cafile=bundle)
            except OSError as error:
                raise ServiceUnreachable(f"the certificates in {bundle} can't be read: {error.strerror}") from None
        return self._tls
