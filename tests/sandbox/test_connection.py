"""The server's end of the connection with a launcher or a keeper, on the event loops that we run on."""

import asyncio
import os
import socket

import pytest
import uvloop

from lampion.sandbox.driver import Exit, SandboxError
from lampion.sandbox.launcher.connection import LauncherConnection
from lampion.sandbox.launcher.daemon import Launched
from tests.sandbox.boxes import PATIENCE_SECONDS


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_all_is_heard_of_who_ended_without_having_read_our_last_word(loop_factory):
    async def scenario() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        output, telemetry = os.pipe()
        gone: list[bool] = []
        connection = LauncherConnection(Launched(ours, output, telemetry), gone.append)
        connection.kill()
        for message in (b"running", b"exit code 7 oom 0 peak 5 killed 0"):
            theirs.send(message)
        theirs.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            ended = await connection.ended()
        assert (ended.exit, ended.peak_bytes, gone) == (Exit(7), 5, [True])
        os.close(output)
        os.close(telemetry)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(scenario())


async def test_sockets_come_to_who_ordered_them_in_turn_and_nobody_waits_for_ever():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    output, telemetry = os.pipe()
    connection = LauncherConnection(Launched(ours, output, telemetry), lambda _: None)
    first, refused, cancelled, last = (asyncio.create_task(connection.new_socket()) for _ in range(4))
    await asyncio.sleep(0)
    cancelled.cancel()
    assert [theirs.recv(100) for _ in range(4)] == [b"socket"] * 4
    with socket.socket() as made:
        socket.send_fds(theirs, [b"socket"], [made.fileno()])
        theirs.send(b"socket")
        socket.send_fds(theirs, [b"socket"], [made.fileno()])
        async with asyncio.timeout(PATIENCE_SECONDS):
            (await first).close()
            with pytest.raises(SandboxError, match="no more sockets"):
                await refused
    theirs.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(SandboxError):
            await last
        with pytest.raises(SandboxError):
            await connection.new_socket()
    os.close(output)
    os.close(telemetry)
