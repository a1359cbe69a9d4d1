"""boto3 against a live server: what is configured of function URLs."""

import re
from typing import Any

import pytest

from tests.conformance.refusals import refused
from tests.deployment import Functions, arn_of

NOTHING = "def handler(event, context):\n    return None\n"
MISSING = ("ResourceNotFoundException", "The resource you requested does not exist.")
NO_FUNCTION = ("ResourceNotFoundException", "Function does not exist")
URL = re.compile(r"http://[a-z0-9]{32}\.lambda-url\.us-east-1\.localhost:\d+/")


def with_aliases(client: Any, make: Functions, *aliases: str) -> str:
    name = make(NOTHING)
    client.publish_version(FunctionName=name)
    for alias in aliases:
        client.create_alias(FunctionName=name, Name=alias, FunctionVersion="1")
    return name


def bare(answer: dict[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in answer.items() if member != "ResponseMetadata"}


def test_a_url_is_created_read_updated_and_deleted(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING)
    created = lambda_client.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert URL.fullmatch(created["FunctionUrl"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", created["CreationTime"])
    read = bare(lambda_client.get_function_url_config(FunctionName=name))
    assert read == {**bare(created), "LastModifiedTime": created["CreationTime"], "InvokeMode": "BUFFERED"}
    cors = {"AllowOrigins": ["https://example.org"], "AllowHeaders": ["X-Custom"], "AllowMethods": ["*"], "MaxAge": 60}
    updated = lambda_client.update_function_url_config(
        FunctionName=arn_of(name), AuthType="NONE", Cors=cors, InvokeMode="RESPONSE_STREAM"
    )
    kept = {**cors, "AllowHeaders": ["x-custom"]}
    assert (updated["AuthType"], updated["Cors"], updated["InvokeMode"]) == ("NONE", kept, "RESPONSE_STREAM")
    assert updated["FunctionUrl"] == created["FunctionUrl"]
    assert updated["CreationTime"] == created["CreationTime"] < updated["LastModifiedTime"]
    assert bare(lambda_client.get_function_url_config(FunctionName=name)) == bare(updated)
    deleted = lambda_client.delete_function_url_config(FunctionName=name)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call in (lambda_client.get_function_url_config, lambda_client.delete_function_url_config):
        assert refused(call, FunctionName=name) == MISSING
    again = lambda_client.create_function_url_config(FunctionName=name, AuthType="NONE")
    assert again["FunctionUrl"] != created["FunctionUrl"]


def test_an_update_changes_what_it_names_and_an_empty_cors_ends_it(
    lambda_client: Any, make_function: Functions
) -> None:
    name = make_function(NOTHING)
    lambda_client.create_function_url_config(
        FunctionName=name, AuthType="NONE", Cors={"MaxAge": 1, "AllowMethods": ["GET"]}
    )
    kept = lambda_client.update_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    assert (kept["AuthType"], kept["Cors"]) == ("AWS_IAM", {"MaxAge": 1, "AllowMethods": ["GET"]})
    replaced = lambda_client.update_function_url_config(FunctionName=name, Cors={"AllowCredentials": True})
    assert (replaced["AuthType"], replaced["Cors"]) == ("AWS_IAM", {"AllowCredentials": True})
    assert "Cors" not in lambda_client.update_function_url_config(FunctionName=name, Cors={})
    assert "Cors" not in lambda_client.get_function_url_config(FunctionName=name)


def test_a_function_has_one_and_each_alias_has_one(lambda_client: Any, make_function: Functions) -> None:
    name = with_aliases(lambda_client, make_function, "live", "test")
    of_function = lambda_client.create_function_url_config(FunctionName=name, AuthType="NONE")
    of_alias = lambda_client.create_function_url_config(FunctionName=f"{name}:live", AuthType="NONE")
    of_other = lambda_client.create_function_url_config(FunctionName=name, Qualifier="test", AuthType="NONE")
    assert len({one["FunctionUrl"] for one in (of_function, of_alias, of_other)}) == 3
    assert [one["FunctionArn"] for one in (of_function, of_alias)] == [arn_of(name), arn_of(name, ":live")]
    assert refused(lambda_client.create_function_url_config, FunctionName=name, Qualifier="live", AuthType="NONE") == (
        "ResourceConflictException",
        f"Failed to create function url config for [functionArn = {arn_of(name, ':live')}]. "
        "Error message:  FunctionUrlConfig exists for this Lambda function",
    )
    lambda_client.update_function_url_config(FunctionName=name, Qualifier="live", AuthType="AWS_IAM")
    auth = {
        one["FunctionArn"]: one["AuthType"]
        for one in lambda_client.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    }
    assert auth == {
        arn_of(name): "NONE",
        arn_of(name, ":live"): "AWS_IAM",
        arn_of(name, ":test"): "NONE",
    }
    lambda_client.delete_function_url_config(FunctionName=name)
    assert refused(lambda_client.get_function_url_config, FunctionName=name) == MISSING
    assert lambda_client.get_function_url_config(FunctionName=arn_of(name, ":live"))["AuthType"] == "AWS_IAM"


def test_urls_are_listed_page_by_page_as_they_come_and_go(lambda_client: Any, make_function: Functions) -> None:
    aliases = [f"a{number}" for number in range(5)]
    name = with_aliases(lambda_client, make_function, *aliases)
    assert lambda_client.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"] == []
    lambda_client.create_function_url_config(FunctionName=name, AuthType="NONE")
    for alias in reversed(aliases):
        lambda_client.create_function_url_config(FunctionName=name, Qualifier=alias, AuthType="NONE")
    arns = [arn_of(name), *(arn_of(name, f":{alias}") for alias in aliases)]
    pages = lambda_client.get_paginator("list_function_url_configs")
    walked = [
        [one["FunctionArn"] for one in page["FunctionUrlConfigs"]]
        for page in pages.paginate(FunctionName=name, PaginationConfig={"PageSize": 3})
    ]
    assert walked == [arns[:3], arns[3:]]
    first = lambda_client.list_function_url_configs(FunctionName=name, MaxItems=2)
    lambda_client.delete_function_url_config(FunctionName=name, Qualifier="a0")
    lambda_client.delete_function_url_config(FunctionName=name, Qualifier="a1")
    rest = lambda_client.list_function_url_configs(FunctionName=name, Marker=first["NextMarker"])
    assert [one["FunctionArn"] for one in rest["FunctionUrlConfigs"]] == arns[3:]
    assert "NextMarker" not in rest
    assert refused(lambda_client.list_function_url_configs, FunctionName=name, Marker="AAAA") == (
        "InvalidParameterValueException",
        "Invalid pagination token",
    )


def test_what_is_not_there(lambda_client: Any, make_function: Functions) -> None:
    name = with_aliases(lambda_client, make_function)
    create, read = lambda_client.create_function_url_config, lambda_client.get_function_url_config
    assert refused(create, FunctionName="nothing-of-the-kind", AuthType="NONE") == NO_FUNCTION
    assert refused(create, FunctionName=name, Qualifier="nothing", AuthType="NONE") == NO_FUNCTION
    assert refused(lambda_client.list_function_url_configs, FunctionName="nothing-of-the-kind") == NO_FUNCTION
    assert refused(read, FunctionName="nothing-of-the-kind") == MISSING
    assert refused(read, FunctionName=name, Qualifier="nothing") == MISSING
    assert refused(lambda_client.update_function_url_config, FunctionName=name, AuthType="NONE") == MISSING
    assert lambda_client.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"] == []


@pytest.mark.parametrize("qualifier", ["1", "$LATEST"])
def test_versions_have_no_urls(lambda_client: Any, make_function: Functions, qualifier: str) -> None:
    name = with_aliases(lambda_client, make_function)
    create = lambda_client.create_function_url_config
    assert refused(create, FunctionName=name, Qualifier=qualifier, AuthType="NONE") == (
        "ValidationException",
        f"1 validation error detected: Value '{qualifier}' at 'qualifier' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)",
    )
    assert refused(create, FunctionName=f"{name}:{qualifier}", AuthType="NONE")[0] == "ValidationException"


def test_what_is_refused_changes_nothing(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING)
    lambda_client.create_function_url_config(FunctionName=name, AuthType="NONE")
    before = bare(lambda_client.get_function_url_config(FunctionName=name))
    wrong: list[dict[str, Any]] = [
        {"AuthType": "IAM"},
        {"InvokeMode": "STREAM"},
        {"AuthType": "AWS_IAM", "Cors": {"MaxAge": 86_401}},
        {"AuthType": "AWS_IAM", "Cors": {"AllowMethods": ["OPTIONS"]}},
    ]
    for change in wrong:
        assert refused(lambda_client.update_function_url_config, FunctionName=name, **change)[0] == (
            "ValidationException"
        )
        assert bare(lambda_client.get_function_url_config(FunctionName=name)) == before
    assert refused(lambda_client.update_function_url_config, FunctionName=name, AuthType="IAM")[1].endswith(
        "Member must satisfy enum value set: [AWS_IAM, NONE]"
    )


def test_urls_outlive_their_alias_and_go_with_their_function(lambda_client: Any, make_function: Functions) -> None:
    name = with_aliases(lambda_client, make_function, "live")
    lambda_client.create_function_url_config(FunctionName=name, AuthType="NONE")
    lambda_client.create_function_url_config(FunctionName=name, Qualifier="live", AuthType="NONE")
    lambda_client.delete_alias(FunctionName=name, Name="live")
    assert lambda_client.get_function_url_config(FunctionName=name, Qualifier="live")["AuthType"] == "NONE"
    lambda_client.delete_function(FunctionName=name)
    for qualifier in ({}, {"Qualifier": "live"}):
        assert refused(lambda_client.get_function_url_config, FunctionName=name, **qualifier) == MISSING
    make_function(NOTHING, FunctionName=name)
    assert lambda_client.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"] == []


def test_a_url_is_the_same_after_a_restart(start_server: Any) -> None:
    server = start_server()
    name = Functions(server.client(), "url")(NOTHING)
    created = server.client().create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    server.kill()
    server.start()
    found = server.client().get_function_url_config(FunctionName=name)["FunctionUrl"]
    assert found.split(".")[0] == created.split(".")[0]
