"""BER taken apart: every form of length, and everything that isn't BER."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampion.code.ber import BadBer, Element, only_element
from tests.signed_package import element, open_element


@pytest.mark.parametrize("size_bytes", [0, 1, 127, 128, 255, 256, 70_000])
def test_a_definite_length_in_any_number_of_bytes(size_bytes: int) -> None:
    content = b"x" * size_bytes
    assert only_element(element(0x04, content)) == Element(0x04, content)


def test_indefinite_lengths_end_where_their_own_end_is() -> None:
    inner = open_element(0x31, element(0x04, b"\0\0"), open_element(0x30))
    outer = only_element(open_element(0x30, inner, element(0x02, b"\1")))
    assert [one.tag for one in outer.members()] == [0x31, 0x02]
    assert outer.members()[0].members() == [Element(0x04, b"\0\0"), Element(0x30, b"")]


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\x04",
        b"\x04\x02a",
        b"\x04\x82\x01",
        b"\x04\x85\x00\x00\x00\x00\x01a",
        b"\x04\x80a\0\0",
        b"\x30\x80\x04\x01a",
        b"\x30\x80\x04\x01a\0",
        b"\x1f\x81\x01\x01a",
        element(0x04) + element(0x04),
        b"\x30\x80" * 100 + b"\0\0" * 100,
    ],
)
def test_what_is_refused(wrong: bytes) -> None:
    with pytest.raises(BadBer):
        only_element(wrong)


def test_a_primitive_element_has_no_members() -> None:
    with pytest.raises(BadBer):
        only_element(element(0x04, b"\x02\x01\x01")).members()


@given(st.binary(max_size=200))
def test_whatever_the_bytes_they_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(BadBer):
        only_element(raw).members()
