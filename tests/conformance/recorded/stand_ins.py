"""Answers of other services, in recorded cases that want nothing of them but a name or an id to give to Lambda."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.conformance.recorded.placeholders import Place

Params = Mapping[str, Any]
Answer = dict[str, Any]

_STREAM_LABEL: Final = "2024-05-11T21:21:33.291"


def _create_queue(params: Params, place: Place) -> Answer:
    return {"QueueUrl": f"https://sqs.{place.region}.amazonaws.com/{place.account_id}/{params['QueueName']}"}


def _queue_attributes(params: Params, place: Place) -> Answer:
    name = params["QueueUrl"].rpartition("/")[2]
    return {"Attributes": {"QueueArn": f"arn:{place.partition}:sqs:{place.region}:{place.account_id}:{name}"}}


def _table(params: Params, place: Place) -> Answer:
    name = params["TableName"]
    table = {
        "TableName": name,
        "TableArn": f"arn:{place.partition}:dynamodb:{place.region}:{place.account_id}:table/{name}",
    }
    if params.get("StreamSpecification", {}).get("StreamEnabled"):
        table |= {"LatestStreamLabel": _STREAM_LABEL, "LatestStreamArn": f"{table['TableArn']}/stream/{_STREAM_LABEL}"}
    return {"TableDescription": table}


def _create_role(params: Params, place: Place) -> Answer:
    return {"Role": {"Arn": f"arn:{place.partition}:iam::{place.account_id}:role/{params['RoleName']}"}}


def _create_policy(params: Params, place: Place) -> Answer:
    return {"Policy": {"Arn": f"arn:{place.partition}:iam::{place.account_id}:policy/{params['PolicyName']}"}}


def _caller_identity(params: Params, place: Place) -> Answer:
    return {"Account": place.account_id, "Arn": f"arn:{place.partition}:iam::{place.account_id}:root"}


def _nothing(params: Params, place: Place) -> Answer:
    return {}


def _create_vpc(params: Params, place: Place) -> Answer:
    return {"Vpc": {"VpcId": _id("vpc", params)}}


def _create_security_group(params: Params, place: Place) -> Answer:
    return {"GroupId": _id("sg", params)}


def _create_subnet(params: Params, place: Place) -> Answer:
    return {"Subnet": {"SubnetId": _id("subnet", params)}}


def _security_groups(params: Params, place: Place) -> Answer:
    return {"SecurityGroups": [{"GroupId": _id("sg", params)}]}


def _id(kind: str, params: Params) -> str:
    """As EC2's look; another one for other parameters."""
    digest = hashlib.sha256(repr(sorted(params.items())).encode()).hexdigest()
    return f"{kind}-{digest[:17]}"


STAND_INS: Final[Mapping[tuple[str, str], Callable[[Params, Place], Answer]]] = {
    ("dynamodb", "CreateTable"): _table,
    ("dynamodb", "UpdateTable"): _table,
    ("ec2", "CreateSecurityGroup"): _create_security_group,
    ("ec2", "CreateSubnet"): _create_subnet,
    ("ec2", "CreateVpc"): _create_vpc,
    ("ec2", "DescribeSecurityGroups"): _security_groups,
    ("ec2", "DescribeVpcs"): _nothing,
    ("iam", "AttachRolePolicy"): _nothing,
    ("iam", "CreatePolicy"): _create_policy,
    ("iam", "CreateRole"): _create_role,
    ("sqs", "CreateQueue"): _create_queue,
    ("sqs", "GetQueueAttributes"): _queue_attributes,
    ("sts", "GetCallerIdentity"): _caller_identity,
}
"""By service and operation. Lambda, as it is here, doesn't ask these services itself."""
