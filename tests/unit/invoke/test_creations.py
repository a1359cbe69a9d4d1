"""A function that was deleted and made again under its name is another one, wherever a request is on its way."""

from dataclasses import replace
from typing import Any, cast

import msgspec
import pytest

from lampion.clock.rng import SeededRng
from lampion.clock.steady import SteadyTime
from lampion.clock.virtual import VirtualClock
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import ResourceNotFoundException
from lampion.domain.event import Event
from lampion.domain.event_invoke_config import Destinations, EventInvokeConfig
from lampion.domain.function import Function
from lampion.domain.invocation import Invocation
from lampion.domain.invocation_record import Condition
from lampion.invoke.event_endings import EventEndings, Run
from lampion.invoke.event_entries import decode_event, entry_of
from lampion.invoke.invoker import Invoker
from lampion.invoke.lookup import FunctionLookup
from lampion.invoke.qualifier import Target
from lampion.invoke.tracing import Tracing
from lampion.store.cached_functions import CachedFunctions
from lampion.store.entries import Entry
from lampion.telemetry.metrics import Metrics
from tests.unit.environments.pool_stage import function

KEY = FunctionKey("123456789012", "us-east-1", "hello")
NEXT = FunctionKey("123456789012", "us-east-1", "next")


def made(key: FunctionKey, creation_id: str) -> Function:
    return replace(function(key.name), key=key, creation_id=creation_id)


def event(creation_id: str) -> Event:
    return Event(
        key=KEY, qualifier=None, request_id="r", trace_id="Root=1-0", accepted_epoch_ms=1, creation_id=creation_id
    )


@pytest.mark.parametrize(
    ("meant", "there", "is_for"),
    [("first", "first", True), ("first", "second", False), ("", "second", True), ("first", "", False)],
)
def test_an_event_is_for_the_function_that_it_was_sent_to(meant: str, there: str, is_for: bool):
    """One that was sent before there was any function by that name, as a result, is for whichever comes."""
    assert event(meant).is_for(made(KEY, there)) is is_for


def test_an_event_that_is_renewed_is_as_if_it_were_sent_again():
    old = msgspec.structs.replace(event("first"), attempts=2)
    again = msgspec.structs.replace(event("second"), accepted_epoch_ms=99)
    assert old.renewed(accepted_epoch_ms=99, creation_id="second") == again


class Functions:
    """Those of a dictionary."""

    def __init__(self, *there: Function) -> None:
        self.there = {one.key: one for one in there}

    async def get(self, key: FunctionKey) -> Function | None:
        return self.there.get(key)


@pytest.mark.parametrize(("there", "creation_id"), [((made(NEXT, "its own"),), "its own"), ((), "")])
async def test_a_result_is_for_the_function_that_is_its_destination_now(there: tuple[Function, ...], creation_id: str):
    clock = VirtualClock()
    endings = EventEndings(
        functions=Functions(*there),
        clock=clock,
        time=SteadyTime(clock),
        rng=SeededRng(1),
        tracing=Tracing(clock=clock, rng=SeededRng(1)),
    )
    sent = event("first")
    new = entry_of(sent, b"{}")
    entry = Entry(1, new.queue, new.due_epoch_ms, new.document, new.payload)
    config = EventInvokeConfig(
        key=KEY, qualifier="$LATEST", last_modified_epoch_ms=0, destinations=Destinations(on_success=NEXT.arn)
    )
    (following,) = await endings.deliveries(Run(entry, sent, config), Condition.SUCCESS)
    told = decode_event(Entry(2, following.queue, following.due_epoch_ms, following.document, following.payload))
    assert (told.key, told.creation_id) == (NEXT, creation_id)


async def test_who_waits_for_an_update_does_not_run_what_was_made_again_meanwhile():
    class Remade:
        async def until_settled(self, key: FunctionKey) -> None:
            pass

    class Stored:
        async def get(self, key: FunctionKey, version: str) -> Function:
            return made(KEY, "second")

    nothing = cast("Any", None)
    invoker = Invoker(
        lookup=FunctionLookup(CachedFunctions(cast("Any", Stored())), nothing, SeededRng(1)),
        updates=Remade(),
        recursion=nothing,
        concurrency=nothing,
        pool=nothing,
        busy_poll=nothing,
        metrics=Metrics(),
    )
    updating = replace(made(KEY, "first"), state_reason=None).changed(revision_id="r", now_epoch_ms=1)
    assert not updating.is_settled
    invocation = Invocation(request_id="r", invoked_arn=KEY.arn, payload=b"{}", trace_id="Root=1-0")
    with pytest.raises(ResourceNotFoundException, match="Function not found"):
        await invoker.invoke(Target(KEY, None), updating, invocation)
