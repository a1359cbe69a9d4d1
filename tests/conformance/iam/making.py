"""Users, groups, roles and policies for tests: named uniquely, and deleted at the end with all that hangs on them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, cast

import boto3
from botocore.config import Config

from tests.deployment import unique_name
from tests.live_server import LiveServer

ACCOUNT: Final = "123456789012"
KINDS: Final = ("User", "Group", "Role")
TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
_SESSION: Final = boto3.session.Session()  # reads each service's model once


def statement(*actions: str, resource: Any = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": list(actions), "Resource": resource, **more}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allowing(*actions: str, **more: Any) -> str:
    """The document of a policy with one statement."""
    return document(statement(*actions, **more))


def call(client: Any, name: str, **arguments: Any) -> dict[str, Any]:
    """`call(iam, "get_user", ...)`: what is answered, without the metadata."""
    answer = getattr(client, name)(**arguments)
    return {member: value for member, value in answer.items() if member != "ResponseMetadata"}


def with_keys(server_url: str, service: str, access_key_id: str, secret: str, token: str | None = None) -> Any:
    """A client of whoever has these keys; no retries."""
    return _SESSION.client(
        cast("Any", service),
        endpoint_url=server_url,
        region_name="us-east-1",
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )


@dataclass
class Made:
    """What one test made with `iam`, and clients of users at `server`."""

    iam: Any
    server: LiveServer
    hint: str
    names: list[tuple[str, str]] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)
    clients: list[Any] = field(default_factory=list)

    def name(self, suffix: str = "") -> str:
        return unique_name(self.hint)[-40:] + suffix

    def identity(self, kind: str, **members: Any) -> str:
        """Of that kind; its name."""
        name = members.pop("Name", None) or self.name()
        if kind == "Role":
            members.setdefault("AssumeRolePolicyDocument", json.dumps(TRUST))
        self.names.append((kind, name))
        getattr(self.iam, f"create_{kind.lower()}")(**{f"{kind}Name": name}, **members)
        return name

    def user(self, *documents: str, **members: Any) -> str:
        """With these policies in it."""
        name = self.identity("User", **members)
        for number, text in enumerate(documents):
            self.iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=text)
        return name

    def policy(self, text: str = allowing("lambda:*"), **members: Any) -> str:
        """A managed policy; its ARN."""
        name = members.pop("PolicyName", None) or self.name()
        made = self.iam.create_policy(PolicyName=name, PolicyDocument=text, **members)
        arn: str = made["Policy"]["Arn"]
        self.policies.append(arn)
        return arn

    def key(self, user: str) -> dict[str, str]:
        key: dict[str, str] = self.iam.create_access_key(UserName=user)["AccessKey"]
        return key

    def client(self, service: str, key: dict[str, str]) -> Any:
        made = with_keys(self.server.url, service, key["AccessKeyId"], key["SecretAccessKey"])
        self.clients.append(made)
        return made

    def renamed(self, kind: str, name: str, new_name: str) -> None:
        """So that it is deleted as well."""
        self.names[self.names.index((kind, name))] = (kind, new_name)

    def delete_all(self) -> None:
        for client in self.clients:
            client.close()
        for kind, name in self.names:
            with suppress(self.iam.exceptions.NoSuchEntityException):
                self._delete(kind, name)
        for arn in self.policies:
            with suppress(self.iam.exceptions.NoSuchEntityException):
                self._delete_policy(arn)

    def _delete(self, kind: str, name: str) -> None:
        lower, named = kind.lower(), {f"{kind}Name": name}
        for attached in getattr(self.iam, f"list_attached_{lower}_policies")(**named)["AttachedPolicies"]:
            getattr(self.iam, f"detach_{lower}_policy")(**named, PolicyArn=attached["PolicyArn"])
        for policy in getattr(self.iam, f"list_{lower}_policies")(**named)["PolicyNames"]:
            getattr(self.iam, f"delete_{lower}_policy")(**named, PolicyName=policy)
        if kind == "User":
            for key in self.iam.list_access_keys(**named)["AccessKeyMetadata"]:
                self.iam.delete_access_key(**named, AccessKeyId=key["AccessKeyId"])
            for group in self.iam.list_groups_for_user(**named)["Groups"]:
                self.iam.remove_user_from_group(**named, GroupName=group["GroupName"])
        if kind == "Group":
            for user in self.iam.get_group(**named)["Users"]:
                self.iam.remove_user_from_group(**named, UserName=user["UserName"])
        getattr(self.iam, f"delete_{lower}")(**named)

    def _delete_policy(self, arn: str) -> None:
        for version in self.iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                self.iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        self.iam.delete_policy(PolicyArn=arn)


@contextmanager
def making(iam: Any, server: LiveServer, hint: str) -> Iterator[Made]:
    made = Made(iam, server, hint)
    try:
        yield made
    finally:
        made.delete_all()
