"""One sandbox's launcher on the event loop: its messages become futures."""

import asyncio
import contextlib
import signal
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lampion.sandbox.driver import Exit, SandboxError
from lampion.sandbox.launcher.daemon import Launched, receive, seal, specialise
from lampion.sandbox.launcher.messages import (
    Ended,
    Failed,
    Lost,
    Message,
    Offered,
    Prepared,
    ProcessEnded,
    Refused,
    Running,
    Sealed,
    Watching,
    error_of,
)
from lampion.sandbox.snapshots import SnapshotRefused

if TYPE_CHECKING:
    from lampion.sandbox.companions import CompanionProcesses


@dataclass(frozen=True, slots=True)
class Listeners:
    """Sockets that listen inside the sandbox; whoever holds them closes them."""

    runtime_api: socket.socket
    gateway: socket.socket

    def close(self) -> None:
        self.runtime_api.close()
        self.gateway.close()


class LauncherConnection:
    """Hears one launcher until it has gone.

    `on_gone` is called once, when it has; its argument says whether it cleaned up after itself.
    """

    def __init__(self, launched: Launched, on_gone: Callable[[bool], None]) -> None:
        self._control = launched.control
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._listeners: asyncio.Future[Listeners] = self._loop.create_future()
        self._running: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[Ended] = self._loop.create_future()
        self._watching: asyncio.Future[None] = self._loop.create_future()
        self._sealed: asyncio.Future[None] = self._loop.create_future()
        self._ordered_sockets: deque[asyncio.Future[socket.socket]] = deque()
        self._told: Ended | None = None
        self._failure = ""
        self.has_lost_function = False
        self.processes: CompanionProcesses | None = None  # to be told of each one's end
        self._loop.add_reader(self._control.fileno(), self._hear)

    @property
    def is_over(self) -> bool:
        return self._ended.done()

    async def prepared(self) -> Listeners:
        """Until the sandbox can be specialised. Raises SandboxError."""
        return await asyncio.shield(self._listeners)

    async def running(self) -> None:
        """Until the function's process runs. Raises SandboxError."""
        await asyncio.shield(self._running)

    async def ended(self) -> Ended:
        """Until nothing of the sandbox exists any more."""
        return await asyncio.shield(self._ended)

    def when_ended(self, action: Callable[[], object]) -> None:
        """Call `action` then; soon, if it has been."""
        self._ended.add_done_callback(lambda _: action())

    def specialise(self, description: bytes, companion_output: int | None = None) -> None:
        """Whether that succeeds, `running` tells."""
        with contextlib.suppress(OSError):
            specialise(self._control, description, companion_output)

    async def watching(self, requests: socket.socket) -> None:
        """Order a snapshot; until the function's process may go on to it. Raises SnapshotRefused or SandboxError."""
        with contextlib.suppress(OSError):
            seal(self._control, requests)
        await asyncio.shield(self._watching)

    async def sealed(self) -> None:
        """Until the snapshot has been taken. Raises SnapshotRefused or SandboxError."""
        await asyncio.shield(self._sealed)

    async def new_socket(self) -> socket.socket:
        """One of the sandbox's network, for TCP; the caller closes it. Process 1 makes it, unless it is frozen.

        Raises SandboxError when there can be none any more.
        """
        if self.is_over:
            raise SandboxError("the sandbox has ended")
        ordered: asyncio.Future[socket.socket] = self._loop.create_future()
        self._ordered_sockets.append(ordered)
        self._send(b"socket")
        return await ordered

    def terminate(self) -> None:
        self._send(b"term")

    def start_main(self) -> None:
        """Of a sandbox with companions: see companions.Orders."""
        self._send(b"main")

    def terminate_main(self) -> None:
        self._send(b"term")

    def end_process(self, number: int) -> None:
        self._send(b"end %d" % number)

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

    def _take(self, message: Message | None, descriptors: list[int]) -> None:
        if message is None:
            self._end()
        elif isinstance(message, Prepared | Offered):
            self._receive(message, [socket.socket(fileno=descriptor) for descriptor in descriptors])
        elif isinstance(message, Refused):
            self._fail((self._watching, self._sealed), SnapshotRefused(message.reason))
        elif isinstance(message, Lost):
            self.has_lost_function = True
        elif isinstance(message, Running | Watching | Sealed):
            self._reach(message)
        elif isinstance(message, Failed):
            self._failure = self._failure or message.text
            self.kill()
        elif isinstance(message, ProcessEnded):
            if self.processes is not None:
                self.processes.ended(message.number, message.how)
        elif isinstance(message, Ended):
            self._told = message

    def _reach(self, message: Message) -> None:
        futures = {Running: self._running, Watching: self._watching, Sealed: self._sealed}
        future = futures[type(message)]
        if not future.done():
            future.set_result(None)

    def _fail(self, futures: tuple[asyncio.Future[Any], ...], error: Exception) -> None:
        for future in futures:
            if not future.done():
                future.set_exception(error)
                future.exception()  # who gave up waiting needn't hear of it

    def _receive(self, message: Prepared | Offered, sockets: list[socket.socket]) -> None:
        if isinstance(message, Prepared):
            self._accept(Listeners(*sockets))
        else:
            self._hand_over(sockets)

    def _hand_over(self, made: list[socket.socket]) -> None:
        """To whoever has waited longest, for they come in the order in which they were ordered."""
        ordered = self._ordered_sockets.popleft() if self._ordered_sockets else None
        if ordered is None or ordered.done():  # who waited for it was cancelled
            for unwanted in made:
                unwanted.close()
        elif made:
            ordered.set_result(made[0])
        else:
            ordered.set_exception(SandboxError("the sandbox can have no more sockets"))

    def _accept(self, listeners: Listeners) -> None:
        listeners.runtime_api.setblocking(False)
        listeners.gateway.setblocking(False)
        if self._listeners.done():
            listeners.close()
        else:
            self._listeners.set_result(listeners)

    def _end(self) -> None:
        self._loop.remove_reader(self._control.fileno())
        self._control.close()
        self._on_gone(self._told is not None or bool(self._failure))
        self._ended.set_result(self._told or Ended(Exit(None, signal.SIGKILL), 0))
        error = error_of(self._failure) if self._failure else SandboxError("the sandbox launcher was killed")
        self._fail((self._listeners, self._running, self._watching, self._sealed, *self._ordered_sockets), error)
