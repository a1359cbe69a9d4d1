"""Prepared sandboxes in stock, so that a cold start finds one that only has to be specialised."""

import asyncio
import logging
from collections import deque

from lampion.sandbox.driver import SandboxError
from lampion.sandbox.launcher.description import Worker
from lampion.sandbox.prepared import USUAL_LIMITS, Preparation, PreparedSandbox
from lampion.sandbox.spec import Limits, Template, WorkerStart
from lampion.sandbox.zygotes import Zygotes

_LOG = logging.getLogger(__name__)


class Stock:
    """Keeps `size` prepared sandboxes of each template that was ever asked for."""

    def __init__(self, preparation: Preparation, size: int) -> None:
        self._preparation = preparation
        self._size = size
        self._zygotes = Zygotes(preparation.beginnings)
        self._ready: dict[Template, deque[PreparedSandbox]] = {}
        self._filling: dict[Template, asyncio.Task[None]] = {}
        self._is_closed = False

    def take(self, template: Template, limits: Limits) -> PreparedSandbox:
        """One that is ready, or one that is just being made. Raises SandboxError."""
        if limits.tmp_mib != USUAL_LIMITS.tmp_mib:
            return self._make(template, limits)
        ready = self._ready.setdefault(template, deque())
        while ready:
            prepared = ready.popleft()
            if not prepared.connection.is_over:
                self.fill(template)
                return prepared
            prepared.launched.close_pipes()
        made = self._make(template, USUAL_LIMITS)
        self.fill(template)
        return made

    def fill(self, template: Template) -> None:
        """Have some ready soon."""
        ready = self._ready.setdefault(template, deque())
        if not self._is_closed and len(ready) < self._size and template not in self._filling:
            task = asyncio.get_running_loop().create_task(self._fill(template, ready))
            self._filling[template] = task
            task.add_done_callback(lambda _: self._filling.pop(template, None))

    async def close(self) -> None:
        self._is_closed = True
        filling = list(self._filling.values())
        for task in filling:
            task.cancel()
        if filling:
            await asyncio.wait(filling)
        for ready in self._ready.values():
            while ready:
                await self._preparation.abandon(ready.popleft())
        await self._zygotes.close()

    async def _fill(self, template: Template, ready: deque[PreparedSandbox]) -> None:
        while len(ready) < self._size:
            try:
                await self._preparation.beginnings.disks.of(USUAL_LIMITS.tmp_mib)
                prepared = self._make(template, USUAL_LIMITS)
                try:
                    await prepared.connection.prepared()
                except BaseException:
                    await self._preparation.abandon(prepared)
                    raise
            except SandboxError as error:
                _LOG.warning("no sandbox can be prepared for %s: %s", template.worker[0], error)
                return
            ready.append(prepared)

    def _make(self, template: Template, limits: Limits) -> PreparedSandbox:
        if template.start is WorkerStart.BOOT:
            worker = Worker(template.worker, template.environ)
            return self._preparation.prepare(template.mounts, limits, worker)
        zygote = self._zygotes.of(template)
        zygote.copies += 1
        return self._preparation.prepare(template.mounts, limits, Worker(zygote=zygote.requests))
