"""Payloads: what JSON is accepted, and what AWS says of the rest."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lampion.domain.errors import InvalidRequestContentException
from lampion.invoke.payload import check_json

VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON_VALUES, st.booleans(), st.sampled_from([None, 1]))
@example("\ud800", True, None)
def test_json_is_accepted_however_it_is_written(value: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    check_json(text.encode("utf-8", "surrogatepass" if ascii_only else "replace"))


@given(st.binary(max_size=40))
@example(b"[" * 200_000)
@example(b'{"a":' * 100_000)
@example(b'"\\ud800\\u')
def test_any_bytes_are_accepted_or_refused_and_never_crash(payload: bytes) -> None:
    try:
        json.loads(payload.decode("utf-8"), parse_constant=lambda name: int(name))
        is_json = not payload.startswith("\ufeff".encode())
    except (ValueError, RecursionError):
        is_json = False
    try:
        check_json(payload)
    except InvalidRequestContentException:
        assert not is_json
    else:
        assert is_json


@pytest.mark.parametrize(
    ("payload", "problem", "line", "column"),
    [
        (b"{bad", "Unexpected character ('b' (code 98)): was expecting double-quote to start field name", 1, 3),
        (b'{"a":1,}', "Unexpected character ('}' (code 125)): was expecting double-quote to start field name", 1, 9),
        (
            b'{"a" 1}',
            "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
            1,
            7,
        ),
        (
            b'{"a":1 "b":2}',
            "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries",
            1,
            9,
        ),
        (b"[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 1, 5),
        (b'{"a":}', f"Unexpected character ('}}' (code 125)): expected a valid value {VALUES}", 1, 7),
        (b"nulx", f"Unrecognized token 'nulx': was expecting {VALUES}", 1, 5),
        (b"hello", f"Unrecognized token 'hello': was expecting {VALUES}", 1, 6),
        (b'{"a":\n tru}', f"Unrecognized token 'tru': was expecting {VALUES}", 2, 5),
        (b'"abc', "Unexpected end-of-input: was expecting closing quote for a string value", 1, 5),
    ],
)
def test_the_refusal_says_what_was_wrong_and_where(payload: bytes, problem: str, line: int, column: int) -> None:
    with pytest.raises(InvalidRequestContentException) as caught:
        check_json(payload)
    source = f'[Source: (byte[])"{payload.decode()}"; line: {line}, column: {column}]'
    assert caught.value.message == (
        f"Could not parse request body into json: Could not parse payload into json: {problem}\n at {source}"
    )


def test_a_long_payload_is_quoted_in_part() -> None:
    with pytest.raises(InvalidRequestContentException) as caught:
        check_json(b"[" + b"1," * 1000 + b"]")
    assert "[truncated 1502 bytes]" in caught.value.message


@pytest.mark.parametrize("before", [0, 1, 65_533, 65_534, 65_535, 65_536, 131_071])
def test_utf_8_is_checked_across_pieces(before: int) -> None:
    check_json(('"' + "x" * before + "\N{LLAMA}" * 3 + '"').encode())
    broken = b'"' + b"x" * before + "\N{LLAMA}".encode()[:3] + b'"'
    with pytest.raises(InvalidRequestContentException, match=r"Invalid UTF-8 start byte 0xf0"):
        check_json(broken)


def test_a_payload_that_ends_in_the_middle_of_a_character_is_no_utf_8() -> None:
    with pytest.raises(InvalidRequestContentException):
        check_json('"\N{LLAMA}'.encode()[:-1])
