"""A running launcher on the event loop: its messages become futures, its end is awaited and reaped."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable
from typing import Final

from lampion.clock.clock import Clock
from lampion.sandbox.driver import Exit, SandboxError
from lampion.sandbox.launcher.messages import Ended, Failed, Running
from lampion.sandbox.launcher.process import LauncherProcess, receive

_REAP_PAUSE_SECONDS: Final = 0.001


class LauncherConnection:
    """Hears one launcher until it has gone.

    `on_gone` is called once, after the launcher is reaped; its argument says whether it cleaned up after itself.
    """

    def __init__(self, launched: LauncherProcess, clock: Clock, on_gone: Callable[[bool], None]) -> None:
        self._launched = launched
        self._clock = clock
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._listener: asyncio.Future[socket.socket] = self._loop.create_future()
        self._ended: asyncio.Future[Ended] = self._loop.create_future()
        self._told: Ended | None = None
        self._failure = ""
        self._reaper: asyncio.Task[None] | None = None
        self._loop.add_reader(launched.control.fileno(), self._hear)

    @property
    def is_over(self) -> bool:
        return self._ended.done()

    async def running(self) -> socket.socket:
        """Until the function's program runs: the Runtime API's listening socket. Raises SandboxError."""
        return await asyncio.shield(self._listener)

    async def ended(self) -> Ended:
        """Until nothing of the sandbox exists any more."""
        return await asyncio.shield(self._ended)

    def terminate(self) -> None:
        self._send(b"term")

    def kill(self) -> None:
        self._send(b"kill")

    def _send(self, order: bytes) -> None:
        # No socket any more, or one whose other side has gone, means that what is ordered has happened.
        with contextlib.suppress(OSError):
            self._launched.control.send(order)

    def _hear(self) -> None:
        try:
            message, descriptor = receive(self._launched.control)
        except BlockingIOError:
            return
        if message is None:
            self._loop.remove_reader(self._launched.control.fileno())
            self._launched.control.close()
            self._reaper = self._loop.create_task(self._reap())
        elif isinstance(message, Running) and descriptor is not None:
            self._accept(socket.socket(fileno=descriptor))
        elif isinstance(message, Failed):
            self._failure = self._failure or message.text
            self.kill()
        elif isinstance(message, Ended):
            self._told = message

    def _accept(self, listener: socket.socket) -> None:
        listener.setblocking(False)
        if self._listener.done():
            listener.close()
        else:
            self._listener.set_result(listener)

    async def _reap(self) -> None:
        # It closes the socket by exiting, so this is a matter of microseconds.
        while self._launched.process.poll() is None:
            await self._clock.sleep(_REAP_PAUSE_SECONDS)
        is_clean = self._told is not None or bool(self._failure)
        self._on_gone(is_clean)
        self._ended.set_result(self._told or Ended(Exit(None, signal.SIGKILL), 0))
        if not self._listener.done():
            self._listener.set_exception(SandboxError(self._failure or "the sandbox launcher was killed"))
            self._listener.exception()  # who gave up waiting needn't hear of it
