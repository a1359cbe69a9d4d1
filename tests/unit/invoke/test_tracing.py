"""Which invocations are recorded: TracingConfig, and what callers have decided."""

import msgspec
import pytest

from lampion.clock.rng import SeededRng
from lampion.clock.virtual import VirtualClock
from lampion.domain.arn import FunctionKey
from lampion.domain.function import DeploymentPackage, Function, FunctionConfiguration, LoggingConfig, State
from lampion.domain.trace_header import read_fields
from lampion.invoke.tracing import Sampling, Tracing

KEY = FunctionKey("123456789012", "us-east-1", "fn")
OTHER = msgspec.structs.replace(KEY, name="other")
ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793"


def function(mode: str) -> Function:
    configuration = FunctionConfiguration(role="r", tracing_mode=mode, logging=LoggingConfig("/aws/lambda/fn"))
    return Function(
        key=KEY,
        configuration=configuration,
        package=DeploymentPackage("ab", "cd", 1),
        revision_id="1",
        last_modified_epoch_ms=0,
        state=State.ACTIVE,
    )


ACTIVE, PASS_THROUGH = function("Active"), function("PassThrough")


class Door:
    """What gets the invocations of a function, at a time that the test sets."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.tracing = Tracing(clock=self.clock, rng=SeededRng(1))

    def sampled(self, header: str | None, runs: Function | None, key: FunctionKey = KEY) -> str:
        return read_fields(self.tracing.trace(header, key, runs).header).sampled


async def test_active_tracing_records_the_first_invocation_of_each_second() -> None:
    door = Door()
    for _ in range(3):
        assert door.sampled(None, ACTIVE) == "1"
        assert [door.sampled(None, ACTIVE) for _ in range(5)].count("0") > 0
        assert door.sampled(None, ACTIVE, OTHER) == "1"  # each function has its own
        await door.clock.advance(1)


def test_five_percent_of_those_after_it_are_recorded_too() -> None:
    sampling = Sampling(SeededRng(1))
    assert sampling.samples(KEY, 5.0)
    further = sum(sampling.samples(KEY, 5.5) for _ in range(10_000))
    assert 400 < further < 600


@pytest.mark.parametrize("runs", [PASS_THROUGH, None])
@pytest.mark.parametrize("header", [None, "", ROOT, f"{ROOT};Sampled=?", "Root=nonsense;Sampled=1"])
def test_without_active_tracing_nothing_is_recorded_that_no_caller_wants(
    header: str | None, runs: Function | None
) -> None:
    door = Door()
    assert {door.sampled(header, runs) for _ in range(200)} == {"0"}


@pytest.mark.parametrize("runs", [ACTIVE, PASS_THROUGH, None])
@pytest.mark.parametrize("decision", ["0", "1"])
def test_a_caller_s_decision_counts_whatever_the_mode(decision: str, runs: Function | None) -> None:
    door = Door()
    assert {door.sampled(f"{ROOT};Sampled={decision}", runs) for _ in range(200)} == {decision}
    assert door.sampled(None, ACTIVE) == "1"  # it took nothing of what is recorded without one


@pytest.mark.parametrize("header", [ROOT, f"{ROOT};Sampled=?", "Root=nonsense;Sampled=0", ""])
def test_a_caller_who_left_it_open_has_not_decided(header: str) -> None:
    door = Door()
    trace = door.tracing.trace(header, KEY, ACTIVE)
    assert read_fields(trace.header).sampled == "1"
    assert trace.header.startswith(ROOT) == header.startswith(ROOT)


async def test_a_clock_that_is_put_back_begins_another_second() -> None:
    sampling = Sampling(SeededRng(1))
    assert sampling.samples(KEY, 100.0)
    assert sampling.samples(KEY, 50.0)
