"""The context object that a handler gets (Lambda developer guide, "Using the Lambda context object in Python")."""

import time

import _lampion_logs as logs

if False:
    from typing import Any, Dict, Mapping, Optional, Tuple

    from _lampion_client import Event

_NOTHING = {}  # type: Dict[str, Any]
_W3C_FIELDS = ("traceparent", "tracestate", "baggage")


class _Described:
    """Members are the slots; shown as Name([member=value,...])."""

    __slots__ = ()

    def __repr__(self) -> str:
        members = ",".join("%s=%s" % (name, getattr(self, name)) for name in self.__slots__)
        return "%s([%s])" % (self.__class__.__name__, members)


class CognitoIdentity(_Described):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(_Described):
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext(_Described):
    __slots__ = ("custom", "env", "client")


class LambdaContext:
    """What the function is and what it runs for."""

    _function = (None,) * 5  # type: Tuple[Optional[str], ...]

    @classmethod
    def configure(cls, environ: "Mapping[str, str]") -> None:
        """Take the members that all invocations share from the environment, once the handler is loaded."""
        cls._function = (
            environ.get("AWS_LAMBDA_LOG_GROUP_NAME"),
            environ.get("AWS_LAMBDA_LOG_STREAM_NAME"),
            environ.get("AWS_LAMBDA_FUNCTION_NAME"),
            environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
            environ.get("AWS_LAMBDA_FUNCTION_VERSION"),
        )

    def __init__(self, event: "Event", client_context: "Any", cognito_identity: "Any") -> None:
        self.aws_request_id = event.request_id
        (
            self.log_group_name,
            self.log_stream_name,
            self.function_name,
            self.memory_limit_in_mb,
            self.function_version,
        ) = self._function
        self.invoked_function_arn = event.invoked_function_arn
        self.tenant_id = event.tenant_id
        self._w3c = _take_w3c(client_context) if isinstance(client_context, dict) else {}
        self.client_context = None if client_context is None else _client_context(client_context)
        self.identity = identity = CognitoIdentity()
        members = _NOTHING if cognito_identity is None else cognito_identity
        identity.cognito_identity_id = members.get("cognitoIdentityId")
        identity.cognito_identity_pool_id = members.get("cognitoIdentityPoolId")
        self._epoch_deadline_time_in_ms = event.deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation times out; never negative."""
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def w3c(self) -> "Dict[str, str]":
        """The W3C trace context of the invocation."""
        return dict(self._w3c)

    def log(self, msg: "Any") -> None:
        """Write `msg` to the log as it is."""
        logs.write(str(msg))

    def __repr__(self) -> str:
        names = (
            "aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
            "function_version", "invoked_function_arn", "client_context", "identity", "tenant_id",
        )  # fmt: skip
        members = ",".join("%s=%s" % (name, getattr(self, name)) for name in names)
        return "%s([%s])" % (self.__class__.__name__, members)


def _client_context(members: "Any") -> "Any":
    context = _filled(ClientContext(), members)
    context.client = _filled(Client(), context.client)
    return context


def _filled(value: "Any", members: "Any") -> "Any":
    """`value` with its slots taken from `members`; None when there are none."""
    if members is None:
        return None
    for name in value.__slots__:
        setattr(value, name, members.get(name))
    return value


def _take_w3c(client_context: "Dict[str, Any]") -> "Dict[str, str]":
    """Remove the trace context from the caller's context: it isn't the caller's to see."""
    w3c = client_context.pop("w3c", None)
    if not isinstance(w3c, dict):
        return {}
    return {name: w3c[name] for name in _W3C_FIELDS if isinstance(w3c.get(name), str)}
