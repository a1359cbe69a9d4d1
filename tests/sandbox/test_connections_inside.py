"""What the server reaches inside a sandbox, on every driver: what listens on its loopback, and nothing else."""

import asyncio
import socket

import pytest

from lampion.sandbox.driver import SandboxError
from tests.sandbox.boxes import output_of, patiently, read, spec_of, started

LISTEN = """if True:
    import os, socket
    listener = socket.create_server(('127.0.0.1', 0))
    os.write(1, b'%d\\n' % listener.getsockname()[1])
    while True:
        peer, _ = listener.accept()
        peer.sendall(peer.recv(100).upper()); peer.close()"""


async def test_the_server_reaches_what_listens_inside(driver):
    loop = asyncio.get_running_loop()
    async with started(driver, spec_of(LISTEN)) as sandbox:
        port = int(await read(sandbox.output, until=b"\n"))
        async with asyncio.timeout(patiently(20)):
            connections = await asyncio.gather(*(sandbox.connect(port) for _ in range(3)))
            for connection in connections:
                assert not connection.getblocking()
                await loop.sock_sendall(connection, b"hello")
            for connection in connections:
                with connection:
                    assert await loop.sock_recv(connection, 100) == b"HELLO"


async def test_where_nobody_listens_a_connection_is_refused(driver):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]  # of the host, where a sandbox of its own network has nobody
        if not driver.capabilities().private_network:
            taken.close()
        async with started(driver, spec_of("import time; time.sleep(60)")) as sandbox:
            async with asyncio.timeout(patiently(20)):
                with pytest.raises(ConnectionRefusedError):
                    await sandbox.connect(port)


async def _closed(connecting: "asyncio.Task[socket.socket]") -> BaseException | None:
    """Why there is no connection; None when there was one, as where the network is the server's and never frozen."""
    (ending,) = await asyncio.gather(connecting, return_exceptions=True)
    if isinstance(ending, BaseException):
        return ending
    ending.close()
    return None


async def test_a_frozen_sandbox_is_reached_later_and_one_that_has_ended_never(driver):
    async with started(driver, spec_of(LISTEN)) as sandbox:
        port = int(await read(sandbox.output, until=b"\n"))
        sandbox.freeze()
        await asyncio.sleep(0.05)
        given_up, waiting = (asyncio.create_task(sandbox.connect(port)) for _ in range(2))
        await asyncio.sleep(0.05)
        given_up.cancel()  # what it ordered comes all the same
        sandbox.thaw()
        async with asyncio.timeout(patiently(20)):
            assert await _closed(waiting) is None
            await _closed(given_up)
            sandbox.freeze()
            await asyncio.sleep(0.05)
            left = asyncio.create_task(sandbox.connect(port))
            await asyncio.sleep(0.05)
            await sandbox.stop(0)
            assert isinstance(await _closed(left), SandboxError | None)
            with pytest.raises(SandboxError):
                await sandbox.connect(port)


async def test_the_name_that_extensions_listen_at_is_loopback(driver):
    if not driver.capabilities().private_file_system:
        pytest.skip("without a file system of its own a sandbox has the host's names")
    code = "import socket; print(socket.gethostbyname('sandbox.localdomain'), socket.gethostbyname('sandbox'))"
    assert await output_of(driver, code) == "127.0.0.1 127.0.0.1\n"
