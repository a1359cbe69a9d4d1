"""The snapshots of any driver, as safe to use as its sandboxes (guarded.Guarded)."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from lampion.clock.clock import Clock
from lampion.sandbox.delegating import Delegating
from lampion.sandbox.driver import Driver, Finding, Sandbox, SandboxError
from lampion.sandbox.snapshots import Snapshot, SnapshotOrigin, Snapshotting
from lampion.sandbox.spec import SandboxSpec

_SEAL_SECONDS: Final = 30.0
_UNKNOWN: Final = Finding(
    "snapshots", "SnapStart's versions do a full Init at each cold start", "use a driver that takes snapshots"
)

Start = Callable[[], Coroutine[Any, Any, Sandbox]]


class StartGuarded(Protocol):
    """Starts a sandbox and guards it."""

    async def __call__(self, spec: SandboxSpec, start: Start) -> Sandbox: ...


class GuardedSnapshots:
    """What `Guarded` offers of its driver's snapshots: nothing when that has none."""

    def __init__(self, driver: Driver, clock: Clock, start_guarded: StartGuarded) -> None:
        self._driver = driver if isinstance(driver, Snapshotting) else None
        self._clock = clock
        self._start_guarded = start_guarded

    def finding(self) -> Finding | None:
        return _UNKNOWN if self._driver is None else self._driver.snapshot_finding()

    async def start_origin(self, spec: SandboxSpec) -> "GuardedOrigin":
        driver = self._driver
        if driver is None:
            raise SandboxError("this driver takes no snapshots")
        begun: list[SnapshotOrigin] = []

        async def start() -> Sandbox:
            begun.append(await driver.start_origin(spec))
            return begun[0]

        sandbox = await self._start_guarded(spec, start)
        return GuardedOrigin(sandbox, begun[0], self._clock, self._start_guarded)


class GuardedOrigin(Delegating):
    """An origin whose `stop` and `wait` are those of a guarded sandbox, and whose sealing has a deadline."""

    def __init__(self, sandbox: Sandbox, raw: SnapshotOrigin, clock: Clock, start_guarded: StartGuarded) -> None:
        super().__init__(sandbox)
        self._raw = raw
        self._clock = clock
        self._start_guarded = start_guarded

    async def seal(self, proceed: Callable[[], None]) -> "GuardedSnapshot":
        try:
            async with self._clock.deadline(_SEAL_SECONDS):
                return GuardedSnapshot(await self._raw.seal(proceed), self._start_guarded)
        except TimeoutError:
            await self.stop(0)
            raise SandboxError(f"no snapshot of sandbox {self.sandbox_id} in {_SEAL_SECONDS:g} s") from None


class GuardedSnapshot:
    """A snapshot whose copies are guarded sandboxes."""

    def __init__(self, raw: Snapshot, start_guarded: StartGuarded) -> None:
        self._raw = raw
        self._start_guarded = start_guarded

    @property
    def is_usable(self) -> bool:
        return self._raw.is_usable

    async def start(self, spec: SandboxSpec) -> Sandbox:
        return await self._start_guarded(spec, lambda: _coroutine(self._raw, spec))

    async def close(self) -> None:
        # In a task of its own: a caller who is cancelled must not leave the snapshot half closed.
        await asyncio.shield(asyncio.ensure_future(self._raw.close()))


async def _coroutine(snapshot: Snapshot, spec: SandboxSpec) -> Sandbox:
    return await snapshot.start(spec)
