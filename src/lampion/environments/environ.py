"""The environment variables of a function's processes (developer guide, "Defined runtime environment variables").

Pure. A function's own variables never replace reserved ones; the API refuses those names beforehand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from lampion.domain.function import Function

TASK_ROOT = "/var/task"
RUNTIME_DIRECTORY = "/var/runtime"
LAYERS_ROOT = "/opt"
LAYERS_VARIABLE = "_LAMPION_LAYERS"
"""Tells a runtime where LAYERS_ROOT really is when the driver has no file system of its own. Hidden from functions."""

_XRAY_HOST = "169.254.100.1"

ON_DEMAND: Final = "on-demand"
PROVISIONED: Final = "provisioned-concurrency"
SNAP_START: Final = "snap-start"
"""What AWS_LAMBDA_INITIALIZATION_TYPE and the platform's own lines say of how an environment came to be."""


OVERRIDABLE: Final[Mapping[str, str]] = {
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "AWS_XRAY_DAEMON_ADDRESS": f"{_XRAY_HOST}:2000",
}
"""What a function has unless it sets the name itself, in every language."""


@dataclass(frozen=True, slots=True)
class SessionCredentials:
    """What the function signs its own AWS calls with."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)


def environment_variables(
    function: Function,
    *,
    log_stream: str,
    credentials: SessionCredentials,
    language_variables: Mapping[str, str] = MappingProxyType({}),
    initialization_type: str = ON_DEMAND,
) -> dict[str, str]:
    """Everything but what the sandbox's driver adds: its Runtime API address and log descriptor."""
    return (
        dict(OVERRIDABLE)
        | dict(language_variables)
        | (function.configuration.environment or {})
        | _reserved(function, credentials)
        | _of_a_shell(function)
        | {"AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type, "AWS_LAMBDA_LOG_STREAM_NAME": log_stream}
        | _execution_environment(function)
        | _log_format(function)
    )


def image_variables(
    function: Function,
    *,
    log_stream: str,
    credentials: SessionCredentials,
    of_image: Mapping[str, str],
    handler: str,
    initialization_type: str = ON_DEMAND,
) -> dict[str, str]:
    """The same for a container image, which brings its own PATH, and has no runtime of which AWS_EXECUTION_ENV could
    tell (developer guide, "Create a Lambda function using a container image").
    """
    reserved = _reserved(function, credentials)
    return (
        {name: value for name, value in OVERRIDABLE.items() if name not in _OF_MANAGED_RUNTIMES}
        | dict(of_image)
        | (function.configuration.environment or {})
        | {name: value for name, value in reserved.items() if name not in _OF_MANAGED_RUNTIMES}
        | {"_HANDLER": handler}
        | {"AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type, "AWS_LAMBDA_LOG_STREAM_NAME": log_stream}
        | _log_format(function)
    )


_OF_MANAGED_RUNTIMES = frozenset(("LANG", "PATH", "LD_LIBRARY_PATH", "PWD", "SHLVL"))


def snapshot_variables(
    function: Function, *, authorization_token: str, language_variables: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """The same for a process that a snapshot is taken of.

    As on AWS, it doesn't know its log stream, and has no keys but asks for them (runtime_api/credentials.py): what one
    environment alone is to have can't be in the memory that all have in common.
    """
    nobody = SessionCredentials("", "", "")
    variables = environment_variables(
        function,
        log_stream="",
        credentials=nobody,
        language_variables=language_variables,
        initialization_type=SNAP_START,
    )
    return {
        **{name: value for name, value in variables.items() if name not in _NOT_IN_SNAPSHOTS},
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": authorization_token,
    }


_NOT_IN_SNAPSHOTS = frozenset(
    [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
    ]
)


def _reserved(function: Function, credentials: SessionCredentials) -> dict[str, str]:
    key, configuration = function.key, function.configuration
    return {
        "_AWS_XRAY_DAEMON_ADDRESS": _XRAY_HOST,
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "_HANDLER": configuration.handler or "",
        "LAMBDA_TASK_ROOT": TASK_ROOT,
        "LAMBDA_RUNTIME_DIR": RUNTIME_DIRECTORY,
        "AWS_REGION": key.region,
        "AWS_DEFAULT_REGION": key.region,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_LAMBDA_FUNCTION_NAME": key.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.memory_mib),
        "AWS_LAMBDA_LOG_GROUP_NAME": configuration.logging.log_group,
    }


def _of_a_shell(function: Function) -> dict[str, str]:
    """AWS starts its own runtimes by a shell script, and a function's own program as it is."""
    return {} if _brings_program(function) else {"PWD": TASK_ROOT, "SHLVL": "0"}


def _execution_environment(function: Function) -> dict[str, str]:
    runtime = function.configuration.runtime
    return {} if _brings_program(function) else {"AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}"}


def _brings_program(function: Function) -> bool:
    runtime = function.configuration.runtime
    return runtime is None or runtime.startswith("provided")


def _log_format(function: Function) -> dict[str, str]:
    logging = function.configuration.logging
    if logging.log_format == "Text":
        return {}
    return {
        "AWS_LAMBDA_LOG_FORMAT": logging.log_format,
        "AWS_LAMBDA_LOG_LEVEL": logging.application_log_level or "INFO",
    }
