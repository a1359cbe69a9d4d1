"""The stock of prepared sandboxes: filled ahead, some at once, and given up when nobody has asked for long."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.sandbox.driver import SandboxError
from lampion.sandbox.prepared import USUAL_LIMITS, Preparation
from lampion.sandbox.spec import Limits, Template, WorkerStart
from lampion.sandbox.stock import Stock

SIZE = 4
UNUSED_SECONDS = 100.0
NODE = Template(worker=("node",), start=WorkerStart.BOOT, environ=(), mounts=())
OTHER = replace(NODE, worker=("node", "--more"))
LIMITS = Limits(memory_mib=128, cpu_cores=1)


@dataclass(eq=False)
class Prepared:
    """A sandbox that is prepared when the test says so."""

    connection: "Prepared" = field(init=False)
    launched: "Prepared" = field(init=False)
    is_over: bool = False
    is_abandoned: bool = False
    has_closed_pipes: bool = False

    def __post_init__(self) -> None:
        self.connection = self.launched = self
        self.gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def prepared(self) -> None:
        await self.gate

    def close_pipes(self) -> None:
        self.has_closed_pipes = True


class ScriptedPreparation:
    """Makes sandboxes as the test decides: at once, when it opens their gates, or not at all."""

    def __init__(self) -> None:
        self.made: list[Prepared] = []
        self.workers: list[object] = []
        self.failure: SandboxError | None = None
        self.opens_at_once = True

    @property
    def beginnings(self) -> Any:
        return self

    disks = beginnings

    async def of(self, tmp_mib: int) -> None:
        pass

    def prepare(self, mounts: object, limits: Limits, worker: object = None) -> Prepared:
        if self.failure is not None:
            raise self.failure
        prepared = Prepared()
        self.made.append(prepared)
        self.workers.append(worker)
        if self.opens_at_once:
            prepared.gate.set_result(None)
        return prepared

    async def abandon(self, prepared: Prepared) -> None:
        prepared.is_abandoned = True

    @property
    def abandoned(self) -> int:
        return sum(each.is_abandoned for each in self.made)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def preparation() -> ScriptedPreparation:
    return ScriptedPreparation()


@pytest.fixture
async def stock(clock: VirtualClock, preparation: ScriptedPreparation) -> AsyncIterator[Stock]:
    stock = Stock(cast("Preparation", preparation), SIZE, clock, UNUSED_SECONDS)
    yield stock
    await stock.close()


async def settle() -> None:
    for _ in range(40):
        await asyncio.sleep(0)


async def test_what_is_expected_is_ready_before_it_is_taken_and_made_up_for_afterwards(stock, preparation, clock):
    stock.fill(NODE)
    await settle()
    assert repr(stock) == "<Stock: node 4 ready>"

    taken = stock.take(NODE, LIMITS)

    assert taken is preparation.made[0]
    await settle()
    assert repr(stock) == "<Stock: node 3 ready>", "not while the one that was taken starts"
    await clock.advance(0.02)
    await settle()
    assert repr(stock) == "<Stock: node 4 ready>"
    assert len(preparation.made) == SIZE + 1


async def test_two_are_made_at_once_and_never_more_than_wanted(stock, preparation):
    preparation.opens_at_once = False
    stock.fill(NODE)
    for opened in range(SIZE):
        await settle()
        assert len(preparation.made) == min(opened + 2, SIZE)
        preparation.made[opened].gate.set_result(None)
    await settle()

    assert repr(stock) == "<Stock: node 4 ready>"
    assert len(preparation.made) == SIZE


async def test_one_is_made_at_once_when_none_is_ready(stock, preparation):
    preparation.opens_at_once = False
    taken = stock.take(NODE, LIMITS)
    assert taken is preparation.made[0]
    for prepared in preparation.made:
        prepared.gate.set_result(None)


async def test_one_that_has_died_in_the_stock_is_not_handed_out(stock, preparation):
    stock.fill(NODE)
    await settle()
    preparation.made[0].is_over = True
    assert stock.take(NODE, LIMITS) is preparation.made[1]
    assert preparation.made[0].has_closed_pipes


async def test_an_unusual_disk_is_made_for_the_function_alone(stock, preparation):
    stock.fill(NODE)
    await settle()
    taken = stock.take(NODE, replace(LIMITS, tmp_mib=USUAL_LIMITS.tmp_mib + 1))
    assert taken is preparation.made[-1]
    assert repr(stock) == "<Stock: node 4 ready>"


async def test_what_nobody_has_asked_for_in_a_while_is_given_up(stock, preparation, clock):
    stock.fill(NODE)
    await settle()
    await clock.advance(UNUSED_SECONDS - 1)
    assert preparation.abandoned == 0

    await clock.advance(1)

    assert preparation.abandoned == SIZE
    assert repr(stock) == "<Stock: empty>"


async def test_each_taking_counts_and_only_what_is_unused_goes(stock, preparation, clock):
    stock.fill(NODE)
    stock.fill(OTHER)
    await settle()
    await clock.advance(UNUSED_SECONDS - 1)
    stock.take(OTHER, LIMITS)
    await settle()

    await clock.advance(1)
    assert repr(stock) == "<Stock: node 4 ready>"
    assert next(iter(stock._shelves)) == OTHER

    await clock.advance(UNUSED_SECONDS)
    assert repr(stock) == "<Stock: empty>"
    assert preparation.abandoned == 2 * SIZE


async def test_what_was_given_up_is_made_again_when_it_is_asked_for(stock, preparation, clock):
    stock.fill(NODE)
    await settle()
    await clock.advance(UNUSED_SECONDS)

    assert stock.take(NODE, LIMITS) is preparation.made[SIZE]
    await settle()
    assert repr(stock) == "<Stock: node 4 ready>"
    await clock.advance(2 * UNUSED_SECONDS)
    assert repr(stock) == "<Stock: empty>"


async def test_a_failure_ends_the_filling_until_the_next_request(stock, preparation):
    preparation.failure = SandboxError("no room")
    stock.fill(NODE)
    await settle()
    assert preparation.made == []
    with pytest.raises(SandboxError):
        stock.take(NODE, LIMITS)

    preparation.failure = None
    stock.fill(NODE)
    await settle()
    assert repr(stock) == "<Stock: node 4 ready>"


async def test_sandboxes_in_which_nothing_waits_are_kept_as_well(stock, preparation):
    bare = Template(worker=(), start=WorkerStart.NONE, environ=(), mounts=())
    stock.fill(bare)
    await settle()
    assert repr(stock) == "<Stock: programs of functions 4 ready>"
    assert stock.take(bare, LIMITS) is preparation.made[0]
    assert preparation.workers == [None] * 4


async def test_a_closed_stock_has_given_everything_back(preparation, clock):
    stock = Stock(cast("Preparation", preparation), SIZE, clock, UNUSED_SECONDS)
    preparation.opens_at_once = False
    stock.fill(NODE)
    await settle()
    preparation.made[0].gate.set_result(None)
    await settle()

    await stock.close()

    assert preparation.abandoned == len(preparation.made) > 1
    stock.fill(NODE)
    await settle()
    assert preparation.abandoned == len(preparation.made)
    await clock.advance(10 * UNUSED_SECONDS)
