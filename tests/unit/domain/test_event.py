"""How often and how long an event is tried, by Lambda's rules."""

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.event import Event, Policy, Retry, policy_of
from lampion.domain.event_invoke_config import EventInvokeConfig
from lampion.domain.invocation_record import Condition

KEY = FunctionKey("111122223333", "us-east-1", "orders")
MINUTE_MS = 60_000


def event(*, attempts: int = 0, accepted: int = 0, qualifier: str | None = None) -> Event:
    return Event(
        key=KEY, qualifier=qualifier, request_id="r", trace_id="t", accepted_epoch_ms=accepted, attempts=attempts
    )


def config(retries: int | None, age_seconds: int | None) -> EventInvokeConfig:
    return EventInvokeConfig(
        key=KEY,
        qualifier="$LATEST",
        last_modified_epoch_ms=0,
        maximum_retry_attempts=retries,
        maximum_event_age_seconds=age_seconds,
    )


@pytest.mark.parametrize(
    ("configured", "policy"),
    [
        (None, Policy(2, 21_600)),
        (config(None, None), Policy(2, 21_600)),
        (config(0, None), Policy(0, 21_600)),
        (config(None, 60), Policy(2, 60)),
    ],
)
def test_what_is_not_configured_is_two_retries_within_six_hours(configured: EventInvokeConfig | None, policy: Policy):
    assert policy_of(configured) == policy


@pytest.mark.parametrize(
    ("retries", "attempts", "decision"),
    [
        (2, 0, Retry(1000 + MINUTE_MS)),
        (2, 1, Retry(1000 + 2 * MINUTE_MS)),
        (2, 2, Condition.RETRIES_EXHAUSTED),
        (1, 0, Retry(1000 + MINUTE_MS)),
        (1, 1, Condition.RETRIES_EXHAUSTED),
        (0, 0, Condition.RETRIES_EXHAUSTED),
        (0, 2, Condition.RETRIES_EXHAUSTED),
    ],
)
def test_retries_come_after_one_and_two_minutes(retries: int, attempts: int, decision: object):
    policy = Policy(maximum_retry_attempts=retries)
    assert policy.after_function_error(event(attempts=attempts), 1000) == decision


def test_no_attempt_begins_after_the_events_time():
    policy = Policy(maximum_event_age_seconds=60)
    assert not policy.is_too_old(event(), 59_999)
    assert policy.is_too_old(event(), 60_000)


def test_a_retry_that_would_come_too_late_ends_the_event_when_its_time_is_over():
    policy = Policy(maximum_event_age_seconds=90)
    assert policy.after_function_error(event(attempts=1), 65_000) == Retry(90_000)
    assert policy.after_function_error(event(attempts=1), 95_000) == Retry(95_000)


def test_the_arn_is_qualified_as_the_caller_did():
    assert event().arn == "arn:aws:lambda:us-east-1:111122223333:function:orders"
    assert event(qualifier="live").arn == "arn:aws:lambda:us-east-1:111122223333:function:orders:live"
