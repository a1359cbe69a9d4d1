"""Which version is the one that a runtime names, and which of others comes closest."""

import itertools

import pytest

from lampion.code.versions import by_closeness, feature_version, is_at_least, is_version


@pytest.mark.parametrize(
    ("wanted", "versions"),
    [
        ("3.12", ["3.13.0", "3.14.2", "3.11.9", "3.8.18"]),
        ("20", ["21.7.0", "22.1.0", "24.0.0", "18.20.8", "16.20.2"]),
        ("3.2", ["4.0.1", "3.1.2", "2.7.0"]),
        ("11", ["17.0.9", "21", "8.0.292"]),
        ("3.9", ["3.10.1", "3.11.1", "3.8.1"]),
        ("3.12", ["3.13.10", "3.13.9", "3.14.0", "3.11.10", "3.11.9"]),
    ],
)
def test_the_next_newer_comes_first_and_older_ones_last(wanted: str, versions: list[str]) -> None:
    for order in itertools.islice(itertools.permutations(versions), 24):
        assert by_closeness(wanted, order) == versions


def test_there_may_be_none() -> None:
    assert by_closeness("3.12", []) == []


@pytest.mark.parametrize(
    ("version", "wanted", "does"),
    [
        ("3.12.7", "3.12", True),
        ("3.1.2", "3.12", False),
        ("3.12.7", "3.1", False),
        ("20.11.1", "20", True),
        ("200.1", "20", False),
        ("21", "21", True),
    ],
)
def test_a_version_is_what_its_first_parts_say(version: str, wanted: str, does: bool) -> None:
    assert is_version(version, wanted) is does


def test_a_feature_version_has_as_many_parts_as_the_wanted_one() -> None:
    assert [feature_version("3.13.1", wanted) for wanted in ("3.12", "3", "3.12.0.1")] == ["3.13", "3", "3.13.1"]


def test_versions_are_compared_by_number() -> None:
    assert is_at_least("3.10.1", "3.8")
    assert is_at_least("3.8", "3.8")
    assert not is_at_least("3.7.17", "3.8")
    assert is_at_least("1.0", "0")
