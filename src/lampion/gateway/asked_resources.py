"""What an operation of Lambda's API is to IAM: its action, the ARN of what it is about, its condition keys. Pure.

Docs: service authorization reference, "Actions, resources, and condition keys for AWS Lambda".
"""

from collections.abc import Mapping
from typing import Any, Final

from lampion.domain.arn import FunctionKey, parse_function_reference
from lampion.gateway.judge import facts_of_tags
from lampion.identity.request_facts import Facts

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
_OF_FUNCTIONS: Final = frozenset(("CreateEventSourceMapping", "UpdateEventSourceMapping"))
"""Operations that IAM knows the function of by the condition key lambda:FunctionArn."""
_KEYS: Final = {
    "Layers": "lambda:layer",
    "CodeSigningConfigArn": "lambda:codesigningconfigarn",
    "Principal": "lambda:principal",
    "AuthType": "lambda:functionurlauthtype",
    "FunctionUrlAuthType": "lambda:functionurlauthtype",
    "EventSourceToken": "lambda:eventsourcetoken",
}
_VPC_KEYS: Final = {"SubnetIds": "lambda:subnetids", "SecurityGroupIds": "lambda:securitygroupids"}
_ARNS: Final = ("Resource", "ResourceArn", "Arn", "CodeSigningConfigArn")


def action_of(operation: str) -> str:
    """IAM's word, without the service."""
    return _ACTIONS.get(operation, operation)


def facts_of(operation: str, members: Mapping[str, Any], account_id: str, region: str) -> Facts:
    """Lambda's own condition keys, and those about tags that a request brings."""
    facts = facts_of_tags(members)
    for member, key in _KEYS.items():
        value = members.get(member)
        if value is not None:
            facts[key] = value if isinstance(value, list) else [str(value)]
    vpc = members.get("VpcConfig") or {}
    for member, key in _VPC_KEYS.items():
        if vpc.get(member):
            facts[key] = vpc[member]
    if operation in _OF_FUNCTIONS and "FunctionName" in members:
        facts["lambda:functionarn"] = [_function_arn(str(members["FunctionName"]), None, account_id, region)]
    return facts


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
