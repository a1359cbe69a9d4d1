"""What an operation of Lambda's API is to IAM: its action, the ARN of what it is about, its condition keys. Pure.

Docs: service authorization reference, "Actions, resources, and condition keys for AWS Lambda".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lampion.domain.arn import FunctionKey, parse_function_reference
from lampion.domain.layer import LayerKey, parse_layer_arn
from lampion.gateway.judge import facts_of_tags
from lampion.identity.evaluation import Wanted
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
OF_WHOLE_FUNCTIONS: Final = frozenset(
    (
        *("CreateAlias", "CreateFunction", "DeleteAlias", "DeleteFunctionCodeSigningConfig"),
        *("DeleteFunctionConcurrency", "GetAlias", "GetFunctionCodeSigningConfig", "GetFunctionConcurrency"),
        *("GetFunctionRecursionConfig", "ListAliases", "ListFunctionEventInvokeConfigs", "ListFunctionUrlConfigs"),
        *("ListProvisionedConcurrencyConfigs", "ListVersionsByFunction", "PublishVersion"),
        *("PutFunctionCodeSigningConfig", "PutFunctionConcurrency", "PutFunctionRecursionConfig", "UpdateAlias"),
        *("UpdateFunctionCode", "UpdateFunctionConfiguration"),
    )
)
"""Operations without a Qualifier. One that is written into the name changes nothing of what they are about: who may
something with `f:live`, or nothing with `f`, neither gets at `f` by it.
"""
_OTHER_RESOURCES: Final = {
    "UUID": "event-source-mapping",
    "CapacityProviderName": "capacity-provider",
}
_OF_FUNCTIONS: Final = frozenset(("CreateEventSourceMapping", "UpdateEventSourceMapping"))
"""Operations that IAM knows the function of by the condition key lambda:FunctionArn."""
_MADE_WITH_TAGS: Final = {
    "CreateFunction": "",
    "CreateCapacityProvider": "",
    "CreateCodeSigningConfig": "code-signing-config",
    "CreateEventSourceMapping": "event-source-mapping",
}
"""What tags may be given to at once; the kind of those whose ids aren't known before they are made."""
_KEYS: Final = {
    "Principal": "lambda:principal",
    "AuthType": "lambda:functionurlauthtype",
    "FunctionUrlAuthType": "lambda:functionurlauthtype",
    "EventSourceToken": "lambda:eventsourcetoken",
}
_VPC_KEYS: Final = {"SubnetIds": "lambda:subnetids", "SecurityGroupIds": "lambda:securitygroupids"}
_ARNS: Final = ("Resource", "ResourceArn", "Arn", "CodeSigningConfigArn")
_NAME_CHARACTERS: Final = 512
_PARTITION: Final = re.compile(r"arn:[^:]*:")
_OF_FUNCTION: Final = re.compile(r"arn:aws:lambda:[^:]*:[^:]*:function:.*", re.DOTALL)


def action_of(operation: str) -> str:
    """IAM's word, without the service."""
    return _ACTIONS.get(operation, operation)


def facts_of(operation: str, members: Mapping[str, Any], account_id: str, region: str) -> Facts:
    """Lambda's own condition keys, and those about tags that a request brings."""
    facts = facts_of_tags(members)
    for member, key in _KEYS.items():
        value = members.get(member)
        if value is not None:
            facts[key] = [str(value)]
    if members.get("Layers") is not None:
        facts["lambda:layer"] = _layers(members)
    if "CodeSigningConfigArn" in members:
        facts["lambda:codesigningconfigarn"] = [_of_this_partition(members["CodeSigningConfigArn"])]
    vpc = members.get("VpcConfig") or {}
    for member, key in _VPC_KEYS.items():
        if vpc.get(member):
            facts[key] = [one for one in vpc[member] if one is not None]
    if operation in _OF_FUNCTIONS and "FunctionName" in members:
        facts["lambda:functionarn"] = [_function_arn(str(members["FunctionName"]), None, account_id, region)]
    return facts


def resource_of(operation: str, members: Mapping[str, Any], account_id: str, region: str) -> str:
    """The ARN of what an operation is about; "*" when IAM knows none.

    It is spelt in one way, however the request spells it: else who is denied it would spell it otherwise.
    """
    if operation in _OF_NO_RESOURCE:
        return "*"
    if "FunctionName" in members:
        arn = _function_arn(str(members["FunctionName"]), members.get("Qualifier"), account_id, region)
        return _unqualified(arn) if operation in OF_WHOLE_FUNCTIONS else arn
    if "LayerName" in members:
        return _named_layer(members, account_id, region)
    for member in _ARNS:
        if member in members:
            return _spelt_out(str(members[member]), account_id, region)
    for member, kind in _OTHER_RESOURCES.items():
        if member in members:
            name = str(members[member])
            own = f"arn:aws:lambda:{region}:{account_id}:{kind}:{name}"
            return _of_this_partition(name) if name.startswith("arn:") else own
    return "*"


def function_of(members: Mapping[str, Any], account_id: str, region: str) -> str:
    """The ARN of the function as a whole that a request names."""
    return _unqualified(_function_arn(str(members["FunctionName"]), None, account_id, region))


def also_wanted(operation: str, members: Mapping[str, Any], account_id: str, region: str) -> Sequence[Wanted]:
    """What must be allowed besides: to tag what is made with tags, and to use what a function is given."""
    wanted = []
    if members.get("Tags") and operation in _MADE_WITH_TAGS:
        kind = _MADE_WITH_TAGS[operation]
        made = f"arn:aws:lambda:{region}:{account_id}:{kind}:*"
        wanted.append(
            Wanted("lambda:TagResource", made if kind else resource_of(operation, members, account_id, region))
        )
    wanted += [Wanted("lambda:GetLayerVersion", arn) for arn in _layers(members)]
    capacity = (members.get("CapacityProviderConfig") or {}).get("LambdaManagedInstancesCapacityProviderConfig") or {}
    if "CapacityProviderArn" in capacity:
        wanted.append(Wanted("lambda:PassCapacityProvider", _of_this_partition(capacity["CapacityProviderArn"])))
    return wanted


def passed_role(members: Mapping[str, Any]) -> str | None:
    """The role that Lambda is to take on: as the function, or to start a capacity provider's instances."""
    operator = (members.get("PermissionsConfig") or {}).get("CapacityProviderOperatorRoleArn")
    role: str | None = members.get("Role", operator)
    return role


def _function_arn(text: str, qualifier: str | None, account_id: str, region: str) -> str:
    if len(text) > _NAME_CHARACTERS:
        return "*"  # no function is called so, and names that were read are kept
    try:
        named = parse_function_reference(text)
    except ValueError:
        return "*"
    key = FunctionKey(named.account_id or account_id, named.region or region, named.name)
    qualifier = qualifier or named.qualifier
    return key.qualified_arn(qualifier) if qualifier else key.arn


def _unqualified(arn: str) -> str:
    return ":".join(arn.split(":")[:7])


def _named_layer(members: Mapping[str, Any], account_id: str, region: str) -> str:
    """The layer, or the version of it that a request is about."""
    text = str(members["LayerName"])
    reference = parse_layer_arn(text)
    key = LayerKey(account_id, region, text) if reference is None else reference.key
    return key.version_arn(members["VersionNumber"]) if "VersionNumber" in members else key.arn


def _layers(members: Mapping[str, Any]) -> list[str]:
    """Those that are meant; the model refuses a null among them."""
    return [_layer_arn(text) for text in members.get("Layers") or () if text is not None]


def _layer_arn(text: str) -> str:
    reference = parse_layer_arn(text)
    return _of_this_partition(text) if reference is None else reference.arn


def _spelt_out(arn: str, account_id: str, region: str) -> str:
    arn = _of_this_partition(arn)
    return _function_arn(arn, None, account_id, region) if _OF_FUNCTION.fullmatch(arn) else _layer_arn(arn)


def _of_this_partition(arn: str) -> str:
    """There is one here, and ARNs of others mean the same: the model takes them, and nobody looks at it."""
    return _PARTITION.sub("arn:aws:", arn, count=1) if arn.startswith("arn:") else arn
