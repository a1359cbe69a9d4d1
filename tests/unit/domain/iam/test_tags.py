"""Tags of IAM: their keys differ by more than case, which they keep."""

import pytest

from lampion.domain.iam.errors import InvalidInputException, LimitExceededException
from lampion.domain.iam.tags import with_tags, without_tags

FIFTY = {f"k{number}": "" for number in range(50)}


@pytest.mark.parametrize(
    ("present", "added", "expected"),
    [
        ({}, [], {}),
        ({}, [("a", "1"), ("b", "")], {"a": "1", "b": ""}),
        ({"a": "1", "b": "2"}, [("a", "3")], {"b": "2", "a": "3"}),
        ({"Team": "1"}, [("team", "2")], {"team": "2"}),
        ({"\u00c9": "1"}, [("\u00e9", "2")], {"\u00e9": "2"}),
        (FIFTY, [("K0", "1")], {**{key: "" for key in FIFTY if key != "k0"}, "K0": "1"}),
        ({}, [("xaws:a", "aws:b")], {"xaws:a": "aws:b"}),
    ],
)
def test_tags_are_added_or_replaced(
    present: dict[str, str], added: list[tuple[str, str]], expected: dict[str, str]
) -> None:
    assert with_tags(present, added) == expected


@pytest.mark.parametrize("keys", [("a", "a"), ("a", "A")])
def test_a_key_is_given_once(keys: tuple[str, str]) -> None:
    with pytest.raises(InvalidInputException) as caught:
        with_tags({}, [(key, "") for key in keys])
    assert caught.value.message == "Duplicate tag keys found. Please note that Tag keys are case insensitive."


@pytest.mark.parametrize("key", ["aws:x", "AWS:x", "aws:"])
def test_the_prefix_of_aws_is_its_own(key: str) -> None:
    with pytest.raises(InvalidInputException):
        with_tags({}, [(key, "")])


def test_fifty_tags_are_the_most() -> None:
    assert len(with_tags(dict(list(FIFTY.items())[1:]), [("new", "")])) == 50
    with pytest.raises(LimitExceededException) as caught:
        with_tags(FIFTY, [("new", "")])
    assert caught.value.message == "The number of tags has reached the maximum limit 50."


def test_tags_are_removed_in_any_case() -> None:
    assert without_tags({"A": "1", "b": "2"}, ["a", "absent"]) == {"b": "2"}
