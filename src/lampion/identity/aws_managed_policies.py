"""Managed policies of AWS that users of Lambda attach: the same in every account, changed by nobody.

What they allow is from "AWS managed policy reference"; a test looks at each one.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from lampion.domain.iam.managed_policy import AWS, ManagedPolicy, PolicyVersion


@cache
def aws_managed_policies() -> Mapping[str, ManagedPolicy]:
    """By ARN."""
    rows = json.loads(files("lampion.identity").joinpath("aws_managed_policies.json").read_bytes())
    policies = [_policy(row) for row in rows]
    return {policy.arn: policy for policy in policies}


def _policy(row: Mapping[str, object]) -> ManagedPolicy:
    """With the one version that holds."""
    version_id, moment = str(row["version"]), int(str(row["created"]))
    document = json.dumps({"Version": "2012-10-17", "Statement": row["statements"]}, indent=4)
    return ManagedPolicy(
        account_id=AWS,
        path=str(row["path"]),
        name=str(row["name"]),
        unique_id=str(row["id"]),
        created_epoch_seconds=moment,
        updated_epoch_seconds=moment,
        versions=(PolicyVersion(version_id=version_id, document=document, created_epoch_seconds=moment),),
        default_version_id=version_id,
        description=str(row["description"]),
    )
