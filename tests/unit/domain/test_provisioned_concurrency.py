"""Where provisioned concurrency can be configured, and that no version has it twice."""

from dataclasses import replace
from typing import Any

import pytest

from lampion.domain.alias import Alias
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import InvalidParameterValueException, ResourceConflictException
from lampion.domain.function import Function
from lampion.domain.provisioned_concurrency import (
    INIT_FAILURE,
    Allocation,
    Status,
    allocation,
    check_only_one,
    check_published,
    check_starts_anew,
    check_unweighted,
)
from tests.component.store.samples import function

KEY = FunctionKey("123456789012", "us-east-1", "f")
OF_VERSION = "Version is pointed by a Provisioned Concurrency alias"
OF_ALIAS = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"


def alias(name: str, version: str, **weights: float) -> Alias:
    routing = {other.removeprefix("v"): weight for other, weight in weights.items()}
    return Alias(key=KEY, name=name, function_version=version, revision_id="r", additional_version_weights=routing)


ALIASES = {one.name: one for one in (alias("a", "1"), alias("b", "1"), alias("c", "2"), alias("both", "2", v3=0.5))}


@pytest.mark.parametrize(
    ("qualifier", "provisioned", "refusal"),
    [
        ("1", [], None),
        ("1", ["1"], None),  # its own, put again
        ("1", ["2", "c"], None),
        ("1", ["a"], OF_VERSION),
        ("1", ["1", "b"], OF_VERSION),
        ("3", ["both"], OF_VERSION),
        ("a", [], None),
        ("a", ["a"], None),
        ("a", ["2", "c"], None),
        ("a", ["1"], OF_ALIAS),
        ("a", ["b"], OF_ALIAS),
        ("c", ["both"], OF_ALIAS),
        ("both", ["3"], OF_ALIAS),
    ],
)
def test_a_version_is_provisioned_once(qualifier: str, provisioned: list[str], refusal: str | None) -> None:
    if refusal is None:
        check_only_one(qualifier, provisioned, ALIASES)
        return
    with pytest.raises(ResourceConflictException) as caught:
        check_only_one(qualifier, provisioned, ALIASES)
    assert caught.value.message == refusal


def test_only_what_is_published_can_be_provisioned() -> None:
    check_published("1")
    with pytest.raises(InvalidParameterValueException) as caught:
        check_published("$LATEST")
    assert caught.value.message == (
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    )


def test_an_alias_of_two_versions_cannot_be_provisioned() -> None:
    check_unweighted(ALIASES["a"])
    with pytest.raises(InvalidParameterValueException) as caught:
        check_unweighted(ALIASES["both"])
    assert caught.value.message == "Alias with weights can not be used with Provisioned Concurrency"


@pytest.mark.parametrize(("version", "apply_on"), [("1", "None"), ("$LATEST", "PublishedVersions")])
def test_a_version_without_snap_start_can_be_provisioned(version: str, apply_on: str) -> None:
    check_starts_anew(snap_start(version, apply_on))


def test_a_version_with_snap_start_cannot_be_provisioned() -> None:
    with pytest.raises(InvalidParameterValueException):
        check_starts_anew(snap_start("1", "PublishedVersions"))


def snap_start(version: str, apply_on: str) -> Function:
    stored = function(settled=True)
    configuration = replace(stored.configuration, snap_start_apply_on=apply_on)
    return replace(stored, version=version, configuration=configuration)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"ready": 0, "free": 0}, (0, 0, Status.IN_PROGRESS)),
        ({"ready": 2, "free": 1}, (2, 1, Status.IN_PROGRESS)),
        ({"ready": 3, "free": 0}, (3, 0, Status.READY)),
        ({"ready": 4, "free": 4}, (3, 3, Status.READY)),  # those too much end
        ({"ready": 0, "free": 0, "outgoing_ready": 3, "outgoing_free": 2}, (3, 2, Status.IN_PROGRESS)),
        ({"ready": 2, "free": 2, "outgoing_ready": 3, "outgoing_free": 3}, (3, 3, Status.IN_PROGRESS)),
        ({"ready": 1, "free": 1, "failure": INIT_FAILURE}, (1, 1, Status.FAILED)),
    ],
)
def test_what_is_said_of_three_requested(counts: dict[str, Any], expected: tuple[int, int, Status]) -> None:
    reason = counts.setdefault("failure", None)
    assert allocation(3, **counts) == Allocation(*expected, reason)
