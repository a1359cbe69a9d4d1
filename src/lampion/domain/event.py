"""An event invocation: what was accepted for a function, to be run later, and how it can end. Values and rules.

Source: the Lambda developer guide, page "How Lambda handles errors and retries with asynchronous invocation".
"""

from typing import Final

import msgspec

from lampion.domain.arn import FunctionKey
from lampion.domain.event_invoke_config import EventInvokeConfig
from lampion.domain.function import Function
from lampion.domain.invocation_record import Condition

MAXIMUM_RETRY_ATTEMPTS_DEFAULT: Final = 2
MAXIMUM_EVENT_AGE_SECONDS_DEFAULT: Final = 21_600
_RETRY_DELAY_MS: Final = 60_000


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an event beside its payload.

    `trace_id` and `times_in_chain` are as in `domain.invocation`; `attempts` counts the runs that ended in a function
    error. `creation_id` is that of the function which the event is for: "" for one that wasn't there when it was sent.
    """

    key: FunctionKey
    qualifier: str | None
    request_id: str
    trace_id: str
    times_in_chain: int = 1
    accepted_epoch_ms: int
    tenant_id: str | None = None
    attempts: int = 0
    creation_id: str = ""

    def is_for(self, function: Function) -> bool:
        """Whether `function` is the one that it was sent to, and not another one made later under its name."""
        return self.creation_id in ("", function.creation_id)

    def renewed(self, *, accepted_epoch_ms: int, creation_id: str) -> "Event":
        """The event as if it had been sent again."""
        return msgspec.structs.replace(self, accepted_epoch_ms=accepted_epoch_ms, attempts=0, creation_id=creation_id)

    @property
    def arn(self) -> str:
        """The ARN as the caller qualified it."""
        return self.key.arn if self.qualifier is None else self.key.qualified_arn(self.qualifier)


class Retry(msgspec.Struct, frozen=True):
    """An event is run again at a time."""

    due_epoch_ms: int


class Policy(msgspec.Struct, frozen=True):
    """How often, and for how long, an event is tried."""

    maximum_retry_attempts: int = MAXIMUM_RETRY_ATTEMPTS_DEFAULT
    maximum_event_age_seconds: int = MAXIMUM_EVENT_AGE_SECONDS_DEFAULT

    def is_too_old(self, event: Event, now_epoch_ms: int) -> bool:
        """Whether no attempt may begin any more."""
        return now_epoch_ms >= self.expiry_epoch_ms(event)

    def expiry_epoch_ms(self, event: Event) -> int:
        return event.accepted_epoch_ms + self.maximum_event_age_seconds * 1000

    def after_function_error(self, event: Event, now_epoch_ms: int) -> Retry | Condition:
        """What follows when a run of `event` has ended in a function error, the ones before it counted there.

        The first retry comes after one minute, the second after two, but none after the event's time.
        """
        if event.attempts >= self.maximum_retry_attempts:
            return Condition.RETRIES_EXHAUSTED
        delay_ms = _RETRY_DELAY_MS * (event.attempts + 1)
        return Retry(min(now_epoch_ms + delay_ms, max(now_epoch_ms, self.expiry_epoch_ms(event))))


def policy_of(config: EventInvokeConfig | None) -> Policy:
    """What is configured, with Lambda's defaults for the rest."""
    if config is None:
        return _DEFAULT
    retries, age_seconds = config.maximum_retry_attempts, config.maximum_event_age_seconds
    return Policy(
        MAXIMUM_RETRY_ATTEMPTS_DEFAULT if retries is None else retries,
        MAXIMUM_EVENT_AGE_SECONDS_DEFAULT if age_seconds is None else age_seconds,
    )


_DEFAULT: Final = Policy()
