"""A runtime played by a coroutine: speaks the Runtime API over a real socket, as the test's script says."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

from lampion.sandbox.driver import Exit
from lampion.sandbox.drivers.fake import FakeProcess

API = "/2018-06-01/runtime"


@dataclass(frozen=True)
class Answer:
    """What the Runtime API answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def request_id(self) -> str:
        return self.headers["lambda-runtime-aws-request-id"]


class Runtime:
    """The calls of a runtime, on one keep-alive connection."""

    def __init__(self, process: FakeProcess, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, process: FakeProcess) -> Self:
        host, _, port = process.address.rpartition(":")
        return cls(process, *await asyncio.open_connection(host, int(port)))

    async def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """One request; header names are given with underscores."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.process.address}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        return await self.answer()

    async def answer(self) -> Answer:
        """The answer to the request that was sent."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        received = {name.lower(): value for name, value in pairs}
        length = int(received.get("content-length", "0"))
        return Answer(int(head[0].split()[1]), received, await self._reader.readexactly(length))

    async def next(self) -> Answer:
        return await self.call("GET", f"{API}/invocation/next")

    async def respond(self, request_id: str, value: Any) -> Answer:
        return await self.call("POST", f"{API}/invocation/{request_id}/response", json.dumps(value).encode())

    async def begin_stream(self, request_id: str, **headers: str) -> None:
        """The head of an answer in streaming mode; see `write` and `end_stream`."""
        headers = {"Lambda_Runtime_Function_Response_Mode": "streaming", "Content_Type": "text/plain", **headers}
        lines = [f"POST {API}/invocation/{request_id}/response HTTP/1.1", f"Host: {self.process.address}"]
        lines += [
            "Transfer-Encoding: chunked",
            *(f"{name.replace('_', '-')}: {text}" for name, text in headers.items()),
        ]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())

    async def write(self, piece: bytes) -> None:
        self._writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await self._writer.drain()

    async def end_stream(self, **trailers: str) -> Answer:
        lines = ["0", *(f"{name.replace('_', '-')}: {text}" for name, text in trailers.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        return await self.answer()

    async def stream(self, request_id: str, *pieces: bytes, **trailers: str) -> Answer:
        """A whole answer in streaming mode."""
        await self.begin_stream(request_id)
        for piece in pieces:
            await self.write(piece)
        return await self.end_stream(**trailers)

    async def fail(self, request_id: str, error_type: str, value: Any) -> Answer:
        return await self.call(
            "POST",
            f"{API}/invocation/{request_id}/error",
            json.dumps(value).encode(),
            Lambda_Runtime_Function_Error_Type=error_type,
        )

    async def fail_init(self, error_type: str, value: Any) -> Answer:
        return await self.call(
            "POST", f"{API}/init/error", json.dumps(value).encode(), Lambda_Runtime_Function_Error_Type=error_type
        )

    def close(self) -> None:
        self._writer.close()


Script = Callable[[Runtime], Awaitable[Exit]]


def play(script: Script) -> Callable[[FakeProcess], Awaitable[Exit]]:
    """The program of a fake sandbox that runs `script` as its runtime."""

    async def program(process: FakeProcess) -> Exit:
        runtime = await Runtime.connect(process)
        try:
            return await script(runtime)
        finally:
            runtime.close()

    return program


async def forever(runtime: Runtime) -> Exit:
    """A runtime that does nothing any more."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError


async def echo(runtime: Runtime) -> Exit:
    """A runtime whose function returns its event."""
    while True:
        event = await runtime.next()
        await runtime.respond(event.request_id, json.loads(event.body))
