"""What an environment needs of the host, as protocols that the rooms around it fulfil."""

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lampion.environments.running import OpenRuntime
from lampion.environments.session import OfferedCredentials, RuntimeSession
from lampion.sandbox.driver import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class RuntimeServer(Protocol):
    """Serves the Runtime API of one session on one listening socket, until closed."""

    async def open(self, listener: socket.socket, session: RuntimeSession) -> OpenRuntime: ...


class Launch(Protocol):
    """Starts this environment's sandbox: a fresh one at every call.

    Raises sandbox.driver.SandboxError, and extensions.TooManyExtensions.
    """

    async def __call__(self) -> Sandbox: ...


class Release(Protocol):
    """Takes back what a sandbox was lent at its launch, when it has ended."""

    async def __call__(self, sandbox: Sandbox) -> None: ...


@dataclass(frozen=True, slots=True)
class Restore:
    """How an environment starts from a snapshot instead of Init.

    `launch` gives the copy and what it may ask for; it raises SandboxError when the snapshot has gone.
    """

    launch: "Callable[[], Awaitable[tuple[Sandbox, OfferedCredentials]]]"
