"""Aliases: what they may point to, and which version an invocation of one runs."""

import pytest

from lampion.domain.alias import Alias, check_alias, check_alias_revision, check_unreferenced, chosen_version
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import (
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceConflictException,
)

KEY = FunctionKey("123456789012", "us-east-1", "f")


def alias(version: str = "1", name: str = "live", **weights: float) -> Alias:
    routing = {name.removeprefix("v"): weight for name, weight in weights.items()}
    return Alias(key=KEY, name=name, function_version=version, revision_id="r1", additional_version_weights=routing)


@pytest.mark.parametrize("fine", [alias(), alias("$LATEST"), alias("1", v2=0.0), alias("1", v2=1.0)])
def test_one_version_or_two_by_weight(fine: Alias) -> None:
    check_alias(fine)


@pytest.mark.parametrize(
    ("wrong", "message", "type_name"),
    [
        (alias("1", v2=0.1, v3=0.1), "Number of items in AdditionalVersionWeights cannot be greater than 1", None),
        (alias("1", v1=0.8, v2=0.2), "Number of items in AdditionalVersionWeights cannot be greater than 1", None),
        (
            alias("$LATEST", v1=0.1),
            "$LATEST is not supported for an alias pointing to more than 1 version",
            "",
        ),
        (
            alias("7", v7=0.1),
            "Invalid function version 7. Function version 7 is already included in routing configuration.",
            None,
        ),
    ],
)
def test_what_an_alias_cannot_point_to(wrong: Alias, message: str, type_name: str | None) -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        check_alias(wrong)
    assert (caught.value.message, caught.value.members.get("Type")) == (message, type_name)


def test_the_revision_given_must_be_the_current_one() -> None:
    check_alias_revision(alias(), None)
    check_alias_revision(alias(), "r1")
    with pytest.raises(PreconditionFailedException) as caught:
        check_alias_revision(alias(), "r0")
    assert caught.value.message == (
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
    )


def test_a_version_that_aliases_point_to_is_not_deleted() -> None:
    aliases = [alias("1", "a"), alias("2", "b", v1=0.1), alias("2", "c"), alias("11", "d")]
    check_unreferenced("3", aliases)
    with pytest.raises(ResourceConflictException) as caught:
        check_unreferenced("1", aliases)
    assert caught.value.message == "Unable to delete version because the following aliases reference it: [a, b]"


@pytest.mark.parametrize(
    ("weight", "fraction", "version"),
    [(0.0, 0.0, "1"), (0.25, 0.2499, "2"), (0.25, 0.25, "1"), (0.25, 0.999999, "1"), (1.0, 0.999999, "2")],
)
def test_the_additional_version_gets_its_part(weight: float, fraction: float, version: str) -> None:
    assert chosen_version(alias("1", v2=weight), fraction) == version


def test_without_weights_the_one_version_runs() -> None:
    assert chosen_version(alias("3"), 0.0) == "3"
