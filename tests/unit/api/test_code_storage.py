"""What an account may store is counted in the transaction that stores it: what is too much is not stored."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from lampion.domain import limits
from lampion.domain.errors import CodeStorageExceededException
from lampion.domain.function import DeploymentPackage, Function
from lampion.domain.version import counted, published
from tests.component.store.samples import function
from tests.unit.api.test_function_layers import Rooms

HALF = limits.TOTAL_CODE_BYTES // 2


def holding(name: str, size_bytes: int) -> Function:
    return replace(function(name, settled=True), package=DeploymentPackage(name[0] * 64, "=", size_bytes))


async def refused(change: Any) -> None:
    with pytest.raises(CodeStorageExceededException, match=r"^Code storage limit exceeded\.$"):
        await change


async def test_new_functions_fill_the_storage_and_no_more() -> None:
    on = Rooms()
    await on.rooms.commit_new(holding("a", HALF), published=None, signing_arn=None)
    await on.rooms.commit_new(holding("b", HALF), published=None, signing_arn=None)
    await refused(on.rooms.commit_new(holding("c", 1), published=None, signing_arn=None))
    assert await on.functions.get(holding("c", 1).key) is None
    elsewhere = replace(holding("c", 1), key=structs.replace(holding("c", 1).key, region="eu-west-1"))
    await on.rooms.commit_new(elsewhere, published=None, signing_arn=None)


async def test_a_version_counts_as_much_again() -> None:
    on = Rooms()
    latest = holding("a", HALF + 1)
    await on.rooms.commit_new(latest, published=None, signing_arn=None)
    after = counted(latest, revision_id="r2")
    version = published(after, description=None, revision_id="v1")
    await refused(on.rooms.commit_update(latest, after, published=version))
    assert await on.functions.get(latest.key) == latest
    assert await on.functions.get(latest.key, "1") is None


async def test_code_may_change_for_less_even_above_the_limit_and_not_for_more() -> None:
    on = Rooms()
    latest = holding("a", limits.TOTAL_CODE_BYTES)
    await on.rooms.commit_new(latest, published=None, signing_arn=None)
    more = replace(latest, package=replace(latest.package, size_bytes=limits.TOTAL_CODE_BYTES + 1), revision_id="r2")
    await refused(on.rooms.commit_update(latest, more))
    less = replace(latest, package=replace(latest.package, size_bytes=limits.TOTAL_CODE_BYTES - 1), revision_id="r2")
    await on.rooms.commit_update(latest, less)
    assert await on.functions.get(latest.key) == less
