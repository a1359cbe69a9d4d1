"""boto3 against a live server: policies as whole documents, and how long a policy stays."""

import json
from collections.abc import Callable
from typing import Any

from tests.conformance.policies.asking import NONE, UUID, allow, document, mismatch, policy, sids
from tests.conformance.refusals import refused
from tests.conformance.sources import GREET
from tests.deployment import Functions, arn_of
from tests.live_server import LiveServer

OLD = "11111111-1111-4111-8111-111111111111"


def test_a_whole_document_replaces_what_was_there(lambda_client: Any, name: str) -> None:
    """Both trios of operations show and change the same policy."""
    allow(lambda_client, name, "single")
    put = lambda_client.put_resource_policy(
        ResourceArn=arn_of(name), Policy=document([arn_of(name), f"{arn_of(name)}:*"])
    )
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert UUID.fullmatch(put["RevisionId"])
    for shown in (
        lambda_client.get_resource_policy(ResourceArn=arn_of(name)),
        lambda_client.get_policy(FunctionName=name),
    ):
        assert (shown["Policy"], shown["RevisionId"]) == (put["Policy"], put["RevisionId"])
    assert put["Policy"] == json.dumps(json.loads(document([arn_of(name), f"{arn_of(name)}:*"])), separators=(",", ":"))
    allow(lambda_client, name, "single")
    assert sids(lambda_client, name) == ["whole", "single"]
    assert "Id" not in policy(lambda_client, name)
    lambda_client.remove_permission(FunctionName=name, StatementId="whole")
    assert sids(lambda_client, name) == ["single"]
    deleted = lambda_client.delete_resource_policy(ResourceArn=arn_of(name))
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(lambda_client.get_policy, FunctionName=name) == NONE
    assert refused(lambda_client.get_resource_policy, ResourceArn=arn_of(name)) == NONE
    assert refused(lambda_client.delete_resource_policy, ResourceArn=arn_of(name)) == NONE


def test_whole_documents_of_versions_and_aliases(lambda_client: Any, name: str) -> None:
    for qualifier in (":1", ":live"):
        one = arn_of(name, qualifier)
        put = lambda_client.put_resource_policy(ResourceArn=one, Policy=document(one, sid=qualifier[1:]))
        assert lambda_client.get_resource_policy(ResourceArn=one)["RevisionId"] == put["RevisionId"]
        assert sids(lambda_client, name, Qualifier=qualifier[1:]) == [qualifier[1:]]
    assert refused(lambda_client.get_resource_policy, ResourceArn=arn_of(name)) == NONE
    lambda_client.delete_resource_policy(ResourceArn=arn_of(name, ":1"))
    assert sids(lambda_client, name, Qualifier="live") == ["live"]


def test_whole_documents_are_locked_by_revision(lambda_client: Any, name: str) -> None:
    put: Callable[..., Any] = lambda_client.put_resource_policy
    own = lambda_client.get_function_configuration(FunctionName=name)["RevisionId"]
    asked = {"ResourceArn": arn_of(name), "Policy": document(arn_of(name))}
    assert refused(put, **asked, RevisionId=own) == mismatch("GetResourcePolicy")  # there is none to match
    assert refused(lambda_client.get_resource_policy, ResourceArn=arn_of(name)) == NONE
    first = put(**asked)["RevisionId"]
    second = put(**asked, RevisionId=first)["RevisionId"]
    assert second != first
    assert refused(put, **asked, RevisionId=first) == mismatch("GetResourcePolicy")
    delete = lambda_client.delete_resource_policy
    assert refused(delete, ResourceArn=arn_of(name), RevisionId=OLD) == mismatch("GetResourcePolicy")
    assert lambda_client.get_resource_policy(ResourceArn=arn_of(name))["RevisionId"] == second
    delete(ResourceArn=arn_of(name), RevisionId=second)


def test_wrong_documents_are_refused_and_change_nothing(lambda_client: Any, name: str) -> None:
    before = lambda_client.put_resource_policy(ResourceArn=arn_of(name), Policy=document(arn_of(name)))
    put = lambda_client.put_resource_policy
    wide = document(arn_of(name), sid="ü" * 10_200)
    wide_bytes = len(json.dumps(json.loads(wide), separators=(",", ":"), ensure_ascii=False).encode())
    invalid = "InvalidParameterValueException"
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"Policy": "{"}, invalid, "Syntax errors in policy."),
        ({"Policy": document(arn_of("other"))}, invalid, "Policy has invalid resource"),
        (
            {"Policy": document(arn_of(name), Principal="*", Action="lambda:InvokeFunctionUrl")},
            invalid,
            "This policy could enable public access to your lambda function as it allows all Principals (*) to perform "
            "lambda:InvokeFunctionUrl action. You must specify lambda:FunctionUrlAuthType condition if intend to "
            "enable public access",
        ),
        (
            {"Policy": wide},
            "PolicyLengthExceededException",
            f"The final policy size ({wide_bytes}) is bigger than the limit (20480).",
        ),
        (
            {"ResourceArn": arn_of(name, ":$LATEST")},
            invalid,
            "We currently do not support adding policies for $LATEST.",
        ),
        (
            {"ResourceArn": arn_of(name, ":2"), "Policy": document("*")},
            "ResourceNotFoundException",
            f"Function not found: {arn_of(name, ':2')}",
        ),
        (
            {"ResourceArn": arn_of(name, ":other"), "Policy": document("*")},
            "ResourceNotFoundException",
            f"Cannot find alias arn: {arn_of(name, ':other')}",
        ),
        (
            {"ResourceArn": arn_of(name).replace("us-east-1", "eu-west-1")},
            "ResourceNotFoundException",
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
        ),
        ({"ResourceArn": arn_of(name).replace("function:", "runtime/")}, *NONE),
    ]
    for members, code, message in wrong:
        asked = {"ResourceArn": arn_of(name), "Policy": document(arn_of(name)), **members}
        assert refused(put, **asked) == (code, message)
    assert refused(put, ResourceArn=arn_of(name), Policy="x" * 20_481)[0] == "ValidationException"
    foreign = arn_of(name).replace("123456789012", "210987654321")
    for operation in ("put_resource_policy", "get_resource_policy", "delete_resource_policy"):
        asked = {"Policy": document(foreign)} if operation.startswith("put") else {}
        code, message = refused(getattr(lambda_client, operation), ResourceArn=foreign, **asked)
        assert code == "AccessDeniedException"
        assert f"on resource: {foreign} because" in message
    after = lambda_client.get_resource_policy(ResourceArn=arn_of(name))
    assert (after["Policy"], after["RevisionId"]) == (before["Policy"], before["RevisionId"])


def test_policies_go_with_what_they_are_attached_to(lambda_client: Any, name: str, make_function: Functions) -> None:
    for qualifier in ("", ":1", ":live"):
        allow(lambda_client, f"{name}{qualifier}")
    lambda_client.delete_alias(FunctionName=name, Name="live")
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
    assert refused(lambda_client.get_policy, FunctionName=name, Qualifier="live") == NONE
    allow(lambda_client, name, Qualifier="live")
    lambda_client.delete_function(FunctionName=name, Qualifier="1")
    assert refused(lambda_client.get_policy, FunctionName=name, Qualifier="1") == (
        "ResourceNotFoundException",
        f"Function not found: {arn_of(name, ':1')}",
    )
    assert sids(lambda_client, name) == ["s3"]
    lambda_client.delete_function(FunctionName=name)
    make_function(GREET, FunctionName=name)
    assert refused(lambda_client.get_policy, FunctionName=name) == NONE


def test_policies_survive_kill_9(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    client = server.client()
    name = Functions(client, "restart")(GREET)
    client.put_resource_policy(ResourceArn=arn_of(name), Policy=document(arn_of(name)))
    allow(client, name)
    before = client.get_policy(FunctionName=name)
    server.kill()
    server.start()
    after = server.client().get_policy(FunctionName=name)
    assert (after["Policy"], after["RevisionId"]) == (before["Policy"], before["RevisionId"])
