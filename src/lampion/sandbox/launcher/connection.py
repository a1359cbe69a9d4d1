"""One sandbox's launcher on the event loop: its messages become futures."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable

from lampion.sandbox.driver import Exit, SandboxError
from lampion.sandbox.launcher.daemon import Launched, receive, specialise
from lampion.sandbox.launcher.messages import Ended, Failed, Message, Prepared, Running


class LauncherConnection:
    """Hears one launcher until it has gone.

    `on_gone` is called once, when it has; its argument says whether it cleaned up after itself.
    """

    def __init__(self, launched: Launched, on_gone: Callable[[bool], None]) -> None:
        self._control = launched.control
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._listener: asyncio.Future[socket.socket] = self._loop.create_future()
        self._running: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[Ended] = self._loop.create_future()
        self._told: Ended | None = None
        self._failure = ""
        self._loop.add_reader(self._control.fileno(), self._hear)

    @property
    def is_over(self) -> bool:
        return self._ended.done()

    async def prepared(self) -> socket.socket:
        """Until the sandbox can be specialised: the Runtime API's listening socket. Raises SandboxError."""
        return await asyncio.shield(self._listener)

    async def running(self) -> None:
        """Until the function's process runs. Raises SandboxError."""
        await asyncio.shield(self._running)

    async def ended(self) -> Ended:
        """Until nothing of the sandbox exists any more."""
        return await asyncio.shield(self._ended)

    def specialise(self, description: bytes) -> None:
        """Whether that succeeds, `running` tells."""
        with contextlib.suppress(OSError):
            specialise(self._control, description)

    def terminate(self) -> None:
        self._send(b"term")

    def kill(self) -> None:
        self._send(b"kill")

    def stop_all(self) -> None:
        """Every process of the sandbox but process 1, until `continue_all`."""
        self._send(b"stop")

    def continue_all(self) -> None:
        self._send(b"continue")

    def _send(self, order: bytes) -> None:
        # No socket any more, or one whose other side has gone, means that what is ordered has happened.
        with contextlib.suppress(OSError):
            self._control.send(order)

    def _hear(self) -> None:
        # All there is: once a socket has had an error, some event loops say nothing of it any more.
        with contextlib.suppress(BlockingIOError):
            while not self.is_over:
                self._take(*receive(self._control))

    def _take(self, message: Message | None, descriptor: int | None) -> None:
        if message is None:
            self._end()
        elif isinstance(message, Prepared) and descriptor is not None:
            self._accept(socket.socket(fileno=descriptor))
        elif isinstance(message, Running):
            if not self._running.done():
                self._running.set_result(None)
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

    def _end(self) -> None:
        self._loop.remove_reader(self._control.fileno())
        self._control.close()
        self._on_gone(self._told is not None or bool(self._failure))
        self._ended.set_result(self._told or Ended(Exit(None, signal.SIGKILL), 0))
        for future in (self._listener, self._running):
            if not future.done():
                future.set_exception(SandboxError(self._failure or "the sandbox launcher was killed"))
                future.exception()  # who gave up waiting needn't hear of it
