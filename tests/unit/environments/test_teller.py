"""What subscribers are told of an environment's start, event by event."""

from lampion.clock.virtual import VirtualClock
from lampion.environments.teller import Teller
from lampion.function_logs.platform_facts import ExtensionSummary, InitSummary, RestoreSummary
from tests.unit.environments.test_run_telling import INSTANCE, Heard

OF_INSTANCE = {
    "runtimeVersion": "python:3.12.v1",
    "runtimeVersionArn": "arn:r",
    "functionName": "fn",
    "functionVersion": "1",
    "instanceId": "i",
    "instanceMaxMemory": 134_217_728,
}


def test_every_event_of_a_start() -> None:
    clock = VirtualClock()
    heard = Heard(clock)
    teller = Teller(INSTANCE, heard, clock, is_json=False)
    init = InitSummary(1.5, "invoke", "success", None)
    teller.init_start("on-demand", "invoke")
    teller.init_done(init)
    teller.extension(ExtensionSummary("x", "Ready", ("INVOKE",), None))
    teller.init_report(init)
    teller.restore_start()
    teller.restore_report(RestoreSummary(2.5, "error", "Runtime.Unknown"))
    phases = {"initializationType": "on-demand", "phase": "invoke"}
    failed = {"status": "error", "errorType": "Runtime.Unknown"}
    assert [(event.kind, event.record) for event in heard.events] == [
        ("platform.initStart", {**phases, **OF_INSTANCE}),
        ("platform.initRuntimeDone", {**phases, "status": "success"}),
        ("platform.extension", {"name": "x", "state": "Ready", "events": ("INVOKE",)}),
        ("platform.initReport", {**phases, "status": "success", "metrics": {"durationMs": 1.5}}),
        ("platform.restoreStart", OF_INSTANCE),
        ("platform.restoreRuntimeDone", failed),
        ("platform.restoreReport", {**failed, "metrics": {"durationMs": 2.5}}),
    ]
    assert {event.time_ms for event in heard.events} == {1_800_000_000_000}
