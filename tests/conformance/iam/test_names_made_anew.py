"""Who is made under the name of somebody who is gone has nothing of what that one was let do."""

import json
from typing import Any

from tests.conformance.iam.making import ACCOUNT, TRUST, Made, allowing, with_keys
from tests.conformance.refusals import refusal
from tests.deployment import arn_of, functions

SOURCE = "def handler(event, context):\n    return 'ran'\n"


def test_a_user_made_anew(iam: Any, made: Made, lambda_client: Any) -> None:
    name = made.user()
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    trusted = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [*TRUST["Statement"], trusted]})
    role = made.identity("Role", AssumeRolePolicyDocument=trust)
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    with functions(lambda_client, "anew") as create:
        function = create(SOURCE)
        allowed = {"Action": "lambda:InvokeFunction", "Principal": arn, "StatementId": "s"}
        lambda_client.add_permission(FunctionName=function, **allowed)

        def clients(key: dict[str, str]) -> tuple[Any, Any]:
            return made.client("lambda", key), made.client("sts", key)

        key = made.key(name)
        own, sts = clients(key)
        assert own.invoke(FunctionName=function)["StatusCode"] == 200
        assert sts.assume_role(RoleArn=role_arn, RoleSessionName="session")["Credentials"]
        unique_id = iam.get_user(UserName=name)["User"]["UserId"]
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName=name)
        iam.create_user(UserName=name)
        own, sts = clients(made.key(name))
        assert refusal(own.invoke, FunctionName=function)[:2] == (403, "AccessDeniedException")
        assert refusal(sts.assume_role, RoleArn=role_arn, RoleSessionName="session")[:2] == (403, "AccessDenied")
        shown = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"][-1]["Principal"]
        assert shown == {"AWS": unique_id}
        policy = json.loads(lambda_client.get_policy(FunctionName=function)["Policy"])
        assert policy["Statement"][0]["Principal"] == {"AWS": unique_id}
        assert policy["Statement"][0]["Resource"] == arn_of(function)


def test_a_renamed_user_keeps_what_he_was_let_do(iam: Any, made: Made, lambda_client: Any) -> None:
    name = made.user()
    with functions(lambda_client, "renamed") as create:
        function = create(SOURCE)
        allowed = {"Action": "lambda:InvokeFunction", "StatementId": "s"}
        lambda_client.add_permission(FunctionName=function, Principal=f"arn:aws:iam::{ACCOUNT}:user/{name}", **allowed)
        own = made.client("lambda", made.key(name))
        iam.update_user(UserName=name, NewUserName=f"{name}-2")
        made.renamed("User", name, f"{name}-2")
        assert own.invoke(FunctionName=function)["StatusCode"] == 200
        usurper = made.user(Name=name)
        theirs = made.client("lambda", made.key(usurper))
        assert refusal(theirs.invoke, FunctionName=function)[0] == 403


def test_the_session_of_a_role_made_anew(iam: Any, made: Made) -> None:
    """Keys of before are of no use either."""
    ann = made.user(allowing("sts:AssumeRole"))
    trusted = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{ann}"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    role = made.identity("Role", AssumeRolePolicyDocument=trust)
    sts = made.client("sts", made.key(ann))
    keys = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName="session")["Credentials"]
    iam.delete_role(RoleName=role)
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    session = with_keys(made.server.url, "sts", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    made.clients.append(session)
    assert refusal(session.get_caller_identity)[1] == "InvalidClientTokenId"
