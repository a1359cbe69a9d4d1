"""Which lines an application log level hides, by AWS's rule for what a function writes."""

import pytest

from lampion.function_logs.application_levels import application_level

AT = '"timestamp": "2024-11-02T16:51:31.587199Z"'


@pytest.mark.parametrize(
    ("line", "shown_up_to"),
    [
        (f'{{"level": "debug", "msg": "my debug log", {AT}}}', "DEBUG"),
        (f'{{"level": "TRACE", {AT}}}', "TRACE"),
        (f'{{{AT}, "level": "Warn"}}', "WARN"),
        (f'{{"level": "WARNING", {AT}}}', "WARN"),
        (f'{{"level": "ERROR", {AT}}}', "ERROR"),
        (f'{{"level": "CRITICAL", {AT}}}', "FATAL"),
        (f'{{"level": "fatal", {AT}}}', "FATAL"),
        ('{"level": "ERROR", "time": "2024-11-02T16:51:31+01:00"}', "ERROR"),
        ('{"level": "ERROR", "@timestamp": "2024-11-02T16:51:31Z"}', "ERROR"),
        # no level, none that is known, or no time: INFO
        (f'{{"message": "x", {AT}}}', "INFO"),
        (f'{{"level": "loud", {AT}}}', "INFO"),
        (f'{{"level": 50, {AT}}}', "INFO"),
        (f'{{"level": null, {AT}}}', "INFO"),
        ('{"level": "ERROR"}', "INFO"),
        ('{"level": "ERROR", "timestamp": 1730566291}', "INFO"),
        ('{"level": "DEBUG", "timestamp": "yesterday"}', "INFO"),
        ('{"level": "ERROR", "timestamp": "2024-11-02T16:51:31"}', "INFO"),
        ("{}", "INFO"),
        # no JSON object: always
        ("plain text", "FATAL"),
        ("", "FATAL"),
        ('{"level": "DEBUG"', "FATAL"),
        ('[{"level": "DEBUG"}]', "FATAL"),
        ('"text"', "FATAL"),
        ("{not json}", "FATAL"),
        ('{"level": "DEBUG"} and more', "FATAL"),
    ],
)
def test_a_line_is_shown_up_to_its_level(line: str, shown_up_to: str) -> None:
    levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
    shown = [level for level in levels if not hides(level, line.encode())]
    assert shown == levels[: levels.index(shown_up_to) + 1]


def hides(level: str, line: bytes) -> bool:
    found = application_level("JSON", level)
    return found is not None and found.hides(line)


@pytest.mark.parametrize("line", [b'{"level": "\xff", "timestamp": "\xff"}', b"\xff\xfe{", b'{"level": "\\ud800"}'])
def test_bytes_that_are_no_text_harm_nobody(line: bytes) -> None:
    assert not hides("INFO", line)


def test_text_has_no_levels() -> None:
    assert (
        application_level("Text", None) is application_level("JSON", "TRACE") is application_level("JSON", None) is None
    )
