"""What every store of functions promises of published versions: in memory, in SQLite, and with the cache in front."""

import asyncio
from dataclasses import replace

import pytest

from lampion.domain.function import Function
from lampion.domain.version import counted, published
from lampion.store.functions import Changed, Functions
from lampion.store.resources import Resources
from tests.component.store.samples import ACCOUNT, REGION, delete, function, key


async def publish(functions: Functions, latest: Function, *, snap_start: bool = False) -> tuple[Function, Function]:
    """$LATEST with one version more, and that version."""
    counting = counted(latest, revision_id=f"{latest.revision_id}+")
    apply_on = "PublishedVersions" if snap_start else "None"
    counting = replace(counting, configuration=replace(counting.configuration, snap_start_apply_on=apply_on))
    version = published(counting, description=f"the {counting.last_version}.", revision_id=f"v{counting.last_version}")
    await functions.replace(counting, expected_revision_id=latest.revision_id, published=version)
    return counting, version


async def with_versions(functions: Functions, name: str, count: int) -> Function:
    latest = function(name, settled=True)
    await functions.insert(latest)
    for _ in range(count):
        latest, _ = await publish(functions, latest)
    return latest


def places(found: list[Function]) -> list[tuple[str, str]]:
    return [(one.key.name, one.version) for one in found]


async def test_a_version_stands_beside_the_function_it_was_taken_of(functions: Functions):
    stored = function(settled=True)
    await functions.insert(stored)
    latest, version = await publish(functions, stored)
    assert await functions.get(key()) == latest
    assert await functions.get(key(), "1") == version
    assert version.version == "1"


async def test_a_function_can_come_with_its_first_version(functions: Functions):
    latest = counted(function(), revision_id="r1")
    version = published(latest, description=None, revision_id="v1")
    await functions.insert(latest, published=version)
    assert await functions.versions(key(), after=None, limit=10) == [latest, version]


async def test_what_changes_later_does_not_change_the_version(functions: Functions):
    stored = function(settled=True)
    await functions.insert(stored)
    latest, version = await publish(functions, stored)
    newer = replace(function(code="new", description="new", revision_id="r9"), last_version=1)
    await functions.replace(newer, expected_revision_id=latest.revision_id)
    assert await functions.get(key(), "1") == version
    assert await functions.get(key()) == newer


async def test_a_publication_that_was_overtaken_stores_nothing(functions: Functions):
    stored = function(settled=True)
    await functions.insert(stored)
    await publish(functions, stored)
    with pytest.raises(Changed):
        await publish(functions, stored)
    assert places(list(await functions.versions(key(), after=None, limit=10))) == [("hello", "$LATEST"), ("hello", "1")]


async def test_of_20_publications_at_once_one_wins(functions: Functions):
    stored = function(settled=True)
    await functions.insert(stored)
    outcomes = await asyncio.gather(*(publish(functions, stored) for _ in range(20)), return_exceptions=True)
    assert [type(one) for one in outcomes if isinstance(one, BaseException)] == [Changed] * 19
    assert len(await functions.versions(key(), after=None, limit=50)) == 2


@pytest.mark.parametrize("version", ["2", "0", "01", "-1", "1.0", "", "live", "\uff19", "9" * 128, "$LATEST.PUBLISHED"])
async def test_what_is_no_version_of_it_is_none(functions: Functions, resources: Resources, version: str):
    await with_versions(functions, "hello", 1)
    assert await functions.get(key(), version) is None
    assert await delete(resources, key(), version) is False


async def test_a_deleted_version_is_gone_and_the_others_stay(functions: Functions, resources: Resources):
    latest = await with_versions(functions, "hello", 3)
    assert await functions.get(key(), "2") is not None
    assert await delete(resources, key(), "2") is True
    assert await delete(resources, key(), "2") is False
    assert await functions.get(key(), "2") is None
    assert [one.version for one in await functions.versions(key(), after=None, limit=9)] == ["$LATEST", "1", "3"]
    assert (await publish(functions, latest))[1].version == "4"


async def test_latest_is_not_deleted_as_a_version(functions: Functions, resources: Resources):
    await with_versions(functions, "hello", 1)
    assert await delete(resources, key(), "$LATEST") is False
    assert await functions.get(key()) is not None


async def test_a_deleted_function_takes_its_versions_along(functions: Functions, resources: Resources):
    await with_versions(functions, "hello", 3)
    other = await with_versions(functions, "hello-2", 1)
    for version in ("$LATEST", "1", "2", "3"):
        assert await functions.get(key(), version) is not None
    assert await delete(resources, key()) is True
    assert [await functions.get(key(), version) for version in ("$LATEST", "1", "2", "3")] == [None] * 4
    assert await functions.packages_in_use() == {other.package.sha256}
    assert len(await functions.versions(other.key, after=None, limit=9)) == 2


async def test_versions_are_listed_by_number_after_latest(functions: Functions):
    await with_versions(functions, "hello", 12)
    seen: list[str] = []
    after = None
    while page := await functions.versions(key(), after=after, limit=5):
        assert len(page) <= 5
        seen += [one.version for one in page]
        after = 0 if page[-1].version == "$LATEST" else int(page[-1].version)
    assert seen == ["$LATEST", *map(str, range(1, 13))]


async def test_functions_are_listed_with_and_without_their_versions(functions: Functions):
    for name, count in (("b", 2), ("a", 1), ("c", 0)):
        await with_versions(functions, name, count)
    await functions.insert(function("other", region="eu-west-1"))
    assert places(list(await functions.page(ACCOUNT, REGION, after=None, limit=9))) == [
        (name, "$LATEST") for name in "abc"
    ]
    everything = [("a", "$LATEST"), ("a", "1"), ("b", "$LATEST"), ("b", "1"), ("b", "2"), ("c", "$LATEST")]
    assert places(list(await functions.page_with_versions(ACCOUNT, REGION, after=None, limit=9))) == everything
    for index, (name, version) in enumerate(everything):
        after = (name, 0 if version == "$LATEST" else int(version))
        rest = await functions.page_with_versions(ACCOUNT, REGION, after=after, limit=2)
        assert places(list(rest)) == everything[index + 1 : index + 3]


async def test_a_version_with_work_outstanding_is_unsettled(functions: Functions):
    stored = function(settled=True)
    await functions.insert(stored)
    await functions.insert(function("other"))
    _, version = await publish(functions, stored, snap_start=True)
    assert places(list(await functions.unsettled())) == [("hello", "1"), ("other", "$LATEST")]
    assert list(await functions.unsettled_of(key())) == [version]
    settled = version.settled(failure=None, revision_id="done")
    await functions.replace(settled, expected_revision_id=version.revision_id)
    assert list(await functions.unsettled_of(key())) == []
    assert await functions.get(key(), "1") == settled


async def test_versions_with_snap_start_are_found_again(functions: Functions, resources: Resources):
    stored = function(settled=True)
    await functions.insert(stored)
    latest, _ = await publish(functions, stored)
    _, second = await publish(functions, latest, snap_start=True)
    assert list(await functions.snap_started()) == [second]
    await delete(resources, key(), "2")
    assert list(await functions.snap_started()) == []


async def test_a_package_is_in_use_as_long_as_a_version_uses_it(functions: Functions, resources: Resources):
    stored = function(settled=True, code="old")
    await functions.insert(stored)
    latest, version = await publish(functions, stored)
    newer = replace(function(code="new", revision_id="r9"), last_version=1)
    await functions.replace(newer, expected_revision_id=latest.revision_id)
    assert await functions.packages_in_use() == {version.package.sha256, newer.package.sha256}
    await delete(resources, key(), "1")
    assert await functions.packages_in_use() == {newer.package.sha256}
