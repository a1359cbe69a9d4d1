"""What the tests of snapshots share: an origin whose code waits for its snapshot and forks, and copies of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lampion.sandbox.drivers.namespace import NamespaceDriver
from lampion.sandbox.snapshots import Snapshot, SnapshotRefused
from tests.sandbox.boxes import PATIENCE_SECONDS, close, read, spec_of, started

_AT_ONCE = 4
_WAIT_AND_FORK = """
import os, sys, socket, time
def wait():
    waiting = socket.create_connection(("127.0.0.1", 9001))
    waiting.recv(1)
    waiting.close()
def attempt(action, *arguments):
    try: return action(*arguments) or 'done'
    except Exception as error: return type(error).__name__ + ' ' + str(getattr(error, 'errno', ''))
def snapshot():
    wait()
    return os.fork()
"""


def code_of(init: str, after: str = "", fork: str = "snapshot()") -> str:
    """Code that does `init`, is held at `fork`, and does `after` in each copy."""
    return f"{_WAIT_AND_FORK}\n{init}\nif ({fork}) != 0: os._exit(99)\n{after}\n"


@asynccontextmanager
async def sealed(driver: NamespaceDriver, code: str, **more) -> AsyncIterator[Snapshot]:
    """A snapshot of `code` (see `code_of`). Raises what sealing raises."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        origin = await driver.start_origin(spec_of(code, **more))
        connection, _ = await asyncio.get_running_loop().sock_accept(origin.runtime_api)
        try:
            snapshot = await origin.seal(lambda: connection.sendall(b"x"))
        finally:
            connection.close()
            close(origin)
    try:
        yield snapshot
    finally:
        await snapshot.close()


async def copy_output(snapshot: Snapshot, **more) -> str:
    """All that a copy printed until its end."""
    async with started(snapshot, spec_of("", **more)) as box:
        return (await read(box.output)).decode()


async def told_by_copy(driver: NamespaceDriver, expression: str, init: str = "", **more) -> Any:
    """The value of an expression that a copy prints; `attempt` tells an error instead of raising it."""
    async with sealed(driver, code_of(init, f"print(repr({expression}))")) as snapshot:
        return eval(await copy_output(snapshot, **more))


async def why_refused(driver: NamespaceDriver, code: str) -> str:
    """Why no snapshot can be taken."""
    with pytest.raises(SnapshotRefused) as refusal:
        async with sealed(driver, code):
            pass
    return str(refusal.value)


async def at_once(work: Callable[[str], Awaitable[Any]], cases: Mapping[str, str]) -> dict[str, Any]:
    """What `work` makes of each case, a few at a time: most of the time goes by in waiting."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(case: str) -> Any:
        async with places, asyncio.timeout(PATIENCE_SECONDS):
            return await work(case)

    results = await asyncio.gather(*(one(case) for case in cases.values()))
    return dict(zip(cases, results, strict=True))
