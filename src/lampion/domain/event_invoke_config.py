"""What becomes of event invocations that fail, wait for too long, or are done: ages, retries, destinations. Pure.

Shape: FunctionEventInvokeConfig (botocore `lambda` 2015-03-31).
"""

import re
from dataclasses import dataclass
from typing import Final

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import InvalidParameterValueException, ResourceNotFoundException


@dataclass(frozen=True, slots=True)
class Destinations:
    """ARNs to which a record of each invocation is sent; None: to none."""

    on_success: str | None = None
    on_failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvokeConfig:
    """Of $LATEST, a version or an alias. None: Lambda's default, two retries within six hours."""

    key: FunctionKey
    qualifier: str
    last_modified_epoch_ms: int
    maximum_retry_attempts: int | None = None
    maximum_event_age_seconds: int | None = None
    destinations: Destinations = Destinations()

    @property
    def arn(self) -> str:
        return self.key.qualified_arn(self.qualifier)


@dataclass(frozen=True, slots=True)
class FunctionDestination:
    """A function, version or alias as destination."""

    arn: str
    key: FunctionKey
    qualifier: str | None


_SERVICE = re.compile(r"arn:aws[a-zA-Z0-9-]*:(?P<service>[a-zA-Z0-9-]+):.*")
_WHERE = r"arn:aws[a-zA-Z-]*:{}:[a-z0-9-]+:\d{{12}}:"
_FUNCTION = re.compile(
    r"arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account_id>\d{12}):"
    r"function:(?P<name>[a-zA-Z0-9_-]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]+))?"
)
_SHAPES: Final = {
    "lambda": _FUNCTION,
    "sqs": re.compile(_WHERE.format("sqs") + r"[a-zA-Z0-9_-]+"),
    "sns": re.compile(_WHERE.format("sns") + r"[a-zA-Z0-9_-]+"),
    "events": re.compile(_WHERE.format("events") + r"event-bus/[a-zA-Z0-9._-]+"),
    "s3": re.compile(r"arn:aws[a-zA-Z-]*:s3:::[a-z0-9][a-z0-9.-]+[a-z0-9]"),
}
"""Standard queues and topics (the names of others end in .fifo), functions, buses of one's own, buckets."""


def check_says_something(*settings: object) -> None:
    """Raises InvalidParameterValueException for a request that has none of the settings."""
    if all(setting is None for setting in settings):
        raise InvalidParameterValueException("You must specify at least one of error handling or destination setting.")


def check_destinations(key: FunctionKey, destinations: Destinations) -> tuple[FunctionDestination, ...]:
    """The functions among the destinations, whose existence is left to check.

    Raises InvalidParameterValueException for what can't be a destination of the function, whether it exists or not.
    """
    if _service(destinations.on_success) == "s3":
        raise _refused(destinations)
    functions = []
    for arn in (destinations.on_success, destinations.on_failure):
        if arn is None:
            continue
        shape = _SHAPES.get(_service(arn) or "")
        if shape is None:
            raise _refused(destinations)
        match = shape.fullmatch(arn)
        if match is None:
            raise destination_invalid(arn)
        if shape is _FUNCTION:
            functions.append(_function(match))
    if any(function.key == key for function in functions):
        raise InvalidParameterValueException("You can't specify the function as a destination for itself.")
    return tuple(functions)


def function_destination(arn: str) -> FunctionDestination | None:
    """The function that an ARN names; None for any other ARN."""
    match = _FUNCTION.fullmatch(arn)
    return None if match is None else _function(match)


def destination_invalid(arn: str) -> InvalidParameterValueException:
    """AWS's answer to a destination that isn't there."""
    return InvalidParameterValueException(f"The destination ARN {arn} is invalid.")


def no_config(arn: str) -> ResourceNotFoundException:
    """AWS's answer where nothing is configured, whether there is such a function or not."""
    return ResourceNotFoundException(f"The function {arn} doesn't have an EventInvokeConfig")


def no_function() -> ResourceNotFoundException:
    """AWS's answer to who would configure what doesn't exist; it names nothing."""
    return ResourceNotFoundException("The function doesn't exist.")


def _service(arn: str | None) -> str | None:
    match = None if arn is None else _SERVICE.fullmatch(arn)
    return None if match is None else match["service"]


def _function(match: re.Match[str]) -> FunctionDestination:
    key = FunctionKey(match["account_id"], match["region"], match["name"])
    return FunctionDestination(match[0], key, match["qualifier"])


def _refused(destinations: Destinations) -> InvalidParameterValueException:
    """AWS prints the destinations as its server's language does."""
    success = _printed("OnSuccess", destinations.on_success)
    failure = _printed("OnFailure", destinations.on_failure)
    return InvalidParameterValueException(
        f"The provided destination config DestinationConfig(onSuccess={success}, onFailure={failure}) is invalid."
    )


def _printed(name: str, arn: str | None) -> str:
    return "null" if arn is None else f"{name}(destination={arn})"
