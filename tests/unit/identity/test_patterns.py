"""Which ARNs the element Resource of a policy stands for."""

import time

import pytest

from lampion.identity.patterns import arn_pattern, resource_pattern

ARN = "arn:aws:lambda:us-east-1:111111111111:function:f:live"
KNOWN = {"aws:username": "f"}


@pytest.mark.parametrize(
    ("written", "matches"),
    [
        ("*", True),
        (ARN, True),
        ("arn:aws:lambda:us-east-1:111111111111:function:f", False),
        ("arn:aws:lambda:us-east-1:111111111111:function:*", True),
        ("arn:aws:lambda:us-east-1:111111111111:*:live", True),
        ("arn:aws:lambda:*:*:function:f:live", True),
        ("arn:aws:lambda:us-*:111111111111:function:f:live", True),
        ("arn:aws:lambda:us-*", True),
        ("arn:aws:lambda:*", True),
        ("arn:aws:lambda", True),
        ("arn:aws:la?bda:us-east-1", True),
        ("arn:aws:sqs:*", False),
        ("arn:*", True),
        ("arn:aws:lambda:u*1:111111111111:function:f:live", True),
        ("arn:aws:lambda:u*s:111111111111:function:f:live", False),
        ("arn:aws:lambda:u*1:function:f:live", False),  # a star amid a segment stays in it
        ("arn:aws:lambda:u*-1:*", True),
        ("arn:aws:lambda:us-east-1:111111111111:function:${aws:username}:live", True),
        ("arn:aws:lambda:us-east-1:111111111111:function:${aws:absent}:live", False),
        ("arn:aws:lambda:us-east-1:111111111111:function:${aws:absent, 'f'}:*", True),
        ("arn:aws:${aws:absent, 'lambda'}:us-east-1:111111111111:function:f:live", False),  # only in the last segment
    ],
)
def test_resources(written: str, matches: bool) -> None:
    assert resource_pattern(written, variables=True).matches(ARN, KNOWN.get) is matches


def test_an_arn_in_a_condition_has_all_its_segments_and_stars_stay_in_theirs() -> None:
    assert arn_pattern("arn:aws:lambda:us-*:*:function:*", variables=True).matches(ARN, KNOWN.get)
    assert not arn_pattern("arn:aws:lambda:us-*", variables=True).matches(ARN, KNOWN.get)
    assert not arn_pattern("*", variables=True).matches("*", KNOWN.get)
    assert not arn_pattern(ARN, variables=True).matches("no ARN", KNOWN.get)


def test_what_is_no_arn_is_matched_by_a_star_only() -> None:
    assert resource_pattern("*", variables=True).matches("*", KNOWN.get)
    assert not resource_pattern("arn:aws:lambda:*", variables=True).matches("*", KNOWN.get)


@pytest.mark.parametrize("written", ["a*" * 3000 + "b", "*" + "a" * 2000 + "b", "*a" * 3000 + "b", "?*" * 3000])
def test_hostile_patterns_take_no_time(written: str) -> None:
    before = time.process_time()
    resource_pattern(written, variables=True).matches("a" * 2048, KNOWN.get)
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    "written", ["${" + " " * 100_000, "${a" + " " * 100_000 + ",", "${a, '" * 20_000, "${a" * 30_000]
)
def test_hostile_variables_take_no_time_to_read(written: str) -> None:
    before = time.process_time()
    resource_pattern(f"arn:aws:s3:::{written}", variables=True)
    assert time.process_time() - before < 1


def test_variables_may_have_spaces_around_their_parts() -> None:
    assert resource_pattern("arn:aws:s3:::${ab , 'x' }", variables=True).matches("arn:aws:s3:::v", {"ab": "v"}.get)
    assert resource_pattern("arn:aws:s3:::${ab}?", variables=True).matches("arn:aws:s3:::vw", {"ab": "v"}.get)
    assert not resource_pattern("arn:aws:s3:::${ab}", variables=True).matches("arn:aws:s3:::w", {"ab": "?"}.get)
