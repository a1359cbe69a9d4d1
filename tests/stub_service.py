"""A stub of AWS services over HTTP: checks every signature with our own verifier, answers what a test tells it to."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lampion.aws.sigv4 import Verifier, check

KEY_ID, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a+session/token="


@dataclass(frozen=True)
class Received:
    """A request whose signature was right for `service` and `region`."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    service: str
    region: str
    connection: int


@dataclass
class Stub:
    """Answers the requests in the order of `answers`, the last one again and again; b"" closes without an answer."""

    port: int
    answers: list[bytes] = field(default_factory=lambda: [answer(200, b"{}")])
    received: list[Received] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    silent: bool = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        number = self.connections
        try:
            while await self._exchange(reader, writer, number):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open_connections -= 1
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        pairs = [line.split(": ", 1) for line in head[1:] if line]
        headers = {name.lower(): value for name, value in pairs}
        assert len(headers) == len(pairs), "a header came twice"
        body = await reader.readexactly(int(headers["content-length"]))
        self._take(method, path, headers, body, number)
        if self.silent:
            await reader.read()
            return False
        told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        writer.write(told)
        await writer.drain()
        return bool(told) and b"connection: close" not in told

    def _take(self, method: str, path: str, headers: dict[str, str], body: bytes, number: int) -> None:
        try:
            scope = headers["authorization"].partition("Credential=")[2].partition(",")[0].split("/")
            region, service = scope[2], scope[3]
            claim = Verifier(region, service).read_credential(method, path, "", headers, time.time())
            check(claim, SECRET, body)
            assert claim.access_key_id == KEY_ID
        except Exception as error:
            self.refused.append(f"{type(error).__name__}: {error}")
            raise ConnectionError from error
        self.received.append(Received(method, path, headers, body, service, region, number))


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    """An HTTP answer with its length."""
    head = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status} Words\r\ncontent-length: {len(body)}\r\n{head}\r\n".encode("latin-1") + body


@asynccontextmanager
async def stub_service(tls: ssl.SSLContext | None = None) -> AsyncIterator[Stub]:
    """On a free port of 127.0.0.1 for the duration of the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    stub = Stub(listener.getsockname()[1])
    server = await asyncio.start_server(stub.talk, sock=listener, ssl=tls)
    try:
        yield stub
    finally:
        server.close()
        await asyncio.sleep(0)
    assert stub.refused == []
