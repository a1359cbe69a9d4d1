"""boto3 against a live server: the policies of layer versions, and what they allow other accounts."""

import json
from collections.abc import Callable
from typing import Any

from tests.conformance.accounts import account
from tests.conformance.test_layers import ARN, layer, publish, refusal
from tests.deployment import creation, role_in, wait_active, zipped
from tests.live_server import LiveServer

USE = "lambda:GetLayerVersion"

__all__ = ["layer"]
OTHERS_ROLE = role_in("111122223333")


def test_a_policy_gains_and_loses_statements(lambda_client: Any, layer: str) -> None:
    publish(lambda_client, layer)
    of = {"LayerName": layer, "VersionNumber": 1}
    add, remove = lambda_client.add_layer_version_permission, lambda_client.remove_layer_version_permission
    none = ("ResourceNotFoundException", "No policy is associated with the given resource.", 404)
    assert refusal(lambda_client.get_layer_version_policy, **of) == none

    first = add(**of, StatementId="s1", Action=USE, Principal="*")
    assert first["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert json.loads(first["Statement"]) == {
        "Sid": "s1",
        "Effect": "Allow",
        "Principal": "*",
        "Action": USE,
        "Resource": f"{ARN}:{layer}:1",
    }
    second = add(**of, StatementId="s2", Action=USE, Principal="111122223333", RevisionId=first["RevisionId"])
    assert json.loads(second["Statement"])["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    found = lambda_client.get_layer_version_policy(**of)
    statements = [json.loads(one["Statement"]) for one in (first, second)]
    assert json.loads(found["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    assert found["RevisionId"] == second["RevisionId"] != first["RevisionId"]

    stale = (
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetLayerPolicy API to retrieve the latest Revision Id",
        412,
    )
    assert refusal(add, **of, StatementId="s3", Action=USE, Principal="*", RevisionId=first["RevisionId"]) == stale
    assert refusal(remove, **of, StatementId="s1", RevisionId=first["RevisionId"]) == stale
    taken = (
        "The statement id (s1) provided already exists. "
        "Please provide a new statement id, or remove the existing statement."
    )
    assert refusal(add, **of, StatementId="s1", Action=USE, Principal="*") == ("ResourceConflictException", taken, 409)
    absent = ("ResourceNotFoundException", "Statement s3 is not found in resource policy.", 404)
    assert refusal(remove, **of, StatementId="s3") == absent
    assert lambda_client.get_layer_version_policy(**of)["Policy"] == found["Policy"]

    answer = remove(**of, StatementId="s1", RevisionId=second["RevisionId"])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    left = lambda_client.get_layer_version_policy(**of)
    assert json.loads(left["Policy"])["Statement"] == statements[1:]
    assert left["RevisionId"] not in (first["RevisionId"], second["RevisionId"])
    remove(**of, StatementId="s2")
    emptied = ("ResourceNotFoundException", f"Layer version {ARN}:{layer}:1 does not have any resource policy.", 404)
    assert refusal(lambda_client.get_layer_version_policy, **of) == emptied


def test_a_policy_is_of_a_version_that_exists(lambda_client: Any, layer: str) -> None:
    publish(lambda_client, layer)
    absent = ("ResourceNotFoundException", f"Layer version {ARN}:{layer}:2 does not exist.", 404)
    of = {"LayerName": layer, "VersionNumber": 2}
    about = {"StatementId": "s", "Action": USE, "Principal": "*"}
    assert refusal(lambda_client.add_layer_version_permission, **of, **about) == absent
    assert refusal(lambda_client.remove_layer_version_permission, **of, StatementId="s") == absent
    assert refusal(lambda_client.get_layer_version_policy, **of) == absent


def test_other_accounts_use_what_they_are_allowed(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("--auth", "open")
    with account(server, "123456789012") as owner, account(server, "111122223333") as other:
        publish(owner, "shared", {"python/word.py": "WORD = 'shared'"})
        arn, of = f"{ARN}:shared:1", {"LayerName": f"{ARN}:shared", "VersionNumber": 1}

        def denied(action: str, resource: str = arn) -> tuple[str, str, int]:
            return (
                "AccessDeniedException",
                f"User: arn:aws:iam::111122223333:root is not authorized to perform: lambda:{action} on resource: "
                f"{resource} because no resource-based policy allows the lambda:{action} action",
                403,
            )

        source = "import word\ndef handler(event, context):\n    return word.WORD\n"
        created = creation("f", source, Layers=[arn], Role=OTHERS_ROLE)
        may_not = denied("GetLayerVersion")
        for wrong in ({"Principal": "999999999999"}, {"Principal": "*", "OrganizationId": "o-1234567890"}):
            owner.add_layer_version_permission(
                LayerName="shared", VersionNumber=1, StatementId=f"s{len(wrong)}", Action=USE, **wrong
            )
            assert refusal(other.get_layer_version, **of) == may_not
            assert refusal(other.get_layer_version_by_arn, Arn=arn) == may_not
            assert refusal(other.create_function, **created) == may_not

        owner.add_layer_version_permission(
            LayerName="shared", VersionNumber=1, StatementId="other", Action=USE, Principal="111122223333"
        )
        assert other.get_layer_version(**of)["LayerVersionArn"] == arn
        assert other.get_layer_version_by_arn(Arn=arn)["LayerVersionArn"] == arn
        assert other.list_layers()["Layers"] == []
        layer = {"LayerName": f"{ARN}:shared"}
        assert refusal(other.list_layer_versions, **layer) == denied("ListLayerVersions", f"{ARN}:shared")
        assert refusal(other.delete_layer_version, **of) == denied("DeleteLayerVersion")
        assert refusal(other.get_layer_version_policy, **of) == denied("GetLayerVersionPolicy")
        content = {"ZipFile": zipped({"a": "b"})}
        refused = refusal(other.publish_layer_version, **layer, Content=content)
        assert refused == denied("PublishLayerVersion", f"{ARN}:shared")
        elsewhere = "arn:aws:lambda:eu-west-1:123456789012:layer:shared:1"
        refused = refusal(other.create_function, **creation("g", source, Layers=[elsewhere], Role=OTHERS_ROLE))
        assert refused == denied("GetLayerVersion", elsewhere)

        other.create_function(**created)
        wait_active(other, "f")
        assert json.load(other.invoke(FunctionName="f")["Payload"]) == "shared"
        owner.delete_layer_version(LayerName="shared", VersionNumber=1)
        gone = ("InvalidParameterValueException", f"Layer version {arn} does not exist.", 400)
        assert refusal(other.create_function, **creation("g", source, Layers=[arn], Role=OTHERS_ROLE)) == gone
