"""A new function is stored with what it uses, or not at all: what was there a moment ago may be gone by then."""

from dataclasses import replace

import pytest

from lampion.domain.code_signing import CodeSigningConfig
from lampion.domain.errors import ApiError, CodeSigningConfigNotFoundException, InvalidParameterValueException
from lampion.domain.function import Function
from lampion.store.code_signing import CODE_SIGNING_CONFIGS, config_of_function
from lampion.store.memory_resources import MemoryResources, MemoryTables
from tests.component.store.samples import ACCOUNT, REGION, function, key
from tests.unit.api.stored_rooms import Settled, rooms

CONFIG = CodeSigningConfig(
    account_id=ACCOUNT, region=REGION, id="csc-00000000000000000", allowed_publishers=("arn",), last_modified_epoch_ms=0
)
ELSEWHERE = replace(CONFIG, region="eu-west-1")
ABSENT = replace(CONFIG, id="csc-11111111111111111")


@pytest.fixture
async def resources() -> MemoryResources:
    made = MemoryResources(MemoryTables())
    for config in (CONFIG, ELSEWHERE):
        await made.change(lambda stored, config=config: stored.put(CODE_SIGNING_CONFIGS, config))  # type: ignore[misc]
    return made


async def test_a_function_is_held_to_its_configuration_from_its_first_moment(resources: MemoryResources) -> None:
    settled = Settled()
    await rooms(resources, settled).commit_new(function(), published=None, signing_arn=CONFIG.arn)
    assert await resources.read(lambda stored: config_of_function(stored, key())) == CONFIG
    assert settled.functions == [function()]


def image() -> Function:
    made = function()
    return replace(made, configuration=replace(made.configuration, package_type="Image"))


@pytest.mark.parametrize(
    ("made", "config", "error"),
    [
        (function(), ABSENT, CodeSigningConfigNotFoundException),
        (function(), ELSEWHERE, CodeSigningConfigNotFoundException),
        (image(), CONFIG, InvalidParameterValueException),
    ],
)
async def test_nothing_is_stored_of_a_function_that_cannot_have_its_configuration(
    resources: MemoryResources, made: Function, config: CodeSigningConfig, error: type[ApiError]
) -> None:
    settled = Settled()
    with pytest.raises(error):
        await rooms(resources, settled).commit_new(made, published=None, signing_arn=config.arn)
    assert await resources.read(lambda stored: stored.function(key())) is None
    assert settled.functions == []
