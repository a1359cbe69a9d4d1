"""boto3 against a live server: tags of functions."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conformance.refusals import refused
from tests.deployment import Functions, arn_of, creation, unique_name, wait_active

NOTHING = "def handler(event, context):\n    return None\n"
COUNT = """
count = 0

def handler(event, context):
    global count
    count += 1
    return count
"""


def test_tags_are_added_replaced_listed_and_removed(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING, Tags={"a": "1"})
    assert lambda_client.list_tags(Resource=arn_of(name))["Tags"] == {"a": "1"}
    added = lambda_client.tag_resource(Resource=arn_of(name), Tags={"a": "2", "b:/=+-@ é": ""})
    assert added["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert lambda_client.list_tags(Resource=arn_of(name))["Tags"] == {"a": "2", "b:/=+-@ é": ""}
    assert lambda_client.get_function(FunctionName=name)["Tags"] == {"a": "2", "b:/=+-@ é": ""}
    removed = lambda_client.untag_resource(Resource=arn_of(name), TagKeys=["a", "b:/=+-@ é", "c"])
    assert removed["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert lambda_client.list_tags(Resource=arn_of(name))["Tags"] == {}
    assert "Tags" not in lambda_client.get_function(FunctionName=name)


def test_other_tags_are_another_revision_and_the_same_are_not(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING)

    def revision() -> tuple[str, str]:
        found = lambda_client.get_function_configuration(FunctionName=name)
        return found["RevisionId"], found["LastModified"]

    before = revision()
    lambda_client.tag_resource(Resource=arn_of(name), Tags={"a": "1"})
    after = revision()
    assert after[0] != before[0]
    assert after[1] == before[1]
    lambda_client.tag_resource(Resource=arn_of(name), Tags={"a": "1"})
    lambda_client.untag_resource(Resource=arn_of(name), TagKeys=["b"])
    assert revision() == after
    assert refused(lambda_client.update_function_configuration, FunctionName=name, RevisionId=before[0])[0] == (
        "PreconditionFailedException"
    )


def test_tags_leave_what_runs_alone(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(COUNT)
    assert json.load(lambda_client.invoke(FunctionName=name)["Payload"]) == 1
    lambda_client.tag_resource(Resource=arn_of(name), Tags={"a": "1"})
    assert json.load(lambda_client.invoke(FunctionName=name)["Payload"]) == 2


def test_a_function_may_be_tagged_while_it_is_made(lambda_client: Any) -> None:
    name = unique_name("tagged-early")
    lambda_client.create_function(**creation(name, NOTHING))
    lambda_client.tag_resource(Resource=arn_of(name), Tags={"a": "1"})
    wait_active(lambda_client, name)
    assert lambda_client.list_tags(Resource=arn_of(name))["Tags"] == {"a": "1"}
    lambda_client.delete_function(FunctionName=name)


def test_a_function_has_tags_and_its_versions_have_not(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING, Tags={"a": "1"})
    version = lambda_client.publish_version(FunctionName=name)["FunctionArn"]
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    unsupported = (
        "InvalidParameterValueException",
        "Tags on function aliases and versions are not supported. Please specify a function ARN.",
    )
    for resource in (
        version,
        arn_of(name, ":live"),
        arn_of(name, ":$LATEST"),
        arn_of(name, ":nothing"),
    ):
        assert refused(lambda_client.tag_resource, Resource=resource, Tags={"b": "2"}) == unsupported
        assert refused(lambda_client.untag_resource, Resource=resource, TagKeys=["a"]) == unsupported
        assert refused(lambda_client.list_tags, Resource=resource) == unsupported
    assert lambda_client.get_function(FunctionName=name, Qualifier="1")["Tags"] == {"a": "1"}


def test_what_is_refused_changes_nothing(lambda_client: Any, make_function: Functions) -> None:
    tags = {f"k{number}": "v" for number in range(50)}
    name = make_function(NOTHING, Tags=tags)
    before = lambda_client.get_function_configuration(FunctionName=name)["RevisionId"]
    wrong: list[dict[str, str]] = [{}, {"one more": "v"}, {"k0": "w", "aws:x": "v"}, {"k0": "x" * 257}, {"#": "v"}]
    for more in wrong:
        assert refused(lambda_client.tag_resource, Resource=arn_of(name), Tags=more)[0] in (
            "InvalidParameterValueException",
            "ValidationException",
        )
    assert refused(lambda_client.untag_resource, Resource=arn_of(name), TagKeys=["k0", "aws:x"])[0] == (
        "InvalidParameterValueException"
    )
    assert lambda_client.list_tags(Resource=arn_of(name))["Tags"] == tags
    assert lambda_client.get_function_configuration(FunctionName=name)["RevisionId"] == before


@pytest.mark.parametrize("tags", [{f"k{number}": "v" for number in range(51)}, {"aws:x": "v"}])
def test_a_function_is_not_created_with_tags_it_may_not_have(
    lambda_client: Any, make_function: Functions, tags: dict[str, str]
) -> None:
    name = unique_name("tagged")
    assert refused(make_function, source=NOTHING, FunctionName=name, Tags=tags)[0] == "InvalidParameterValueException"
    assert refused(lambda_client.list_tags, Resource=arn_of(name)) == (
        "ResourceNotFoundException",
        f"Function not found: {arn_of(name)}",
    )


def test_what_is_elsewhere_is_not_tagged(lambda_client: Any) -> None:
    other_region = "arn:aws:lambda:eu-central-1:123456789012:function:f"
    assert refused(lambda_client.list_tags, Resource=other_region)[0] == "ResourceNotFoundException"
    other_account = "arn:aws:lambda:us-east-1:210987654321:function:f"
    assert refused(lambda_client.tag_resource, Resource=other_account, Tags={"a": "1"})[0] == "AccessDeniedException"


def test_tags_added_at_once_are_all_there(lambda_client: Any, make_function: Functions) -> None:
    """Each call reads and writes in one transaction; none takes back what another added."""
    name = make_function(NOTHING)
    with ThreadPoolExecutor(8) as threads:
        for number in range(40):
            threads.submit(lambda_client.tag_resource, Resource=arn_of(name), Tags={f"k{number}": str(number)})
    assert lambda_client.list_tags(Resource=arn_of(name))["Tags"] == {f"k{number}": str(number) for number in range(40)}


def test_tags_go_with_the_function_and_survive_a_restart(start_server: Any) -> None:
    server = start_server()
    functions = Functions(server.client(), "tagged")
    name = functions(NOTHING, Tags={"a": "1"})
    server.client().tag_resource(Resource=arn_of(name), Tags={"b": "2"})
    server.kill()
    server.start()
    client = server.client()
    assert client.list_tags(Resource=arn_of(name))["Tags"] == {"a": "1", "b": "2"}
    client.delete_function(FunctionName=name)
    Functions(client, "tagged")(NOTHING, FunctionName=name)
    assert client.list_tags(Resource=arn_of(name))["Tags"] == {}


def test_event_source_mappings_are_tagged_likewise(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING)
    source = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    too_many = {str(number): "" for number in range(51)}
    ask = {"FunctionName": name, "EventSourceArn": source}
    assert refused(lambda_client.create_event_source_mapping, **ask, Tags=too_many) == (
        "InvalidParameterValueException",
        "Number of tags exceeds resource tag limit.",
    )
    assert lambda_client.list_event_source_mappings(EventSourceArn=source)["EventSourceMappings"] == []
    made = lambda_client.create_event_source_mapping(**ask, Tags={"a": "1"})
    mapping = made["EventSourceMappingArn"]
    lambda_client.tag_resource(Resource=mapping, Tags={"b": "2"})
    lambda_client.untag_resource(Resource=mapping, TagKeys=["a"])
    assert lambda_client.list_tags(Resource=mapping)["Tags"] == {"b": "2"}
    missing = mapping[:-1] + ("0" if mapping[-1] != "0" else "1")
    assert refused(lambda_client.list_tags, Resource=missing)[0] == "ResourceNotFoundException"


def test_what_the_account_has_is_tagged_likewise(lambda_client: Any) -> None:
    profile = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/p/abcdefghij"
    signing = lambda_client.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": [profile]}, Tags={"a": "1"}
    )["CodeSigningConfig"]["CodeSigningConfigArn"]
    provider = lambda_client.create_capacity_provider(
        CapacityProviderName=unique_name("tagged"),
        VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        PermissionsConfig={"CapacityProviderOperatorRoleArn": "arn:aws:iam::123456789012:role/r"},
        Tags={"a": "1"},
    )["CapacityProvider"]["CapacityProviderArn"]
    for resource in (signing, provider):
        lambda_client.tag_resource(Resource=resource, Tags={"b": "2"})
        lambda_client.untag_resource(Resource=resource, TagKeys=["a"])
        assert lambda_client.list_tags(Resource=resource)["Tags"] == {"b": "2"}
    lambda_client.delete_code_signing_config(CodeSigningConfigArn=signing)
    lambda_client.delete_capacity_provider(CapacityProviderName=provider)
    assert refused(lambda_client.list_tags, Resource=signing)[0] == "ResourceNotFoundException"
