"""Every environment of this host that exists, from its start to its end, and the room that they take."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from lampion.environments.environment import Environment
from lampion.environments.room import Room, Space


class LiveEnvironments:
    """Environments that exist. `on_end` is called with each that has ended, and then `on_room`."""

    def __init__(self, whole: Space) -> None:
        self.room = Room(whole)
        self.on_room: Callable[[], object] = _nobody_waits
        self.on_end: Callable[[Environment], object] = _nobody_cares
        self._live: set[Environment] = set()
        self._ending: set[Environment] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[Environment]:
        return iter(self._live)

    def begin(self, environment: Environment, start: Coroutine[Any, Any, None]) -> None:
        """A new environment is started, by `start`, which handles what goes wrong."""
        self._live.add(environment)
        self.room.enter(environment)
        self._spawn(start)

    def end(self, environment: Environment) -> None:
        """Stop it and give back its room. Idempotent."""
        if environment in self._ending or environment not in self._live:
            return
        self._ending.add(environment)
        self.room.leave_soon(environment)
        self._spawn(self._stop(environment))

    async def close(self) -> None:
        """End all of them, those at work as well; returns when nothing of them is left."""
        for environment in tuple(self._live):
            self.end(environment)
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def packages_in_use(self) -> frozenset[str]:
        """Names of all stored code that they have mounted."""
        return frozenset().union(*(environment.function.code_in_use for environment in self._live))

    async def _stop(self, environment: Environment) -> None:
        try:
            await environment.stop()
        finally:
            self._live.discard(environment)
            self._ending.discard(environment)
            self.room.leave(environment)
            self.on_end(environment)
            self.on_room()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _nobody_waits() -> None:
    pass


def _nobody_cares(environment: Environment) -> None:
    pass
