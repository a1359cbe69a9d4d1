"""Sandboxes' ways out of this machine, on the event loop: one thread does the work, so that nothing here waits."""

import asyncio
import logging
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from lampion.sandbox.driver import SandboxError
from lampion.sandbox.network.namespaces import namespace_of
from lampion.sandbox.network.router import Attachment, Outside, Router
from lampion.sandbox.spec import Network

_THREAD: Final = "lampion-router"

_LOG = logging.getLogger(__name__)


class Egress:
    """A router that is made when the first sandbox needs it."""

    def __init__(self, table: str, outside: Outside) -> None:
        self._table = table
        self._outside = outside
        self._thread: ThreadPoolExecutor | None = None
        self._router: Router | None = None

    async def attach(self, inside: socket.socket, network: Network) -> Attachment:
        """A way out for the sandbox in which the socket was made. Raises SandboxError."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, _THREAD)
        try:
            # Here, while the socket is certainly still that one.
            namespace = namespace_of(inside)
            work = asyncio.get_running_loop().run_in_executor(self._thread, self._attach, namespace, network)
            return await self._outcome(work)
        except OSError as error:
            raise SandboxError(f"no way out of the sandbox can be made: {error}") from error

    def give_back(self, attachment: Attachment) -> None:
        """The sandbox has gone, and its interface with it."""
        if self._thread is not None:
            self._thread.submit(self._give_back, attachment)

    async def close(self) -> None:
        """When all sandboxes have gone."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(thread, self._close)
        except (OSError, SandboxError) as error:
            _LOG.warning("the host's firewall still has the table %s: %s", self._table, error)
        finally:
            # The thread's end is the end of its network namespace.
            await loop.run_in_executor(None, thread.shutdown)

    async def _outcome(self, work: "asyncio.Future[Attachment]") -> Attachment:
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            work.add_done_callback(self._undo)
            raise

    def _attach(self, namespace: int, network: Network) -> Attachment:
        try:
            if self._router is None:
                self._router = Router(self._table, self._outside)
            return self._router.attach(namespace, network)
        finally:
            os.close(namespace)

    def _give_back(self, attachment: Attachment) -> None:
        if self._router is not None:
            self._router.give_back(attachment)

    def _close(self) -> None:
        router, self._router = self._router, None
        if router is not None:
            router.close()

    def _undo(self, work: "asyncio.Future[Attachment]") -> None:
        """Nobody waited for it any more."""
        if not work.cancelled() and work.exception() is None:
            self.give_back(work.result())
