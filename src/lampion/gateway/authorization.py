"""What a caller may do: accounts everything, a function's session all or nothing, as long as roles have no policies."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from lampion.aws.errors import AccessDeniedException
from lampion.domain.arn import FunctionKey, parse_function_reference
from lampion.gateway.authentication import Authentication, Meanwhile, Principal
from lampion.http.message import Request, RequestHead
from lampion.identity.session_keys import SessionKey

_ACTIONS: Final = {
    "GetLayerVersionByArn": "GetLayerVersion",
    "Invoke": "InvokeFunction",
    "InvokeAsync": "InvokeFunction",
    "InvokeWithResponseStream": "InvokeFunction",
}
"""Operations that IAM calls otherwise (service authorization reference, "Actions defined by AWS Lambda")."""
_OF_NO_RESOURCE: Final = frozenset(("CreateEventSourceMapping", "ListEventSourceMappings"))
"""Operations that name a function, but that IAM doesn't grant for one."""
_OTHER_RESOURCES: Final = {
    "LayerName": "layer",
    "UUID": "event-source-mapping",
    "CapacityProviderName": "capacity-provider",
}
_ARNS: Final = ("Resource", "ResourceArn", "Arn", "CodeSigningConfigArn")


class Authorization:
    """Decides by kind of caller alone."""

    def __init__(self, *, functions_may_all: bool, region: str) -> None:
        self._functions_may_all = functions_may_all
        self._region = region

    def check(self, session: SessionKey, operation: str, read_members: Callable[[], Mapping[str, Any]]) -> None:
        """Raises AccessDeniedException when the session mayn't; only then the members are needed."""
        if not self._functions_may_all:
            resource = resource_of(operation, read_members(), session.account_id, self._region)
            raise AccessDeniedException(denial(session, operation, resource))


class AccountsOnly:
    """Authentication for doors that AWS doesn't have: functions stay out unless they may do everything."""

    def __init__(self, inner: Authentication) -> None:
        self._inner = inner

    def read(self, head: RequestHead) -> Any:
        return self._inner.read(head)

    async def verify(self, claim: Any, request: Request, meanwhile: Meanwhile | None = None) -> Principal:
        principal = await self._inner.verify(claim, request, meanwhile)
        if principal.session is not None:
            raise AccessDeniedException(f"User: {principal.session.arn} is not authorized to read {request.head.path}")
        return principal


def denial(session: SessionKey, operation: str, resource: str) -> str:
    """AWS's sentence for a role without a policy that allows it."""
    action = f"lambda:{_ACTIONS.get(operation, operation)}"
    return (
        f"User: {session.arn} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


def resource_of(operation: str, members: Mapping[str, Any], account_id: str, region: str) -> str:
    """The ARN of what an operation is about; "*" when IAM knows none."""
    if operation in _OF_NO_RESOURCE:
        return "*"
    if "FunctionName" in members:
        return _function_arn(str(members["FunctionName"]), members.get("Qualifier"), account_id, region)
    for member in _ARNS:
        if member in members:
            return str(members[member])
    for member, kind in _OTHER_RESOURCES.items():
        if member in members:
            name = str(members[member])
            return name if name.startswith("arn:") else f"arn:aws:lambda:{region}:{account_id}:{kind}:{name}"
    return "*"


def _function_arn(text: str, qualifier: str | None, account_id: str, region: str) -> str:
    try:
        named = parse_function_reference(text)
    except ValueError:
        return "*"
    key = FunctionKey(named.account_id or account_id, named.region or region, named.name)
    qualifier = qualifier or named.qualifier
    return key.qualified_arn(qualifier) if qualifier else key.arn
