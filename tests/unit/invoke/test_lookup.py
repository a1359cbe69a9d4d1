"""What is at hand is answered without waiting, and is what a look-up that waits answers; aliases are looked up anew."""

from dataclasses import replace
from typing import Any, cast

import pytest

from lampion.clock.rng import SeededRng
from lampion.domain.alias import Alias
from lampion.domain.errors import ResourceNotFoundException
from lampion.domain.function import Function
from lampion.invoke.lookup import FunctionLookup
from lampion.invoke.qualifier import Target
from lampion.store.cached_functions import CachedFunctions
from lampion.store.memory import MemoryFunctions
from tests.component.store.samples import function, key

LATEST = replace(function(), last_version=1)
FIRST = replace(function(), version="1")
LIVE = Alias(key=LATEST.key, name="live", function_version="1", revision_id="r")


class Aliases:
    async def get(self, kind: Any, place: Any) -> Alias:
        return LIVE


async def looked_up() -> FunctionLookup:
    functions = MemoryFunctions()
    await functions.insert(LATEST, published=FIRST)
    return FunctionLookup(CachedFunctions(functions), cast("Any", Aliases()), SeededRng(1))


@pytest.mark.parametrize(
    ("qualifier", "meant", "at_hand"),
    [(None, LATEST, LATEST), ("$LATEST", LATEST, LATEST), ("1", FIRST, FIRST), ("live", FIRST, None)],
)
async def test_what_was_looked_up_is_at_hand_unless_an_alias_stands_for_it(
    qualifier: str | None, meant: Function, at_hand: Function | None
):
    lookup, target = await looked_up(), Target(key(), qualifier)
    assert lookup.at_hand(target) is None
    assert await lookup.choose(target) == meant
    assert lookup.at_hand(target) == at_hand


async def test_what_is_not_there_is_never_at_hand():
    lookup, target = await looked_up(), Target(key("other"), None)
    with pytest.raises(ResourceNotFoundException):
        await lookup.choose(target)
    assert lookup.at_hand(target) is None
