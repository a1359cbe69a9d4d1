"""What happens on the disk under test, step by step; what a client is told, and which functions run, is written down.

A diary is a list of lines [word, ...]: "offered" and "accepted" of a request id, "run" of a function and a request id,
"ended" of a request id, "created"/"deleting"/"deleted" of a function, "redriving"/"redriven" of request ids.
"""

import asyncio
import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lampion.clock.rng import SystemRng
from lampion.domain.arn import LATEST
from lampion.domain.errors import ServiceException
from lampion.domain.event_invoke_config import Destinations, EventInvokeConfig
from lampion.domain.invocation import Invocation
from lampion.invoke.event_entries import event_queue_of
from lampion.invoke.qualifier import Target
from lampion.store.event_invoke_configs import EVENT_INVOKE_CONFIGS
from tests.chaos.disk.event_side import FAILS, EventSide, FlyingClock, key, running_event_side, until_quiet
from tests.component.store.samples import function

SUCCEEDS: Final = "succeeds"
AFTERWARDS: Final = "afterwards"
RETRIES: Final = 1
_EPOCH: Final = 1_800_000_000.0
Tell = Callable[[Sequence[Any]], None]


class Diary:
    """Lines in a file: what is written there survives the process, as what a client heard survives the server."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def tell(self, line: Sequence[Any]) -> None:
        os.write(self._descriptor, json.dumps(line).encode() + b"\n")


def read_diary(path: Path) -> list[list[Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def open_for_the_first_time(directory: Path) -> None:
    """Make the databases, and nothing in them."""
    async with running_event_side(directory, FlyingClock(_EPOCH), lambda name, run: None):
        pass


async def play(directory: Path, tell: Tell, *, rounds: int = 1) -> None:
    """A short history of a server, from its first start to its stop."""
    async with running_event_side(directory, FlyingClock(_EPOCH), lambda name, run: tell(["run", name, run])) as side:
        for name in (SUCCEEDS, AFTERWARDS):
            await _create(side, name, tell)
        for _ in range(rounds):
            await _life_of_a_failing_function(side, tell)


async def recover(directory: Path, tell: Tell, *, hours: float = 1.0) -> None:
    """A start, so long after the first one: all that was accepted ends."""
    clock = FlyingClock(_EPOCH + 3600 * hours)
    async with running_event_side(directory, clock, lambda name, run: tell(["run", name, run])) as side:
        await until_quiet(side)


async def _life_of_a_failing_function(side: EventSide, tell: Tell) -> None:
    await _create(side, FAILS, tell)
    config = EventInvokeConfig(
        key=key(FAILS),
        qualifier=LATEST,
        last_modified_epoch_ms=0,
        maximum_retry_attempts=RETRIES,
        destinations=Destinations(on_failure=key(AFTERWARDS).arn),
    )
    await side.resources.change(lambda stored: stored.put(EVENT_INVOKE_CONFIGS, config))
    tell(["configured", FAILS])
    await asyncio.gather(*(_send(side, name, tell) for name in (SUCCEEDS, FAILS)))
    await until_quiet(side)
    _tell_ends(side, tell)
    await _redrive(side, tell)
    await until_quiet(side)
    _tell_ends(side, tell)
    await _send(side, FAILS, tell)
    tell(["deleting", FAILS])
    await side.resources.change(lambda stored: stored.delete_function(key(FAILS)))
    tell(["deleted", FAILS])
    await _send(side, SUCCEEDS, tell)
    await until_quiet(side)
    _tell_ends(side, tell)


async def _create(side: EventSide, name: str, tell: Tell) -> None:
    await side.functions.insert(replace(function(name, settled=True), creation_id=SystemRng().uuid4()))
    tell(["created", name])


async def _send(side: EventSide, name: str, tell: Tell) -> None:
    request_id = SystemRng().uuid4()
    payload = b'{"text": "' + b"x" * 3000 + b'"}'
    invocation = Invocation(request_id=request_id, invoked_arn=key(name).arn, payload=payload, trace_id="Root=1-0")
    tell(["offered", name, request_id])
    found = await side.functions.get(key(name))
    assert found is not None
    with contextlib.suppress(ServiceException):
        await side.acceptance.accept(Target(key(name), None), found, invocation)
        tell(["accepted", name, request_id])


async def _redrive(side: EventSide, tell: Tell) -> None:
    queue = event_queue_of(key(FAILS))
    kept = await side.contents.kept_from(queue, after=0, limit=10)
    request_ids = [one.ending.request_id for one in kept]
    tell(["redriving", request_ids])
    await side.redriving.step(queue, after=0, up_to=max(one.number for one in kept))
    tell(["redriven", request_ids])


def _tell_ends(side: EventSide, tell: Tell) -> None:
    """As a client that looks for what has ended."""
    with contextlib.closing(sqlite3.connect(f"{side.queues_database.path.as_uri()}?mode=ro", uri=True)) as database:
        for (request_id,) in database.execute("SELECT request_id FROM endings"):
            tell(["ended", request_id])
