"""Tags of resources that aren't functions: one row says what they are, and all operations follow."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from lampion.api.function_rooms import FunctionRooms
from lampion.api.tags import TagsApi
from lampion.aws.errors import AccessDeniedException, OperationNotImplementedException
from lampion.aws.operation import RequestContext
from lampion.clock.rng import SeededRng
from lampion.domain.errors import InvalidParameterValueException, ResourceNotFoundException
from lampion.store.memory_resources import MemoryResources, MemoryTables
from lampion.store.resources import Kind, Place
from lampion.store.tagged import TaggedKind

CONTEXT = RequestContext("123456789012", "us-east-1", "root", "request-1")
ARN = "arn:aws:lambda:us-east-1:123456789012:capacity-provider"


@dataclass(frozen=True, slots=True)
class Provider:
    """Stands for any kind of resource."""

    name: str
    size: int
    tags: dict[str, str] = field(default_factory=dict)


def place(account_id: str, region: str, own_id: str) -> Place:
    return Place(account_id, region, "", own_id)


PROVIDERS = Kind("provider", Provider, place=lambda one: place("123456789012", "us-east-1", one.name))
ROW = TaggedKind("capacity-provider", PROVIDERS)


@pytest.fixture
async def resources() -> MemoryResources:
    made = MemoryResources(MemoryTables())
    await made.change(lambda stored: stored.put(PROVIDERS, Provider("p", 7, {"a": "1"})))
    return made


def tags_api(resources: MemoryResources, *rows: TaggedKind) -> TagsApi:
    unused = cast("Any", None)
    rooms = FunctionRooms(
        functions=unused,
        resources=cast("Any", resources),
        lookup=unused,
        deployments=unused,
        images=unused,
        runtimes=unused,
        snapshots=unused,
        environments=unused,
        clock=unused,
        rng=SeededRng(1),
    )
    return TagsApi(rooms, tagged=rows)


async def test_a_row_is_all_it_takes(resources: MemoryResources) -> None:
    api = tags_api(resources, ROW)
    await api.tag_resource(CONTEXT, {"Resource": f"{ARN}:p", "Tags": {"b": "2", "c": "3"}})
    await api.untag_resource(CONTEXT, {"Resource": f"{ARN}:p", "TagKeys": ["a", "c"]})
    assert await api.list_tags(CONTEXT, {"Resource": f"{ARN}:p"}) == {"Tags": {"b": "2"}}
    kept = await resources.read(lambda stored: stored.get(PROVIDERS, place("123456789012", "us-east-1", "p")))
    assert kept == Provider("p", 7, {"b": "2"})


async def test_the_rules_of_tags_hold_for_every_kind(resources: MemoryResources) -> None:
    api = tags_api(resources, ROW)
    with pytest.raises(InvalidParameterValueException):
        await api.tag_resource(CONTEXT, {"Resource": f"{ARN}:p", "Tags": {f"k{n}": "v" for n in range(50)}})
    assert await api.list_tags(CONTEXT, {"Resource": f"{ARN}:p"}) == {"Tags": {"a": "1"}}


async def test_what_is_not_there_has_no_tags(resources: MemoryResources) -> None:
    with pytest.raises(ResourceNotFoundException) as caught:
        await tags_api(resources, ROW).list_tags(CONTEXT, {"Resource": f"{ARN}:q"})
    assert caught.value.message == "The resource you requested does not exist."

    def missing(arn: str) -> ResourceNotFoundException:
        return ResourceNotFoundException(f"no {arn}")

    own_words = TaggedKind("capacity-provider", PROVIDERS, missing)
    with pytest.raises(ResourceNotFoundException) as caught:
        await tags_api(resources, own_words).tag_resource(CONTEXT, {"Resource": f"{ARN}:q", "Tags": {"a": "1"}})
    assert caught.value.message == f"no {ARN}:q"


async def test_other_accounts_and_regions_are_out_of_reach(resources: MemoryResources) -> None:
    api = tags_api(resources, ROW)
    with pytest.raises(AccessDeniedException):
        await api.list_tags(CONTEXT, {"Resource": ARN.replace("123456789012", "210987654321") + ":p"})
    with pytest.raises(ResourceNotFoundException):
        await api.list_tags(CONTEXT, {"Resource": ARN.replace("us-east-1", "eu-central-1") + ":p"})


async def test_a_kind_without_a_row_is_named(resources: MemoryResources) -> None:
    with pytest.raises(OperationNotImplementedException) as caught:
        await tags_api(resources).list_tags(CONTEXT, {"Resource": f"{ARN}:p"})
    assert "capacity-provider" in caught.value.message
