"""Temporary keys of STS with AWS's own client: sessions with tags and a source identity, federated users, limits."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.iam.making import ACCOUNT, Made, allowing, document, statement, with_keys
from tests.deployment import arn_of, creation, unique_name

SOURCE = "def handler(event, context):\n    return 'ran'\n"


@pytest.fixture
def sts_of(made: Made) -> Any:
    """`sts_of(document, ...)`: a new user's name and his client of STS."""

    def make(*documents: str) -> tuple[str, Any]:
        name = made.user(*documents)
        return name, made.client("sts", made.key(name))

    return make


def with_credentials(made: Made, service: str, answer: dict[str, Any]) -> Any:
    keys = answer["Credentials"]
    client = with_keys(made.server.url, service, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    made.clients.append(client)
    return client


def refused(call: Any, **arguments: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    answer = raised.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def role_for(made: Made, user: str, *documents: str) -> str:
    """One that the user may assume with tags and a source identity; its ARN."""
    trust = statement("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity", Principal={"AWS": "*"})
    del trust["Resource"]
    trust["Condition"] = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
    name = made.identity("Role", AssumeRolePolicyDocument=document(trust))
    for number, text in enumerate(documents):
        made.iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=text)
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def test_a_sessions_tags_decide(made: Made, sts_of: Any, lambda_client: Any) -> None:
    user, sts = sts_of()
    mine = statement(
        "lambda:GetFunctionConfiguration", resource="arn:aws:lambda:*:*:function:${aws:PrincipalTag/Team}-*"
    )
    role = role_for(made, user, document(mine))
    names = {team: unique_name(team) for team in ("blue", "red")}
    for name in names.values():
        lambda_client.create_function(**creation(name, SOURCE))
    try:
        answer = sts.assume_role(
            RoleArn=role,
            RoleSessionName="one",
            Tags=[{"Key": "Team", "Value": "blue"}],
            TransitiveTagKeys=["Team"],
            SourceIdentity="ann",
        )
        assert (answer["SourceIdentity"], 0 < answer["PackedPolicySize"] < 100) == ("ann", True)
        second = with_credentials(made, "sts", answer).assume_role(RoleArn=role, RoleSessionName="two")
        assert second["SourceIdentity"] == "ann"
        for session in (answer, second):
            functions = with_credentials(made, "lambda", session)
            assert functions.get_function_configuration(FunctionName=names["blue"])["FunctionName"] == names["blue"]
            assert refused(functions.get_function_configuration, FunctionName=names["red"])[0] == 403
        chained = with_credentials(made, "sts", answer)
        status, code, message = refused(
            chained.assume_role, RoleArn=role, RoleSessionName="two", Tags=[{"Key": "team", "Value": "red"}]
        )
        assert (status, code) == (400, "InvalidParameterValue")
        assert "transitive tag key" in message
        assert refused(chained.assume_role, RoleArn=role, RoleSessionName="two", SourceIdentity="eve")[:2] == (
            *(403, "AccessDenied"),
        )
    finally:
        for name in names.values():
            lambda_client.delete_function(FunctionName=name)


def test_a_federated_user_may_what_both_allow(made: Made, sts_of: Any, lambda_client: Any) -> None:
    _, sts = sts_of(allowing("lambda:GetFunctionConfiguration", "sts:GetFederationToken", "iam:*"))
    name = unique_name("federated")
    lambda_client.create_function(**creation(name, SOURCE))
    try:
        policy = allowing("lambda:GetFunctionConfiguration", "lambda:DeleteFunction")
        answer = sts.get_federation_token(Name="Bob", Policy=policy, DurationSeconds=900)
        bob = f"arn:aws:sts::{ACCOUNT}:federated-user/Bob"
        assert answer["FederatedUser"] == {"FederatedUserId": f"{ACCOUNT}:Bob", "Arn": bob}
        assert with_credentials(made, "sts", answer).get_caller_identity()["Arn"] == bob
        functions = with_credentials(made, "lambda", answer)
        assert functions.get_function_configuration(FunctionName=name)["FunctionName"] == name
        told = f"User: {bob} is not authorized to perform: lambda:DeleteFunction on resource: {arn_of(name)}"
        assert refused(functions.delete_function, FunctionName=name)[2].startswith(told)
        unbounded = with_credentials(made, "lambda", sts.get_federation_token(Name="Bob"))
        assert refused(unbounded.get_function_configuration, FunctionName=name)[0] == 403
        lambda_client.add_permission(
            FunctionName=name, StatementId="bob", Action="lambda:GetFunctionConfiguration", Principal=bob
        )
        assert unbounded.get_function_configuration(FunctionName=name)["FunctionName"] == name
    finally:
        lambda_client.delete_function(FunctionName=name)


def test_federation_and_its_tags_need_permissions(sts_of: Any) -> None:
    user, sts = sts_of()
    bob = f"arn:aws:sts::{ACCOUNT}:federated-user/Bob"
    himself = f"arn:aws:iam::{ACCOUNT}:user/{user}"
    told = f"User: {himself} is not authorized to perform: sts:GetFederationToken on resource: {bob}"
    status, code, message = refused(sts.get_federation_token, Name="Bob")
    assert (status, code, message.partition(" because")[0]) == (403, "AccessDenied", told)
    _, sts = sts_of(allowing("sts:GetFederationToken", resource=bob))
    assert sts.get_federation_token(Name="Bob")["FederatedUser"]["Arn"] == bob
    assert refused(sts.get_federation_token, Name="Eve")[1] == "AccessDenied"
    assert "sts:TagSession" in refused(sts.get_federation_token, Name="Bob", Tags=[{"Key": "a", "Value": "b"}])[2]


def test_keys_of_get_session_token_reach_neither_iam_nor_most_of_sts(made: Made, sts_of: Any) -> None:
    user, sts = sts_of(allowing("*"))
    lent = sts.get_session_token(DurationSeconds=900)
    assert with_credentials(made, "lambda", lent).list_functions()["ResponseMetadata"]["HTTPStatusCode"] == 200
    invalid = (403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    assert refused(with_credentials(made, "iam", lent).list_users) == invalid
    lent_sts = with_credentials(made, "sts", lent)
    assert lent_sts.get_caller_identity()["Arn"].endswith(f"user/{user}")
    assert lent_sts.assume_role(RoleArn=role_for(made, user), RoleSessionName="one")["Credentials"]
    for name, members in (("get_session_token", {}), ("get_federation_token", {"Name": "Bob"})):
        assert refused(getattr(lent_sts, name), **members)[:2] == (403, "AccessDenied")
    federated = sts.get_federation_token(Name="Bob", Policy=allowing("*"))
    assert refused(with_credentials(made, "iam", federated).list_users) == invalid
    no_role = refused(
        with_credentials(made, "sts", federated).assume_role, RoleArn=role_for(made, user), RoleSessionName="one"
    )
    assert no_role[:2] == (403, "AccessDenied")


def test_nobody_has_mfa_and_only_temporary_keys_say_so(made: Made, sts_of: Any) -> None:
    said = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
    listing = document(statement("lambda:ListFunctions", "sts:GetFederationToken", Condition=said))
    name, sts = sts_of(listing)
    long_term = made.client("lambda", made.key(name))
    assert refused(long_term.list_functions)[0] == 403
    assert with_credentials(made, "lambda", sts.get_session_token()).list_functions()["Functions"] is not None


def test_sessions_from_before_a_moment_can_be_shut_out(made: Made, sts_of: Any) -> None:
    """As IAM's console revokes sessions: a denial with aws:TokenIssueTime."""
    user, sts = sts_of()
    role = role_for(made, user, allowing("lambda:ListFunctions"))
    functions = with_credentials(made, "lambda", sts.assume_role(RoleArn=role, RoleSessionName="one"))
    assert functions.list_functions()["ResponseMetadata"]["HTTPStatusCode"] == 200
    for moment, allowed in (("2020-01-01T00:00:00Z", True), ("2099-01-01T00:00:00Z", False)):
        condition = {"DateLessThan": {"aws:TokenIssueTime": moment}}
        text = document(statement("*", effect="Deny", Condition=condition))
        made.iam.put_role_policy(
            RoleName=role.rpartition("/")[2], PolicyName="AWSRevokeOlderSessions", PolicyDocument=text
        )
        if allowed:
            functions.list_functions()
        else:
            assert "with an explicit deny" in refused(functions.list_functions)[2]


def test_whose_a_key_is_is_told_to_who_may_ask(made: Made, sts_of: Any) -> None:
    _, nobody = sts_of()
    _, auditor = sts_of(allowing("sts:GetAccessKeyInfo"))
    key = made.key(made.user())["AccessKeyId"]
    assert "sts:GetAccessKeyInfo on resource: *" in refused(nobody.get_access_key_info, AccessKeyId=key)[2]
    assert auditor.get_access_key_info(AccessKeyId=key)["Account"] == ACCOUNT
