"""Tags: how many, with which keys, and what adding and removing leave."""

import pytest

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.tags import check_tags, tags_with, tags_without

TOO_MANY = "Number of tags exceeds resource tag limit."
RESERVED = "aws: prefixed tag key names are not allowed for external use."


def numbered(count: int, prefix: str = "k") -> dict[str, str]:
    return {f"{prefix}{number}": "v" for number in range(count)}


def refusal(call: object, *arguments: object) -> str:
    assert callable(call)
    with pytest.raises(InvalidParameterValueException) as caught:
        call(*arguments)
    return caught.value.message


def test_added_tags_join_those_that_are_there_and_replace_their_values() -> None:
    present = {"a": "1", "b": "2"}
    assert tags_with(present, {"b": "3", "c": ""}) == {"a": "1", "b": "3", "c": ""}
    assert tags_with(present, {"B": "3"}) == {"a": "1", "b": "2", "B": "3"}
    assert present == {"a": "1", "b": "2"}


def test_removing_what_is_not_there_is_no_error() -> None:
    assert tags_without({"a": "1", "b": "2"}, ["a", "c"]) == {"b": "2"}
    assert tags_without({}, ["a"]) == {}


def test_adding_nothing_is_refused_as_aws_does() -> None:
    assert refusal(tags_with, {"a": "1"}, {}) == "An error occurred and the request cannot be processed."


def test_fifty_tags_and_no_more() -> None:
    check_tags(numbered(50))
    check_tags({})
    assert refusal(check_tags, numbered(51)) == TOO_MANY
    assert len(tags_with(numbered(49), {"x": "v"})) == 50
    assert refusal(tags_with, numbered(50), {"x": "v"}) == TOO_MANY
    assert refusal(tags_with, {}, numbered(51)) == TOO_MANY
    assert tags_with(numbered(50), {"k0": "new"})["k0"] == "new"


def test_aws_own_tags_do_not_count() -> None:
    full = numbered(50) | {"aws:cloudformation:stack-name": "s"}
    assert tags_with(full, {"k1": "new"})["k1"] == "new"
    assert refusal(tags_with, full, {"x": "v"}) == TOO_MANY


@pytest.mark.parametrize("key", ["aws:", "aws:createdBy", "AWS:x", "aWs:x"])
def test_aws_own_keys_are_neither_set_nor_removed(key: str) -> None:
    assert refusal(check_tags, {key: "v"}) == RESERVED
    assert refusal(tags_with, {}, {"a": "1", key: "v"}) == RESERVED
    assert refusal(tags_without, {key: "v"}, [key]) == RESERVED


@pytest.mark.parametrize("key", ["aws", "awsome:x", "x:aws:y"])
def test_only_the_prefix_is_reserved(key: str) -> None:
    assert tags_with({}, {key: "aws:v"}) == {key: "aws:v"}
