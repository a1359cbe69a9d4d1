"""Clients of KMS and IAM: of a server's root, of its users, of other accounts."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.live_server import LiveServer

REGION = "us-east-1"
ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Clients:
    """Made for one test, and closed with it."""

    server: LiveServer
    stack: ExitStack

    def of(self, service: str, *keys: str, region: str = REGION) -> Any:
        """With the root's key where none is given."""
        root = self.server.server
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        client = boto3.session.Session().client(
            service,
            endpoint_url=self.server.url,
            region_name=region,
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
            **dict(zip(names, keys or (root.access_key_id, root.secret_access_key), strict=False)),
        )
        return self.stack.enter_context(closing(client))

    def user(self, name: str, *statements: dict[str, Any], service: str = "kms") -> Any:
        """KMS, or another service, as a new user sees it, with these statements in his policy."""
        iam = self.of("iam")
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.stack.callback(_delete_user, iam, name, key["AccessKeyId"], has_policy=bool(statements))
        return self.of(service, key["AccessKeyId"], key["SecretAccessKey"])


@contextmanager
def clients_of(server: LiveServer) -> Iterator[Clients]:
    with ExitStack() as stack:
        yield Clients(server, stack)


def _delete_user(iam: Any, name: str, key_id: str, *, has_policy: bool) -> None:
    iam.delete_access_key(UserName=name, AccessKeyId=key_id)
    if has_policy:
        iam.delete_user_policy(UserName=name, PolicyName="p")
    iam.delete_user(UserName=name)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [f"kms:{one}" for one in actions], "Resource": resource, **more}


def refused(call: Any, **arguments: Any) -> tuple[str, str]:
    """Code and message; every refusal of KMS is a 400."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    return answer["Error"]["Code"], answer["Error"].get("Message", "")
