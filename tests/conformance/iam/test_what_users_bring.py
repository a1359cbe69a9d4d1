"""What a user's call brings along, gives or changes is asked for as well; no spelling gets around what is denied."""

from typing import Any

import pytest

from tests.conformance.event_sources import queue_arn, settled, wait_gone
from tests.conformance.iam.making import ACCOUNT, Made, document, statement
from tests.conformance.refusals import refusal
from tests.deployment import arn_of, creation, functions, unique_name, zipped

SOURCE = "def handler(event, context):\n    return 'ran'\n"


def missing(action: str, resource: str) -> str:
    return f" is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows"


def test_tags_and_layers_of_a_new_function(made: Made, lambda_client: Any) -> None:
    name, layer = unique_name("brought"), unique_name("layer")
    version = lambda_client.publish_layer_version(LayerName=layer, Content={"ZipFile": zipped(SOURCE)})[
        "LayerVersionArn"
    ]
    own = made.client("lambda", made.key(made.user(document(statement("lambda:CreateFunction", "iam:PassRole")))))
    told = refusal(own.create_function, **creation(name, SOURCE, Tags={"team": "x"}))
    assert told[0] == 403
    assert missing("lambda:TagResource", arn_of(name)) in told[2]
    told = refusal(own.create_function, **creation(name, SOURCE, Layers=[version]))
    assert told[0] == 403
    assert missing("lambda:GetLayerVersion", version) in told[2]
    assert refusal(lambda_client.get_function, FunctionName=name)[0] == 404
    lambda_client.delete_layer_version(LayerName=layer, VersionNumber=1)


def test_a_mapping_of_anothers_function(made: Made, lambda_client: Any) -> None:
    with functions(lambda_client, "mapped") as create:
        theirs, mine, queue = create(SOURCE), create(SOURCE), queue_arn()
        mapping = lambda_client.create_event_source_mapping(FunctionName=theirs, EventSourceArn=queue, Enabled=False)
        of_mine: dict[str, Any] = {"Condition": {"ArnEquals": {"lambda:FunctionArn": arn_of(mine)}}}
        own = made.client("lambda", made.key(made.user(document(statement("lambda:*", **of_mine)))))
        for call, more in (
            (own.update_event_source_mapping, {"FunctionName": mine}),
            (own.update_event_source_mapping, {"BatchSize": 1}),
            (own.get_event_source_mapping, {}),
            (own.delete_event_source_mapping, {}),
        ):
            assert refusal(call, UUID=mapping["UUID"], **more)[:2] == (403, "AccessDeniedException")
        told = refusal(own.create_event_source_mapping, FunctionName=mine, EventSourceArn=queue, Tags={"a": "b"})
        assert missing("lambda:TagResource", f"arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:*") in told[2]
        assert settled(lambda_client, mapping["UUID"])["FunctionArn"] == arn_of(theirs)
        lambda_client.delete_event_source_mapping(UUID=mapping["UUID"])
        wait_gone(lambda_client, mapping["UUID"])


@pytest.mark.parametrize("spelling", ["{name}:$LATEST", "{account}:function:{name}", "arn:aws-cn:lambda:{rest}"])
def test_a_denied_function_in_another_spelling(made: Made, lambda_client: Any, spelling: str) -> None:
    with functions(lambda_client, "denied") as create:
        name = create(SOURCE)
        denied = statement("lambda:UpdateFunctionCode", resource=arn_of(name), effect="Deny")
        own = made.client("lambda", made.key(made.user(document(statement("lambda:*"), denied))))
        rest = arn_of(name).removeprefix("arn:aws:lambda:")
        written = spelling.format(name=name, account=ACCOUNT, rest=rest)
        told = refusal(own.update_function_code, FunctionName=written, ZipFile=zipped("evil = 1"))
        assert told[0] == 403
        assert "with an explicit deny in an identity-based policy" in told[2]


def test_tags_are_told_to_who_may_list_them(made: Made, lambda_client: Any) -> None:
    with functions(lambda_client, "told") as create:
        name = create(SOURCE, Tags={"Team": "blue"})
        user = made.user(document(statement("lambda:GetFunction")))
        own = made.client("lambda", made.key(user))
        found = own.get_function(FunctionName=name)
        assert "Tags" not in found
        assert found["TagsError"]["ErrorCode"] == "AccessDeniedException"
        assert missing("lambda:ListTags", arn_of(name)) in found["TagsError"]["Message"]
        made.iam.put_user_policy(
            UserName=user, PolicyName="p1", PolicyDocument=document(statement("lambda:ListTags", resource=arn_of(name)))
        )
        assert own.get_function(FunctionName=name)["Tags"] == {"Team": "blue"}
        assert "TagsError" not in lambda_client.get_function(FunctionName=name)


def test_the_tags_of_a_function_count_from_the_next_call_on(made: Made, lambda_client: Any) -> None:
    with functions(lambda_client, "tagged") as create:
        name = create(SOURCE, Tags={"Team": "blue"})
        of_team: dict[str, Any] = {"Condition": {"StringEquals": {"aws:ResourceTag/Team": "blue"}}}
        own = made.client("lambda", made.key(made.user(document(statement("lambda:InvokeFunction", **of_team)))))
        for _ in range(2):
            assert own.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
        lambda_client.tag_resource(Resource=arn_of(name), Tags={"Team": "red"})
        assert refusal(own.invoke, FunctionName=name, InvocationType="DryRun")[0] == 403
