"""Which texts are patterns by which records can be filtered."""

import json
from typing import Any

import pytest

from lampion.domain.filter_pattern import is_pattern

FIELDS: list[Any] = [
    ["text", "", "other"],
    [None],
    [True, False],
    [100, -1.5],
    [{"prefix": "a"}],
    [{"prefix": {"equals-ignore-case": "a"}}],
    [{"suffix": "a"}],
    [{"equals-ignore-case": "a"}],
    [{"wildcard": "*.png"}],
    [{"cidr": "10.0.0.0/24"}],
    [{"exists": True}],
    [{"exists": False}],
    [{"numeric": ["=", 100]}],
    [{"numeric": [">", 0]}],
    [{"numeric": [">", 0, "<=", 5]}],
    [{"numeric": ["<", -5e9]}],
    [{"anything-but": "a"}],
    [{"anything-but": 5}],
    [{"anything-but": ["a", "b"]}],
    [{"anything-but": [1, 2]}],
    [{"anything-but": {"prefix": "a"}}],
    [{"anything-but": {"suffix": ["a", "b"]}}],
    [{"anything-but": {"wildcard": "*/lib/*"}}],
    [{"prefix": "a"}, "b", {"exists": False}],
    {"deeper": {"still": ["a"]}},
]

NOT_FIELDS: list[Any] = [
    "text",
    5,
    None,
    True,
    [],
    {},
    {"deeper": "text"},
    {"deeper": {}},
    [["nested"]],
    [{}],
    [{"prefix": "a", "suffix": "b"}],
    [{"unknown": "a"}],
    [{"prefix": 1}],
    [{"prefix": {"wildcard": "a"}}],
    [{"suffix": ["a"]}],
    [{"exists": "true"}],
    [{"wildcard": 5}],
    [{"numeric": []}],
    [{"numeric": [">"]}],
    [{"numeric": [">", "5"]}],
    [{"numeric": ["~", 5]}],
    [{"numeric": ["=", 5, "<", 6]}],
    [{"numeric": ["<", 5, ">", 1]}],
    [{"numeric": [">", 5, "<", 5]}],
    [{"numeric": [">", 5, "<", 6, "<", 7]}],
    [{"numeric": ["=", 5.1e9]}],
    [{"numeric": ["=", True]}],
    [{"numeric": [[">"], 5]}],
    [{"anything-but": []}],
    [{"anything-but": ["a", 1]}],
    [{"anything-but": {"exists": True}}],
    [{"anything-but": {"prefix": "a", "suffix": "b"}}],
    [{"anything-but": {}}],
    [{"anything-but": {"prefix": []}}],
    [{"anything-but": {"prefix": ["a", 5]}}],
    [{"anything-but": {"prefix": 5}}],
    [{"anything-but": None}],
    [6e9],
]


@pytest.mark.parametrize("field", FIELDS, ids=json.dumps)
def test_what_a_pattern_says_of_a_field(field: Any) -> None:
    assert is_pattern(json.dumps({"body": {"field": field}}))


@pytest.mark.parametrize("field", NOT_FIELDS, ids=json.dumps)
def test_what_it_cannot_say(field: Any) -> None:
    assert not is_pattern(json.dumps({"body": {"field": field}}))
    assert not is_pattern(json.dumps({"fine": ["a"], "field": field}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "single-string",
        '"single-string"',
        "null",
        "5",
        "{}",
        "[]",
        '[{"eventName": ["INSERT"]}]',
        '[{"eventName": ["INSERT"=123}]',
        '{"a": ["b"]} trailing',
        '{"a": [NaN]}',
        '{"a": [Infinity]}',
        "[" * 4096,
        '{"a":' * 800,
    ],
)
def test_texts_that_are_no_pattern(text: str) -> None:
    assert not is_pattern(text)


def test_depth_does_no_harm() -> None:
    """The deepest that 4096 characters hold may be taken or not."""
    assert is_pattern('{"a":' * 100 + '["b"]' + "}" * 100)
    assert is_pattern('{"a":' * 680 + '["b"]' + "}" * 680) in (True, False)


def test_one_of_several_patterns() -> None:
    assert is_pattern('{"$or": [{"a": ["x"]}, {"b": {"c": [1]}}]}')
    assert not is_pattern('{"$or": [{"a": ["x"]}]}')
    assert not is_pattern('{"$or": [{"a": ["x"]}, {}]}')
    assert not is_pattern('{"$or": {"a": ["x"]}}')


def test_data_that_is_json_is_described_by_its_fields() -> None:
    assert is_pattern('{"data": {"city": ["Oslo"]}}', json_key="data")
    assert is_pattern('{"partitionKey": ["1"]}', json_key="data")
    assert not is_pattern('{"data": ["plain text"]}', json_key="data")
    assert is_pattern('{"data": ["plain text"]}')
