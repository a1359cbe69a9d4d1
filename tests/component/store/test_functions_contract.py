"""What every store of functions promises: in memory, in SQLite, and with the cache in front."""

import asyncio
from dataclasses import replace

import pytest

from lampion.domain.function import Deployed, Function, LastUpdateStatus, State
from lampion.domain.version import counted, published
from lampion.store.functions import AlreadyExists, Changed, Functions
from lampion.store.resources import Resources
from tests.component.store.samples import ACCOUNT, REGION, delete, full_function, function, key, layered


async def test_what_was_inserted_comes_back_whole(functions: Functions):
    stored = full_function()
    await functions.insert(stored)
    found = await functions.get(stored.key)
    assert found == stored
    assert isinstance(found, Function)
    assert found.state is State.FAILED


async def test_no_variable_is_stored_in_plain_text(functions: Functions):
    sealed = function()
    plain = replace(sealed.configuration, environment={"SECRET": "shown"})
    updated = replace(sealed, before_update=Deployed(plain, sealed.package), revision_id="r2")
    for one in (replace(sealed, configuration=plain), updated):
        with pytest.raises(ValueError, match="encrypted before they are stored"):
            await functions.insert(one)
    await functions.insert(sealed)
    with pytest.raises(ValueError, match="encrypted before they are stored"):
        await functions.replace(updated, expected_revision_id="r1")
    with pytest.raises(ValueError, match="encrypted before they are stored"):
        await functions.replace(
            replace(sealed, revision_id="r2"),
            expected_revision_id="r1",
            published=replace(sealed, configuration=plain, version="1"),
        )
    assert await functions.get(sealed.key) == sealed
    assert await functions.with_plain_environment() == []


async def test_an_unknown_function_is_none(functions: Functions):
    assert await functions.get(key("nobody")) is None


async def test_a_second_insert_of_a_name_is_refused_and_changes_nothing(functions: Functions):
    await functions.insert(function(description="first"))
    with pytest.raises(AlreadyExists):
        await functions.insert(function(description="second"))
    found = await functions.get(key())
    assert found is not None
    assert found.configuration.description == "first"


async def test_account_and_region_are_part_of_the_name(functions: Functions, resources: Resources):
    await functions.insert(function())
    await functions.insert(function(account_id="999999999999"))
    await functions.insert(function(region="eu-west-1"))
    assert await delete(resources, key(region="eu-west-1"))
    assert await functions.get(key()) is not None
    assert await functions.get(key(account_id="999999999999")) is not None
    assert await functions.get(key(region="eu-west-1")) is None


async def test_replace_needs_the_stored_revision(functions: Functions):
    await functions.insert(function(revision_id="r1"))
    await functions.replace(function(revision_id="r2", description="new"), expected_revision_id="r1")
    with pytest.raises(Changed):
        await functions.replace(function(revision_id="r3", description="late"), expected_revision_id="r1")
    found = await functions.get(key())
    assert found is not None
    assert (found.revision_id, found.configuration.description) == ("r2", "new")


async def test_replace_of_a_deleted_function_is_refused(functions: Functions, resources: Resources):
    await functions.insert(function())
    await delete(resources, key())
    with pytest.raises(Changed):
        await functions.replace(function(revision_id="r2"), expected_revision_id="r1")
    assert await functions.get(key()) is None


async def test_delete_says_whether_there_was_something(functions: Functions, resources: Resources):
    await functions.insert(function())
    assert await delete(resources, key()) is True
    assert await delete(resources, key()) is False
    assert await functions.get(key()) is None


async def test_a_name_can_be_used_again_after_its_deletion(functions: Functions, resources: Resources):
    await functions.insert(function(description="old"))
    await delete(resources, key())
    await functions.insert(function(description="new"))
    found = await functions.get(key())
    assert found is not None
    assert found.configuration.description == "new"


async def test_pages_are_in_bytewise_order_and_continue_after_a_name(functions: Functions):
    names = ["b", "A", "a-1", "a", "Z", "a_1", "10", "9", "a.1", "aa"]
    for name in names:
        await functions.insert(function(name))
    await functions.insert(function("other", region="eu-west-1"))
    await functions.insert(function("other", account_id="999999999999"))
    seen: list[str] = []
    after = None
    while page := await functions.page(ACCOUNT, REGION, after=after, limit=3):
        assert len(page) <= 3
        seen += [found.key.name for found in page]
        after = seen[-1]
    assert seen == sorted(names, key=str.encode)


async def test_a_page_continues_after_a_name_that_was_deleted_meanwhile(functions: Functions, resources: Resources):
    for name in ("a", "b", "c"):
        await functions.insert(function(name))
    await delete(resources, key("b"))
    assert [found.key.name for found in await functions.page(ACCOUNT, REGION, after="b", limit=10)] == ["c"]


async def test_unsettled_are_those_with_work_outstanding(functions: Functions):
    await functions.insert(function("pending"))
    await functions.insert(function("done", settled=True))
    updating = function("updating", settled=True).changed(revision_id="r2", now_epoch_ms=1)
    await functions.insert(updating)
    assert [found.key.name for found in await functions.unsettled()] == ["pending", "updating"]
    await functions.replace(
        replace(updating, last_update_status=LastUpdateStatus.SUCCESSFUL, revision_id="r3"), expected_revision_id="r2"
    )
    assert [found.key.name for found in await functions.unsettled()] == ["pending"]


async def test_packages_in_use_follow_every_write(functions: Functions, resources: Resources):
    one, two = function("one", code="x"), function("two", code="x")
    await functions.insert(one)
    await functions.insert(two)
    assert await functions.packages_in_use() == {one.package.sha256}
    changed = function("two", code="y", revision_id="r2")
    await functions.replace(changed, expected_revision_id="r1")
    assert await functions.packages_in_use() == {one.package.sha256, changed.package.sha256}
    await delete(resources, one.key)
    assert await functions.packages_in_use() == {changed.package.sha256}


async def test_the_package_before_an_update_is_in_use_until_the_update_is_through(functions: Functions):
    active = function("one", settled=True)
    await functions.insert(active)
    other = replace(active.package, sha256="cd" * 32)
    updated = active.changed(package=other, revision_id="second", now_epoch_ms=1)
    await functions.replace(updated, expected_revision_id=active.revision_id)
    assert await functions.packages_in_use() == {active.package.sha256, other.sha256}
    through = updated.settled(failure=None, revision_id="third")
    await functions.replace(through, expected_revision_id="second")
    assert await functions.packages_in_use() == {other.sha256}


async def test_layers_of_functions_and_versions_are_in_use_as_long_as_those_are(
    functions: Functions, resources: Resources
):
    one, two = layered("one", "a", "b"), layered("two", "b")
    latest = counted(two, revision_id="r2")
    await functions.insert(one)
    await functions.insert(latest, published=published(latest, description=None, revision_id="v1"))
    assert await functions.packages_in_use() == one.code_in_use | two.code_in_use
    without = replace(latest, configuration=replace(two.configuration, layers=()), revision_id="r3")
    await functions.replace(without, expected_revision_id="r2")
    assert await functions.packages_in_use() == one.code_in_use | two.code_in_use
    await delete(resources, two.key, "1")
    assert await functions.packages_in_use() == one.code_in_use | {two.package.sha256}
    await delete(resources, one.key)
    assert await functions.packages_in_use() == {two.package.sha256}


async def test_of_50_writers_that_insert_one_name_exactly_one_wins(functions: Functions):
    outcomes = await asyncio.gather(
        *(functions.insert(function(description=str(number))) for number in range(50)), return_exceptions=True
    )
    winners = [number for number, outcome in enumerate(outcomes) if outcome is None]
    assert len(winners) == 1
    assert all(isinstance(outcome, AlreadyExists) for outcome in outcomes if outcome is not None)
    found = await functions.get(key())
    assert found is not None
    assert found.configuration.description == str(winners[0])


async def test_50_writers_that_count_in_one_function_lose_no_count(functions: Functions):
    await functions.insert(function(revision_id="0", description="0"))

    async def count_up(writer: int) -> None:
        while True:
            seen = await functions.get(key())
            assert seen is not None
            number = int(seen.configuration.description) + 1
            try:
                await functions.replace(
                    function(revision_id=f"{number}-{writer}", description=str(number)),
                    expected_revision_id=seen.revision_id,
                )
            except Changed:
                await asyncio.sleep(0)
            else:
                return

    await asyncio.gather(*(count_up(writer) for writer in range(50)))
    found = await functions.get(key())
    assert found is not None
    assert found.configuration.description == "50"


async def test_what_is_stored_does_not_change_with_what_the_caller_holds(functions: Functions):
    stored = full_function()
    await functions.insert(stored)
    stored.tags["later"] = "added"
    found = await functions.get(stored.key)
    assert found is not None
    assert "later" not in found.tags


async def test_text_that_no_file_can_hold_is_refused_as_a_value_error(functions: Functions):
    with pytest.raises(ValueError, match="surrogates"):
        await functions.insert(function(description="\ud800"))
    assert await functions.get(key()) is None
