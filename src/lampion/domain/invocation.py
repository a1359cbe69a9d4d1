"""One request to run a function, and how it ended."""

from enum import StrEnum

import msgspec


class InvocationType(StrEnum):
    REQUEST_RESPONSE = "RequestResponse"
    EVENT = "Event"
    DRY_RUN = "DryRun"


class Invocation(msgspec.Struct, frozen=True, kw_only=True):
    """What a function gets for one run.

    `invoked_arn` is the ARN as the caller qualified it; `client_context` is the decoded JSON text;
    `trace_id` is the tracing header as the function gets it, `times_in_chain` how often its chain of requests has come
    to the function, this time included (domain.trace_header); `tenant_id` is there for functions with
    tenant isolation only. `wants_log` is for the caller alone: its outcome has the end of the log.
    """

    request_id: str
    invoked_arn: str
    payload: bytes
    trace_id: str
    times_in_chain: int = 1
    client_context: str | None = None
    cognito_identity: str | None = None
    tenant_id: str | None = None
    wants_log: bool = False


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How an invocation ended: the payload for the caller, and what kind of end it was.

    `function_error` is None or AWS's word `Unhandled`/`Handled`; `error_type` names the cause as in
    REPORT's `Error Type`; `log_tail` is the last 4 KiB of this invocation's log, for a caller who wants it;
    `duration_ms` is REPORT's.
    """

    payload: bytes
    executed_version: str
    function_error: str | None = None
    error_type: str | None = None
    log_tail: bytes = b""
    duration_ms: float = 0.0
