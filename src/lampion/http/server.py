"""A listener: its connections, their limits, and an end that lets running requests finish."""

import asyncio
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lampion.clock.clock import Clock, Timer
from lampion.http.application import Application
from lampion.http.connection import Connection
from lampion.http.limits import HttpLimits
from lampion.http.wire import ResponseWriter

if TYPE_CHECKING:
    import ssl

_TLS_GOODBYE_SECONDS: Final = 5.0
"""How long a client may take to agree that a connection ends."""


@dataclass(slots=True)
class Usage:
    """What listeners that share it hold at the moment."""

    held_bytes: int = 0
    connections: int = 0


class HttpServer:
    """Serves one application on one listening socket."""

    def __init__(
        self, application: Application, clock: Clock, limits: HttpLimits | None = None, usage: Usage | None = None
    ) -> None:
        self.clock = clock
        self.limits = limits or HttpLimits()
        self.writer = ResponseWriter(clock)
        self.closing = False
        self.usage = usage or Usage()
        self._application = application
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._check: Timer | None = None

    async def start(self, listener: socket.socket, tls: "ssl.SSLContext | None" = None) -> None:
        """Begin to accept on a bound, listening TCP socket; the server owns it from now on. With `tls`: HTTPS."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self, self._application),
            sock=listener,
            backlog=1024,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else self.limits.head_seconds,
            ssl_shutdown_timeout=None if tls is None else _TLS_GOODBYE_SECONDS,
        )

    async def close(self, grace_seconds: float) -> None:
        """Stop accepting, let answers that are owed go out for up to `grace_seconds`, then cut the rest."""
        self.closing = True
        if self._server is not None:
            self._server.close()
        if self._check is not None:
            self._check.cancel()
        end = self.clock.monotonic() + grace_seconds
        for connection in tuple(self._connections):
            connection.close_if_idle()
        while self._connections and self.clock.monotonic() < end:
            await self.clock.sleep(0.02)
            for connection in tuple(self._connections):
                connection.close_if_idle()
        for connection in tuple(self._connections):
            connection.abort()

    def admit(self, connection: Connection) -> bool:
        """Whether there is room for one more connection; counts it if so."""
        limits, usage = self.limits, self.usage
        if self.closing or len(self._connections) >= limits.connections or usage.connections >= limits.all_connections:
            return False
        self._connections.add(connection)
        usage.connections += 1
        if self._check is None:
            self._schedule_check()
        return True

    def forget(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            self.usage.connections -= 1

    def _schedule_check(self) -> None:
        """Only while there is somebody to check: a listener that nobody uses costs no timer."""
        self._check = None
        if self.limits.check_seconds is not None and self._connections:
            self._check = self.clock.call_later(self.limits.check_seconds, self._check_silence)

    def _check_silence(self) -> None:
        now = self.clock.monotonic()
        for connection in tuple(self._connections):
            connection.check_silence(now)
        self._schedule_check()
