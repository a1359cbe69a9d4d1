import time
import unicodedata
from collections.abc import Sequence

import pytest

from lampion.aws.java_regex import compile_java, translate
from lampion.aws.java_text import enum_order, java_double, java_text
from lampion.aws.overrides import load_overrides

from .botocore_client import SERVICE

PATTERNS = sorted({shape.pattern for shape in SERVICE.shapes.values() if shape.pattern is not None})


def test_every_pattern_of_the_model_is_translated():
    assert len(PATTERNS) > 50
    for pattern in PATTERNS:
        compile_java(pattern)


HOSTILE = ["a", "-", "a-", "a.", "a:", ":", "arn:aws:lambda:", "0", "a1", "$LATEST", "x/", " ", "é", "\n"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_pattern_runs_away_on_a_hostile_text(pattern: str):
    matches = compile_java(pattern).fullmatch
    for unit in HOSTILE:
        for lead in ("", "arn:aws:lambda:us-east-1:123456789012:", "arn:aws:s3files:"):
            text = (lead + unit * 65_536)[:65_535] + "\0"
            started = time.process_time()
            matches(text)
            assert time.process_time() - started < 2, f"{pattern} on {lead}{unit}..."


@pytest.mark.parametrize(
    ("pattern", "taken", "refused"),
    [
        (r"[a-zA-Z0-9-_]+", ["a-_", "9-"], ["a.b", ""]),
        (r"\d{2}", ["12"], ["1", "٣٤"]),
        (r"[^\s]+", ["a", "\xa0"], ["a b", "\n"]),
        (r".*", ["", "a"], ["a\nb", "a\rb", "a\x85", "\u2028"]),
        (r"[\s\S]*", ["", "a\nb\r\u2028"], []),
        (r"$|x+", ["", "x"], ["\n", "y"]),
        (r"[^ /\.$\x22]*", ["a", "\n"], ['"', "a.b", "$"]),
        (r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)", ["v1", "1a"], ["12"]),
        (r"[0-9A-Za-z\.\-_]*(?<!\.)", ["a.b"], ["a."]),
        (r"a\tb\.c", ["a\tb.c"], ["a\tbxc"]),
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", ["Straße 42_日本/x\u2003", ""], ["a*b", "a\n", "\u0301"]),
    ],
)
def test_java_patterns_keep_their_meaning(pattern: str, taken: list[str], refused: list[str]):
    matches = compile_java(pattern).fullmatch
    assert [text for text in taken if not matches(text)] == []
    assert [text for text in refused if matches(text)] == []


@pytest.mark.parametrize("category", ["L", "N", "Z"])
def test_unicode_properties_are_exact(category: str):
    matches = compile_java(r"[\p{L}\p{Z}\p{N}_]").fullmatch
    ours = "LNZ"
    for code in range(0x110000):
        character = chr(code)
        if unicodedata.category(character)[0] == category:
            assert matches(character), hex(code)
        elif character != "_" and unicodedata.category(character)[0] not in ours:
            assert not matches(character), hex(code)


@pytest.mark.parametrize(
    "pattern",
    [r"\p{L}", r"[\P{L}_]", r"[\p{L}\p{N}]", r"[^\p{L}\p{N}_]", r"[\p{Sc}]", r"[a[b]]", r"[a&&b]", r"a\Qb\E", r"\hx"],
)
def test_java_syntax_without_a_translation_is_refused_not_guessed(pattern: str):
    with pytest.raises(ValueError, match="translat"):
        translate(pattern)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"),
        (2.0, "2.0"),
        (-1.0, "-1.0"),
        (0.5, "0.5"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (9_999_999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (12_345_678.9, "1.23456789E7"),
        (-1.5e300, "-1.5E300"),
        (5e-324, "5.0E-324"),
    ],
)
def test_doubles_as_java_prints_them(number: float, text: str):
    assert java_double(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (["a", None, "b"], "[a, null, b]"),
        ([], "[]"),
        ({"k": 2.0, "l": ["x"]}, "{k=2.0, l=[x]}"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (b"abc", "java.nio.HeapByteBuffer[pos=0 lim=3 cap=3]"),
    ],
)
def test_values_as_java_prints_them(value: object, text: str):
    assert java_text(value) == text


def test_a_printed_value_has_a_limit():
    assert len(java_text("x" * 1_000_000)) == 65_536


def test_enums_are_named_in_the_recorded_order():
    """AWS's server knows runtimes that the model doesn't; the others are named as the rule has it."""
    declared = SERVICE.shapes["Runtime"].enum
    recorded = [
        override.changes["enum"] for override in load_overrides()["lambda"] if override.of.startswith("ListLayer")
    ]
    assert recorded
    for names in recorded:
        known = [name for name in names if name in declared]
        assert len(known) > 40
        assert enum_order([name for name in declared if name in names]) == known


def sizes(text: str) -> list[str]:
    return [f"ml.{size}" for size in text.split()]


@pytest.mark.parametrize(
    ("declared", "named"),
    [
        (("x86_64", "arm64"), ["x86_64", "arm64"]),  # recorded in test_lambda_api, UpdateFunctionCode
        (("Event", "RequestResponse", "DryRun"), ["DryRun", "RequestResponse", "Event"]),  # ex-aws/ex_aws#442
        (("S", "N", "B"), ["B", "N", "S"]),  # DynamoDB: aws/aws-sdk-js#979
        (  # SageMaker's instance types of 2019, as declared, and as a refusal of CreateTrainingJob named them
            sizes(
                "m4.xlarge m4.2xlarge m4.4xlarge m4.10xlarge m4.16xlarge m5.large m5.xlarge m5.2xlarge m5.4xlarge "
                "m5.12xlarge m5.24xlarge c4.xlarge c4.2xlarge c4.4xlarge c4.8xlarge p2.xlarge p2.8xlarge p2.16xlarge "
                "p3.2xlarge p3.8xlarge p3.16xlarge c5.xlarge c5.2xlarge c5.4xlarge c5.9xlarge c5.18xlarge"
            ),
            sizes(
                "p2.xlarge m5.4xlarge m4.16xlarge p3.16xlarge m5.large p2.16xlarge c4.2xlarge c5.2xlarge c4.4xlarge "
                "c5.4xlarge c4.8xlarge c5.9xlarge c5.xlarge c4.xlarge c5.18xlarge p3.2xlarge m5.xlarge m4.10xlarge "
                "m5.12xlarge m4.xlarge m5.24xlarge m4.2xlarge p2.8xlarge m5.2xlarge p3.8xlarge m4.4xlarge"
            ),
        ),
        (("Allow", "Terminate"), ["Terminate", "Allow"]),
        ((), []),
    ],
)
def test_the_order_of_an_enum_is_that_of_a_hash_table(declared: Sequence[str], named: list[str]):
    assert enum_order(declared) == named
