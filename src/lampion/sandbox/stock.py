"""Prepared sandboxes in stock, so that a cold start finds one that only has to be specialised."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from lampion.clock.clock import Clock, Timer
from lampion.sandbox.driver import SandboxError
from lampion.sandbox.launcher.description import Worker
from lampion.sandbox.prepared import USUAL_LIMITS, Preparation, PreparedSandbox
from lampion.sandbox.spec import Limits, Template, WorkerStart
from lampion.sandbox.zygotes import Zygotes

UNUSED_SECONDS: Final = 900.0
"""Longer than environments wait for work by default: a function invoked now and then still finds a sandbox ready."""
_FILL_SECONDS: Final = 0.02
_FILLS_AT_ONCE: Final = 2  # of one template: while one waits for the kernel or a program's start, another goes on

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Shelf:
    """What there is of one template, and when somebody last wanted one."""

    used_at: float
    ready: deque[PreparedSandbox] = field(default_factory=deque)
    filling: set[asyncio.Task[None]] = field(default_factory=set)
    timer: Timer | None = None


class Stock:
    """Keeps `size` prepared sandboxes of each template that was asked for in the last `unused_seconds`."""

    def __init__(
        self, preparation: Preparation, size: int, clock: Clock, unused_seconds: float = UNUSED_SECONDS
    ) -> None:
        self._preparation = preparation
        self._size = size
        self._clock = clock
        self._unused_seconds = unused_seconds
        self._zygotes = Zygotes(preparation.beginnings)
        self._shelves: dict[Template, _Shelf] = {}
        self._clearing: set[asyncio.Task[None]] = set()
        self._timer: Timer | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        shelves = [f"{_name(each)} {len(shelf.ready)} ready" for each, shelf in self._shelves.items()]
        return f"<Stock: {', '.join(shelves) or 'empty'}>"

    def take(self, template: Template, limits: Limits) -> PreparedSandbox:
        """One that is ready, or one that is just being made. Raises SandboxError."""
        if limits.tmp_mib != USUAL_LIMITS.tmp_mib:
            return self._make(template, limits)
        ready = self._shelf(template).ready
        while ready:
            prepared = ready.popleft()
            if not prepared.connection.is_over:
                self._fill_later(template)
                return prepared
            prepared.launched.close_pipes()
        made = self._make(template, USUAL_LIMITS)
        self.fill(template)
        return made

    def _fill_later(self, template: Template) -> None:
        """When the function that takes one now has started: making another one would take a processor from it."""
        shelf = self._shelves[template]
        if shelf.timer is None:
            shelf.timer = self._clock.call_later(_FILL_SECONDS, lambda: self._fill_now(template, shelf))

    def _fill_now(self, template: Template, shelf: _Shelf) -> None:
        shelf.timer = None
        if self._shelves.get(template) is shelf:
            self._fill(template, shelf)

    def fill(self, template: Template) -> None:
        """Have some ready soon."""
        self._fill(template, self._shelf(template))

    async def close(self) -> None:
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for shelf in self._shelves.values():
            if shelf.timer is not None:
                shelf.timer.cancel()
        filling = [task for shelf in self._shelves.values() for task in shelf.filling]
        for task in filling:
            task.cancel()
        if filling or self._clearing:
            await asyncio.wait([*filling, *self._clearing])
        for shelf in self._shelves.values():
            await self._clear(shelf)
        await self._zygotes.close()

    def _shelf(self, template: Template) -> _Shelf:
        """Its shelf, which is in use now."""
        now = self._clock.monotonic()
        shelf = self._shelves.get(template)
        if shelf is None:
            shelf = self._shelves[template] = _Shelf(now)
        shelf.used_at = now
        if self._timer is None and not self._is_closed:
            self._timer = self._clock.call_later(self._unused_seconds, self._give_up_unused)
        return shelf

    def _give_up_unused(self) -> None:
        """The timer runs on while there is any shelf."""
        self._timer = None
        now = self._clock.monotonic()
        for template, shelf in list(self._shelves.items()):
            if shelf.used_at + self._unused_seconds <= now and not shelf.filling:
                del self._shelves[template]
                task = asyncio.get_running_loop().create_task(self._clear(shelf))
                self._clearing.add(task)
                task.add_done_callback(self._clearing.discard)
        if self._shelves:
            oldest = min(shelf.used_at for shelf in self._shelves.values())
            delay = max(oldest + self._unused_seconds - now, 1.0)
            self._timer = self._clock.call_later(delay, self._give_up_unused)

    async def _clear(self, shelf: _Shelf) -> None:
        while shelf.ready:
            await self._preparation.abandon(shelf.ready.popleft())

    def _fill(self, template: Template, shelf: _Shelf) -> None:
        while (
            not self._is_closed
            and len(shelf.ready) + len(shelf.filling) < self._size
            and len(shelf.filling) < _FILLS_AT_ONCE
        ):
            task = asyncio.get_running_loop().create_task(self._add(template, shelf))
            shelf.filling.add(task)
            task.add_done_callback(shelf.filling.discard)

    async def _add(self, template: Template, shelf: _Shelf) -> None:
        """Fill the shelf for as long as that works."""
        while True:
            try:
                await self._preparation.beginnings.disks.of(USUAL_LIMITS.tmp_mib)
                prepared = self._make(template, USUAL_LIMITS)
                try:
                    await prepared.connection.prepared()
                except BaseException:
                    await self._preparation.abandon(prepared)
                    raise
            except SandboxError as error:
                _LOG.warning("no sandbox can be prepared for %s: %s", _name(template), error)
                return
            shelf.ready.append(prepared)
            if len(shelf.ready) + len(shelf.filling) > self._size:  # this task is one of those that fill
                return

    def _make(self, template: Template, limits: Limits) -> PreparedSandbox:
        if template.start is WorkerStart.NONE:
            return self._preparation.prepare(template.mounts, limits)
        if template.start is WorkerStart.BOOT:
            worker = Worker(template.worker, template.environ)
            return self._preparation.prepare(template.mounts, limits, worker)
        zygote = self._zygotes.of(template)
        zygote.copies += 1
        return self._preparation.prepare(template.mounts, limits, Worker(zygote=zygote.requests))


def _name(template: Template) -> str:
    return template.worker[0] if template.worker else "programs of functions"
