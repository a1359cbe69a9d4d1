"""What Lambda's own lines tell of an invocation's trace."""

import json

import msgspec
import pytest

from lampion.clock.virtual import VirtualClock
from lampion.domain.invocation import Invocation
from lampion.function_logs.platform_facts import RunSummary, tracing_record
from lampion.function_logs.platform_lines import JsonLines, TextLines, platform_lines
from tests.unit.function_logs.test_platform_lines import DONE, HERE, ID, RUN, TIMEOUT, WARM

TRACED = msgspec.structs.replace(RUN, trace_id="Root=1-2-3;Parent=4;Sampled=1")


@pytest.mark.parametrize(
    ("run", "summary", "end"),
    [
        (TRACED, WARM, "MB\t\nXRAY TraceId: 1-2-3\tSegmentId: 8c0e0ac5\tSampled: true"),
        (RUN, WARM, "MB\t\nXRAY TraceId: 1-2-3\tSegmentId: 8c0e0ac5\t"),
        (TRACED, TIMEOUT, "Status: timeout\nXRAY TraceId: 1-2-3\tSegmentId: 8c0e0ac5\tSampled: true"),
    ],
)
def test_the_report_of_a_traced_function_in_text(run: Invocation, summary: RunSummary, end: str) -> None:
    """As in the logs of functions with TracingConfig Active; of others not even a sampled trace is told."""
    segment = tracing_record(TRACED.trace_id, ID)
    assert segment is not None
    line = platform_lines("Text", None, VirtualClock(), is_traced=True).report(run, 128, summary).decode()
    assert line.endswith(end.replace("8c0e0ac5", segment["spanId"]))
    assert "XRAY" not in TextLines().report(run, 128, summary).decode()


def test_the_events_of_a_sampled_trace_in_json_name_its_segment() -> None:
    lines = JsonLines(VirtualClock(), "DEBUG")
    traced = (lines.start(HERE, TRACED, 0.0), lines.runtime_done(TRACED, DONE), lines.report(TRACED, 128, WARM))
    for line in traced:
        assert json.loads(line)["record"]["tracing"] == tracing_record(TRACED.trace_id, ID)
    for line in (lines.start(HERE, RUN, 0.0), lines.runtime_done(RUN, DONE), lines.report(RUN, 128, WARM)):
        assert "tracing" not in json.loads(line)["record"]
