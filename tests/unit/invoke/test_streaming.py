"""What a caller who takes pieces learns of the end."""

import pytest

from lampion.domain.invocation import Outcome
from lampion.invoke.streaming import StreamFailure, failure_of


def failed(error_type: str | None, payload: bytes = b"{}") -> Outcome:
    return Outcome(payload=payload, executed_version="1", function_error="Unhandled", error_type=error_type)


@pytest.mark.parametrize(
    ("outcome", "has_begun", "failure"),
    [
        (Outcome(payload=b"x", executed_version="1"), True, None),
        (Outcome(payload=b"x", executed_version="1"), False, None),
        (failed("TypeError", "é".encode()), True, StreamFailure("TypeError", "é")),
        (failed("TypeError"), False, StreamFailure("TypeError", "{}")),
        (failed("E", b"\xff"), True, StreamFailure("E", "�")),
        (failed("Runtime.ExitError"), False, StreamFailure("Runtime.ExitError", "{}")),
        (failed("Runtime.ExitError"), True, StreamFailure("Runtime.TruncatedResponse", None)),
        (failed("Runtime.OutOfMemory"), True, StreamFailure("Runtime.TruncatedResponse", None)),
        (failed("Runtime.TruncatedResponse"), True, StreamFailure("Runtime.TruncatedResponse", None)),
        (failed("Sandbox.Timedout"), True, StreamFailure("Sandbox.Timedout", "{}")),
        (failed("Function.ResponseSizeTooLarge"), True, StreamFailure("Function.ResponseSizeTooLarge", "{}")),
        (failed(None), False, StreamFailure("Unhandled", "{}")),
    ],
)
def test_a_stream_that_breaks_off_says_only_that(
    outcome: Outcome, has_begun: bool, failure: StreamFailure | None
) -> None:
    assert failure_of(outcome, has_begun=has_begun) == failure
