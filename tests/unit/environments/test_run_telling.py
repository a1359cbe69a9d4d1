"""What subscribers are told of an invocation, whatever way it ends."""

from typing import Any

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.domain.invocation import Invocation
from lampion.environments.failures import Failure
from lampion.environments.run_telling import RunTelling
from lampion.environments.teller import Teller
from lampion.function_logs.platform_facts import Instance, RunSummary
from lampion.function_telemetry.events import Event
from lampion.function_telemetry.subscribers import Subscribers
from lampion.function_telemetry.subscription import Stream

ID = "11111111-1111-4111-8111-111111111111"
TRACED = "Root=1-2-3;Parent=4;Sampled=1"
INSTANCE = Instance(
    function_name="fn",
    function_version="1",
    function_arn="arn:f",
    instance_id="i",
    memory_mib=128,
    runtime_version="python:3.12.v1",
    runtime_version_arn="arn:r",
)


class Heard(Subscribers):
    """Keeps what it is told."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.events: list[Event] = []

    def tell(self, event: Event) -> None:
        self.events.append(event)

    @property
    def kinds(self) -> list[str]:
        return [event.kind.removeprefix("platform.") for event in self.events]

    def record(self, kind: str) -> Any:
        (found,) = (event.record for event in self.events if event.kind == f"platform.{kind}")
        return found


class Stage:
    """An invocation that has begun, and who hears of it."""

    def __init__(self, trace_id: str = "Root=1-2-3") -> None:
        self.clock = VirtualClock()
        self.heard = Heard(self.clock)
        teller = Teller(INSTANCE, self.heard, self.clock, is_json=False)
        self.telling = RunTelling(teller, lambda: teller.lines(0, Stream.FUNCTION, [b"last words"]), self.clock)
        invocation = Invocation(request_id=ID, invoked_arn="arn:f", payload=b"", trace_id=trace_id)
        self.telling.begin(invocation, self.clock.now())


SUMMARY = RunSummary(100.0, None, 0, "", None, runtime_ms=90.0)


async def test_an_invocation_with_all_its_moments() -> None:
    stage = Stage()
    await stage.clock.advance(0.5)
    stage.telling.answer_begins()
    await stage.clock.advance(0.25)
    stage.telling.answered(12)
    await stage.clock.advance(0.125)
    stage.telling.runtime_waits()
    await stage.clock.advance(2)
    stage.telling.end(SUMMARY, None)
    assert stage.heard.kinds == ["start", "function", "runtimeDone", "end", "report"]
    times_ms = [event.time_ms for event in stage.heard.events if event.stream is Stream.PLATFORM]
    assert [time_ms - 1_800_000_000_000 for time_ms in times_ms] == [0, 875, 2875, 2875]
    done = stage.heard.record("runtimeDone")
    assert done["metrics"] == {"durationMs": 875.0, "producedBytes": 12}
    assert [(span["name"], span["durationMs"]) for span in done["spans"]] == [
        ("responseLatency", 500.0),
        ("responseDuration", 250.0),
        ("runtimeOverhead", 125.0),
    ]
    assert done["status"] == "success"
    assert stage.heard.record("end") == {"requestId": ID}
    (overhead,) = stage.heard.record("report")["spans"]
    assert (overhead["name"], overhead["durationMs"]) == ("extensionOverhead", 2000.0)
    assert overhead["start"] == "2027-01-15T08:00:00.875Z"


async def test_a_whole_answer_begins_when_it_is_there() -> None:
    stage = Stage()
    await stage.clock.advance(0.5)
    stage.telling.answered(1)
    stage.telling.answered(99)
    stage.telling.runtime_waits()
    stage.telling.runtime_waits()
    stage.telling.end(SUMMARY, None)
    done = stage.heard.record("runtimeDone")
    assert done["metrics"]["producedBytes"] == 1
    assert [span["durationMs"] for span in done["spans"]] == [500.0, 0.0, 0.0]


async def test_a_runtime_that_waits_hasnt_done_anything_yet() -> None:
    stage = Stage()
    stage.telling.runtime_waits()
    assert stage.heard.kinds == ["start"]


async def test_a_function_that_reports_an_error_is_done_as_any_other() -> None:
    stage = Stage()
    stage.telling.answered(40)
    stage.telling.runtime_waits()
    stage.telling.end(SUMMARY, Failure(b"{}", "ValueError", ""))
    assert "fault" not in stage.heard.kinds
    assert stage.heard.record("runtimeDone")["status"] == "success"


@pytest.mark.parametrize(("status", "error_type"), [("error", "Runtime.ExitError"), ("timeout", None)])
async def test_an_invocation_that_breaks_off(status: str, error_type: str | None) -> None:
    stage = Stage()
    await stage.clock.advance(3)
    summary = RunSummary(3000.0, None, 0, status, error_type)
    failure = Failure(b'{"errorType":"x","errorMessage":"RequestId: r Error: gone"}', "Runtime.ExitError", status)
    stage.telling.end(summary, failure)
    assert stage.heard.kinds == ["start", "function", "runtimeDone", "fault", "end", "report"]
    for kind in ("runtimeDone", "report"):
        record = stage.heard.record(kind)
        assert (record["status"], record.get("errorType")) == (status, error_type)
    assert "spans" not in stage.heard.record("runtimeDone")
    assert "spans" not in stage.heard.record("report")
    assert stage.heard.record("fault") == "RequestId: r Error: gone\nRuntime.ExitError"


async def test_an_init_that_failed_again_is_told_by_its_type() -> None:
    stage = Stage()
    summary = RunSummary(1.0, None, 0, "error", "Runtime.ImportModuleError")
    stage.telling.end(summary, Failure(b"whatever", "Runtime.ImportModuleError", ""))
    assert stage.heard.record("runtimeDone")["errorType"] == "Runtime.ImportModuleError"
    assert stage.heard.record("fault") == f"RequestId: {ID} Error: Runtime.ImportModuleError"


async def test_all_events_of_an_invocation_name_the_same_segment() -> None:
    stage = Stage(TRACED)
    stage.telling.answered(0)
    stage.telling.runtime_waits()
    stage.telling.end(SUMMARY, None)
    segments = [stage.heard.record(kind)["tracing"] for kind in ("start", "runtimeDone", "report")]
    assert segments[0] == segments[1] == segments[2]
    assert segments[0]["value"] == TRACED


async def test_an_end_without_a_beginning_tells_nothing() -> None:
    stage = Stage()
    stage.telling.end(SUMMARY, None)
    count = len(stage.heard.events)
    stage.telling.end(SUMMARY, None)
    stage.telling.answered(1)
    stage.telling.runtime_waits()
    assert len(stage.heard.events) == count
