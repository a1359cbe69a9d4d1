"""The shape in which every operation answers: what it says of a version's snapshot and by which ARN it names it."""

from dataclasses import replace
from typing import Any, cast

import pytest

from lampion.api.function_rooms import FunctionRooms
from lampion.domain.function import Function
from lampion.domain.snap_start import OptimizationStatus
from lampion.identity.function_environments import FunctionEnvironments
from tests.component.store.samples import function
from tests.unit.api.stored_rooms import caller


class ChangingStatus:
    """A snapshot that comes and goes."""

    def __init__(self) -> None:
        self.status = OptimizationStatus.OFF

    def optimization_status(self, function: Function) -> OptimizationStatus:
        return self.status


class NoArn:
    def version_arn(self, function: Function) -> None:
        return None


def rooms(status: ChangingStatus) -> FunctionRooms:
    unused = cast("Any", None)
    return FunctionRooms(
        functions=unused,
        resources=unused,
        lookup=unused,
        deployments=unused,
        images=unused,
        runtimes=cast("Any", NoArn()),
        snapshots=status,
        environments=FunctionEnvironments(unused, unused),
        clock=unused,
        rng=unused,
    )


async def test_the_optimization_status_is_asked_for_each_answer() -> None:
    status = ChangingStatus()
    stored = function(settled=True)
    snap_started = replace(stored.configuration, snap_start_apply_on="PublishedVersions")
    version = replace(stored, version="1", configuration=snap_started)
    for status.status in (OptimizationStatus.OFF, OptimizationStatus.ON, OptimizationStatus.OFF):
        shown = (await rooms(status).shape(version, caller()))["SnapStart"]
        assert shown == {"ApplyOn": "PublishedVersions", "OptimizationStatus": status.status}


@pytest.mark.parametrize(("qualifier", "suffix"), [("1", ":1"), ("live", ":live"), (None, "")])
async def test_a_version_is_named_by_the_arn_that_was_asked_for(qualifier: str | None, suffix: str) -> None:
    shown = await rooms(ChangingStatus()).shape(replace(function(), version="1"), caller(), qualifier=qualifier)
    assert shown["FunctionArn"] == f"arn:aws:lambda:us-east-1:123456789012:function:hello{suffix}"
    assert shown["Version"] == "1"
