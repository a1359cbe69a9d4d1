"""The two ways in which a batch comes to its subscriber: as an HTTP request, or as lines over a plain connection."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from lampion.endpoints.exchange import ConnectionFailed, Exchange
from lampion.function_telemetry import subscription
from lampion.function_telemetry.subscription import Destination

_ANSWER_BYTES: Final = 64 * 1024
"""What a subscriber may say to a request; nobody reads it."""
_ACCEPTED: Final = range(200, 300)
_READS: Final = 16


class Connect(Protocol):
    """A connection to who listens at that port inside the sandbox. Raises Exception when there can't be one."""

    async def __call__(self, port: int) -> socket.socket: ...


class NotAccepted(Exception):
    """The subscriber answered, but not that it has the batch."""


class Sender(Protocol):
    """Keeps a connection while it is of use."""

    async def send(self, batch: Sequence[bytes]) -> None:
        """Returns when the subscriber has it, as far as can be known. Raises Exception when it hasn't."""

    def close(self) -> None: ...


class HttpSender:
    """An array of events a request. Redirects aren't followed: they are no acceptance."""

    def __init__(self, destination: Destination, connect: Connect) -> None:
        self._destination = destination
        self._connect = connect
        self._exchange: Exchange | None = None

    async def send(self, batch: Sequence[bytes]) -> None:
        request = self._request(batch)
        try:
            status = await self._ask(request)
        except ConnectionFailed as error:
            if not error.before_answer:
                raise
            status = await self._ask(request)  # it had been closed since the last request
        if status not in _ACCEPTED:
            raise NotAccepted(f"the subscriber answered {status}")

    async def _ask(self, request: bytes) -> int:
        exchange = self._exchange
        if exchange is None or not exchange.is_reusable:
            made = await self._connect(self._destination.port)
            try:
                _, exchange = await asyncio.get_running_loop().create_connection(
                    lambda: Exchange(_ANSWER_BYTES), sock=made
                )
            except BaseException:
                made.close()
                raise
            self._exchange = exchange
        answer = await exchange.ask(request)
        if not exchange.is_reusable:
            self.close()
        return answer.status

    def _request(self, batch: Sequence[bytes]) -> bytes:
        body = b"[" + b",".join(batch) + b"]"
        to = self._destination
        head = (
            f"{to.method} {to.target} HTTP/1.1\r\nHost: {to.host}\r\nUser-Agent: lampion\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def close(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.close()


class TcpSender:
    """An event a line. That somebody has read it can't be known, only that the connection took it."""

    def __init__(self, destination: Destination, connect: Connect) -> None:
        self._destination = destination
        self._connect = connect
        self._connection: socket.socket | None = None

    async def send(self, batch: Sequence[bytes]) -> None:
        if self._connection is None or _has_ended(self._connection):
            self.close()
            self._connection = await self._connect(self._destination.port)
        try:
            await asyncio.get_running_loop().sock_sendall(self._connection, b"\n".join(batch) + b"\n")
        except BaseException:
            self.close()  # who reads on would find half of an event
            raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _has_ended(connection: socket.socket) -> bool:
    """Whether the other side has closed; what it says before that is nothing that anybody asked for."""
    try:
        for _ in range(_READS):  # who talks without end has not
            if connection.recv(_ANSWER_BYTES) == b"":
                return True
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False


def sender(destination: Destination, connect: Connect) -> Sender:
    return _SENDERS[destination.protocol](destination, connect)


_SENDERS: Final[dict[subscription.Protocol, Callable[[Destination, Connect], Sender]]] = {
    subscription.Protocol.HTTP: HttpSender,
    subscription.Protocol.TCP: TcpSender,
}
