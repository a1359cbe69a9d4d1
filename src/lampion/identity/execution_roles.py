"""Roles of functions: whether Lambda may assume one. Pure.

Docs: Lambda developer guide, "Defining Lambda function permissions with an execution role".
"""

import json
from typing import Final

from lampion.domain.iam.identity import Identity
from lampion.identity.callers import service
from lampion.identity.evaluation import Policies, Request, evaluate
from lampion.identity.statements import read_policy

_LAMBDA: Final = service("lambda.amazonaws.com")


def lets_lambda_assume(role: Identity) -> bool:
    """By its trust policy."""
    known = {"aws:sourceaccount": (role.account_id,), "aws:principalservicename": (_LAMBDA.arn,)}
    request = Request(caller=_LAMBDA, action="sts:AssumeRole", resource=role.arn, known=known)
    policies = Policies(resource=(read_policy(json.loads(role.trust)),), resource_account_id=role.account_id)
    return evaluate(request, policies).is_allowed
