"""A sandbox that runs, and what goes with it."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from lampion.environments.courtesy import Courtesy
from lampion.environments.endings import TimedOut
from lampion.environments.session import RuntimeSession
from lampion.sandbox.driver import Sandbox


class OpenRuntime(Protocol):
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Running:
    """A started sandbox and all that hangs on it; lives from one Init to the end of its process."""

    sandbox: Sandbox
    session: RuntimeSession
    runtime: OpenRuntime
    watcher: asyncio.Task[None]
    courtesy: Courtesy

    def late(self) -> None:
        """What it does takes too long."""
        self.session.end(TimedOut())
