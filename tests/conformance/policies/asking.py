"""What both kinds of tests of policies ask, and AWS's words for what is refused."""

import json
import re
from typing import Any

NONE = ("ResourceNotFoundException", "The resource you requested does not exist.")
NO_POLICY = ("ResourceNotFoundException", "No policy is associated with the given resource.")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def mismatch(operation: str) -> tuple[str, str]:
    return (
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        f"Call the {operation} API to retrieve the latest Revision Id",
    )


def allow(client: Any, name: str, sid: str = "s3", **changed: Any) -> dict[str, Any]:
    asked = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "StatementId": sid, **changed}
    statement: dict[str, Any] = json.loads(client.add_permission(FunctionName=name, **asked)["Statement"])
    return statement


def policy(client: Any, name: str, **named: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(client.get_policy(FunctionName=name, **named)["Policy"])
    return document


def sids(client: Any, name: str, **named: Any) -> list[str]:
    return [statement["Sid"] for statement in policy(client, name, **named)["Statement"]]


def document(resource: Any, *, sid: str = "whole", **changed: Any) -> str:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": ["210987654321", "arn:aws:iam::210987654321:role/r"]},
        "Action": ["lambda:InvokeFunction", "lambda:GetFunction"],
        "Resource": resource,
        **changed,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=1, ensure_ascii=False)
