"""Rules over a function's configuration that the shapes alone don't express. Pure; each raises the API's error."""

import json
from collections.abc import Mapping

from lampion.domain import limits
from lampion.domain.capacity_provider import check_capacity
from lampion.domain.errors import (
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceConflictException,
)
from lampion.domain.function import Function, FunctionConfiguration, LastUpdateStatus, LoggingConfig, State
from lampion.domain.packaging import check_packaging
from lampion.domain.snap_start import check_snap_start

NAME_CHARACTERS_MAX = 64

RESERVED_VARIABLES = frozenset(
    (
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
        "AWS_LAMBDA_MAX_CONCURRENCY",
    )
)
"""Lambda developer guide, "Defined runtime environment variables": set by Lambda, not by the caller."""

_ENVIRONMENT_REFUSED = (
    "Lambda was unable to configure your environment variables because the environment variables you have provided"
)


def check_name(name: str) -> None:
    """A plain name may be shorter than the shape of names and ARNs together allows."""
    if len(name) > NAME_CHARACTERS_MAX:
        raise InvalidParameterValueException(
            f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: "
            f"Member must have length less than or equal to {NAME_CHARACTERS_MAX}"
        )


def check_configuration(configuration: FunctionConfiguration) -> None:
    """Everything that holds for any function, new or changed."""
    check_environment(configuration.environment or {})
    _check_sizes(configuration)
    check_packaging(configuration)
    if len(configuration.architectures) != 1:
        raise InvalidParameterValueException("Architectures list must contain exactly one element.")
    check_snap_start(configuration)
    check_capacity(configuration)
    _check_logging(configuration.logging)


def check_environment(variables: Mapping[str, str]) -> None:
    """Reserved names and the 4 KB limit."""
    reserved = [name for name in variables if name in RESERVED_VARIABLES]
    if reserved:
        raise InvalidParameterValueException(
            f"{_ENVIRONMENT_REFUSED} contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = json.dumps(dict(variables), separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode("utf-8", "surrogatepass")) > limits.ENVIRONMENT_BYTES:
        raise InvalidParameterValueException(
            f"{_ENVIRONMENT_REFUSED} exceeded the 4KB limit. String measured: {measured}"
        )


def check_revision(function: Function, revision_id: str | None) -> None:
    """The caller's RevisionId, if it sent one, must be the current one."""
    if revision_id is not None and revision_id != function.revision_id:
        raise revision_mismatch()


def revision_mismatch(source: str = "GetFunction/GetAlias") -> PreconditionFailedException:
    """AWS's answer to a RevisionId that isn't the current one; `source` names the operation that tells it."""
    return PreconditionFailedException(
        "The Revision Id provided does not match the latest Revision Id. "
        f"Call the {source} API to retrieve the latest Revision Id"
    )


def check_updatable(function: Function) -> None:
    """A function under construction can't be changed."""
    if function.last_update_status is LastUpdateStatus.IN_PROGRESS:
        raise update_in_progress(function)
    if function.state is State.PENDING:
        raise not_now(function.state)


def update_in_progress(function: Function) -> ResourceConflictException:
    """AWS's answer while, or because, somebody else's change is under way."""
    return ResourceConflictException(
        f"The operation cannot be performed at this time. An update is in progress for resource: {function.key.arn}"
    )


def check_invocable(function: Function) -> None:
    """Only an Active function runs."""
    if function.state is not State.ACTIVE:
        raise not_now(function.state)


def not_now(state: State) -> ResourceConflictException:
    """AWS's answer to what a function in this state can't do."""
    return ResourceConflictException(
        "The operation cannot be performed at this time. "
        f"The function is currently in the following state: {state.value}"
    )


def _check_sizes(configuration: FunctionConfiguration) -> None:
    """The shapes allow what functions on capacity providers and accelerators may have; others get less.

    AWS words memory unlike timeout, as it answered in 2026; ephemeral storage follows timeout.
    """
    if configuration.capacity_provider_config is None:
        if configuration.accelerator_config is not None:  # documented; the text isn't AWS's
            raise InvalidParameterValueException(
                "AcceleratorConfig is supported only for functions on capacity providers."
            )
        _check_maximum(configuration.timeout_seconds, "timeout", limits.TIMEOUT_SECONDS_MAX)
        if configuration.memory_mib > limits.MEMORY_MIB_MAX:
            raise InvalidParameterValueException(
                "'MemorySize' value failed to satisfy constraint: "
                f"Member must have value less than or equal to {limits.MEMORY_MIB_MAX}"
            )
    if configuration.accelerator_config is None:
        _check_maximum(configuration.ephemeral_storage_mib, "ephemeralStorage.size", limits.EPHEMERAL_STORAGE_MIB_MAX)


def _check_maximum(value: int, path: str, maximum: int) -> None:
    if value > maximum:
        raise InvalidParameterValueException(
            f"Value '{value}' at '{path}' failed to satisfy constraint: "
            f"Member must have value less than or equal to {maximum}"
        )


def _check_logging(logging: LoggingConfig) -> None:
    if logging.log_format == "Text" and (logging.application_log_level or logging.system_log_level):
        raise InvalidParameterValueException(
            'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change '
            'the LogFormat to "JSON" and try again.'
        )
    if logging.log_group.casefold().startswith("aws/"):
        raise InvalidParameterValueException(
            "Log groups starting with AWS/ are reserved for AWS. Update the LogGroup value and try again."
        )
