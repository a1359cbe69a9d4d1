"""Tags of users, roles and managed policies: their keys differ by more than case."""

from typing import Any

import pytest

from tests.conformance.iam.making import ACCOUNT, Made, call
from tests.conformance.refusals import refusal, refused

DUPLICATE = (400, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")


def tags(**those: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in those.items()]


def tagged(made: Made, kind: str, **members: Any) -> dict[str, str]:
    """How one of that kind is named, newly made."""
    if kind == "Policy":
        return {"PolicyArn": made.policy(**members)}
    return {f"{kind}Name": made.identity(kind, **members)}


@pytest.mark.parametrize("kind", ["User", "Role", "Policy"])
def test_tags_are_added_replaced_and_taken_away(iam: Any, made: Made, kind: str) -> None:
    lower = kind.lower()
    named = tagged(made, kind, Tags=tags(Team="blue", b="2"))
    listed = f"list_{lower}_tags"
    assert call(iam, listed, **named) == {"Tags": tags(Team="blue", b="2"), "IsTruncated": False}
    assert call(iam, f"tag_{lower}", **named, Tags=tags(team="red", c="")) == {}
    assert call(iam, listed, **named)["Tags"] == tags(b="2", c="", team="red")
    assert getattr(iam, f"get_{lower}")(**named)[kind]["Tags"] == tags(b="2", team="red", c="")
    assert call(iam, f"untag_{lower}", **named, TagKeys=["TEAM", "b", "absent"]) == {}
    assert call(iam, listed, **named)["Tags"] == tags(c="")
    getattr(iam, f"untag_{lower}")(**named, TagKeys=["c"])
    assert "Tags" not in getattr(iam, f"get_{lower}")(**named)[kind]
    assert call(iam, listed, **named)["Tags"] == []


@pytest.mark.parametrize("kind", ["User", "Role", "Policy"])
def test_tags_that_are_refused_change_nothing(iam: Any, made: Made, kind: str) -> None:
    lower, named = kind.lower(), tagged(made, kind, Tags=tags(**{f"k{number}": "" for number in range(49)}))
    tag = getattr(iam, f"tag_{lower}")
    assert refusal(tag, **named, Tags=tags(a="1", A="2")) == DUPLICATE
    assert refused(tag, **named, Tags=tags(**{"aws:a": "1"}))[0] == "InvalidInput"
    assert refused(tag, **named, Tags=tags(**{"a#b": "1"}))[0] == "ValidationError"
    assert refused(tag, **named, Tags=tags(**{"x" * 129: "1"}))[0] == "ValidationError"
    assert refused(tag, **named, Tags=tags(a="x" * 257))[0] == "ValidationError"
    assert refused(tag, **named, Tags=tags(a="1", b="2"))[0] == "LimitExceeded"
    assert len(getattr(iam, f"list_{lower}_tags")(**named)["Tags"]) == 49
    many = tags(**{f"n{number}": "" for number in range(51)})
    assert refused(tag, **named, Tags=many)[0] == "ValidationError"


@pytest.mark.parametrize("kind", ["User", "Role", "Policy"])
def test_nothing_is_made_with_tags_that_are_refused(iam: Any, made: Made, kind: str) -> None:
    with pytest.raises(iam.exceptions.InvalidInputException):
        tagged(made, kind, Tags=tags(a="1", A="2"))


def test_tags_of_what_is_not_there(iam: Any) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/absent"
    for kind, named, told in (
        ("user", {"UserName": "absent"}, "The user with name absent cannot be found."),
        ("role", {"RoleName": "absent"}, "The role with name absent cannot be found."),
        ("policy", {"PolicyArn": arn}, f"Policy {arn} was not found."),
    ):
        expected = (404, "NoSuchEntity", told)
        assert refusal(getattr(iam, f"tag_{kind}"), **named, Tags=tags(a="1")) == expected
        assert refusal(getattr(iam, f"untag_{kind}"), **named, TagKeys=["a"]) == expected
        assert refusal(getattr(iam, f"list_{kind}_tags"), **named) == expected
