"""The gateway as functions reach it: a listening socket in each sandbox, served from its first connection on."""

import asyncio
import socket
from typing import Final

from lampion.clock.clock import Clock
from lampion.http.application import Application
from lampion.http.limits import HttpLimits
from lampion.http.server import HttpServer, Usage

_LIMITS: Final = HttpLimits(connections=64, all_connections=4096, held_bytes=256 * 1024 * 1024)
"""A sandbox's own share is small; what all sandboxes hold together can't crowd out the server's other clients."""


class FunctionDoors:
    """Opens a door for each sandbox (environments.server_access.Doors), once it is known what is behind them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._usage = Usage()
        self._application: Application | None = None

    def lead_to(self, application: Application) -> None:
        """Called once, before there are sandboxes: what is behind the doors needs the room that has sandboxes."""
        self._application = application

    def open(self, listener: socket.socket) -> "FunctionDoor":
        assert self._application is not None
        return FunctionDoor(listener, HttpServer(self._application, self._clock, _LIMITS, self._usage))


class FunctionDoor:
    """One sandbox's. While nobody knocks it is a descriptor that the event loop watches, and nothing else."""

    def __init__(self, listener: socket.socket, server: HttpServer) -> None:
        self._listener = listener
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._opening: asyncio.Task[None] | None = None
        self._loop.add_reader(listener.fileno(), self._open)

    async def close(self) -> None:
        """Nobody can be there any more: the sandbox has ended."""
        if self._opening is None:
            self._loop.remove_reader(self._listener.fileno())
            self._listener.close()
            return
        try:
            await self._opening
        except OSError:
            self._listener.close()
        await self._server.close(grace_seconds=0)

    def _open(self) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._opening = self._loop.create_task(self._server.start(self._listener))
