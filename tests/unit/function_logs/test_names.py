"""A name from outside is one file in its place, whatever stands in it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampion.function_logs.names import file_name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "a\0b",
        "~",
        "~empty",
        "%2E",
        "a" * 512,
        "é" * 512,
        "\ud800",
        "a\n",
    ],
)
def test_no_name_leaves_its_directory(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_%~-]{1,160}", file_name(name))


def test_ordinary_names_can_be_read() -> None:
    assert file_name("/aws/lambda/hello") == "%2Faws%2Flambda%2Fhello"


@given(st.text(max_size=200), st.text(max_size=200))
def test_different_names_are_different_files(one: str, other: str) -> None:
    assert (file_name(one) == file_name(other)) == (one == other)


def test_long_names_that_begin_alike_are_different_files() -> None:
    assert file_name("a" * 400 + "b") != file_name("a" * 400 + "c")
