"""A listener that serves HTTPS: what it agrees to, and what becomes of who speaks something else."""

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lampion.clock.clock import SystemClock
from lampion.http.limits import HttpLimits
from lampion.http.server import HttpServer
from lampion.http.tls import TlsError, server_context
from tests.component.http.test_server import Echo
from tests.tls import CERTIFICATE, KEY, LOCKED_KEY, OTHER_KEY

REQUEST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"


@asynccontextmanager
async def serving(limits: HttpLimits | None = None) -> AsyncIterator[tuple[HttpServer, int]]:
    server = HttpServer(Echo(), SystemClock(), limits)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    await server.start(listener, server_context(CERTIFICATE, KEY))
    try:
        yield server, port
    finally:
        await server.close(grace_seconds=0)


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=CERTIFICATE)


async def ask(port: int, context: ssl.SSLContext, request: bytes = REQUEST, times: int = 1) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    answer = b""
    for _ in range(times):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        answer += head + await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
    writer.close()
    return answer


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_requests_on_one_connection(version: ssl.TLSVersion) -> None:
    context = trusting()
    context.minimum_version = context.maximum_version = version
    async with serving() as (server, port):
        answer = await ask(port, context, times=3)
        assert answer.count(b"HTTP/1.1 200 OK") == answer.count(b"hello") == 3
        large = b"x" * 900
        assert large in await ask(port, context, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n" + large)
        for _ in range(100):
            if not server.usage.connections:
                break
            await asyncio.sleep(0.01)
        assert server.usage.connections == 0


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
async def test_older_versions_are_refused() -> None:
    context = trusting()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with serving() as (_, port):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await ask(port, context)
        assert b"200 OK" in await ask(port, trusting())


async def test_who_speaks_plainly_is_cut_off_and_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving() as (server, port):
        for plain in (REQUEST, b"\0" * 100, b""):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(plain)
            writer.write_eof()
            try:
                answer = await asyncio.wait_for(reader.read(), 5)
            except ConnectionError:
                answer = b""
            assert b"HTTP/" not in answer
            writer.close()
        assert server.usage.connections == 0
        assert b"200 OK" in await ask(port, trusting())
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_who_says_nothing_is_cut_off_in_time() -> None:
    async with serving(HttpLimits(head_seconds=0.2)) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


def test_what_is_no_pair_is_refused_in_plain_words(tmp_path: Path) -> None:
    nonsense, missing = tmp_path / "nonsense.pem", tmp_path / "missing.pem"
    nonsense.write_text("nonsense")
    for certificate, key, words in (
        (missing, KEY, f"{missing} is not there"),
        (CERTIFICATE, missing, f"{missing} is not there"),
        (tmp_path, KEY, f"{tmp_path} is not there, or is no file"),
        (nonsense, KEY, f"{nonsense} and {KEY} aren't a certificate and its key in PEM form"),
        (CERTIFICATE, nonsense, f"{CERTIFICATE} and {nonsense} aren't a certificate and its key in PEM form"),
        (KEY, CERTIFICATE, "aren't a certificate and its key in PEM form"),
        (CERTIFICATE, OTHER_KEY, f"the key in {OTHER_KEY} doesn't belong to the certificate in {CERTIFICATE}"),
        (CERTIFICATE, LOCKED_KEY, "the key is protected by a password"),
    ):
        with pytest.raises(TlsError) as refusal:
            server_context(certificate, key)
        assert words in str(refusal.value)


def test_a_file_where_one_may_not_look_is_told_as_one_that_cant_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(Path, "is_file", forbidden)
    with pytest.raises(TlsError, match="is no file that can be read"):
        server_context(CERTIFICATE, KEY)
