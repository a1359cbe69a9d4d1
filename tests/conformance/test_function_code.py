"""boto3 against a live server: where a function's code comes from, and what doesn't go with it."""

import json
from contextlib import closing
from typing import Any

import pytest

from tests.conformance.refusals import refused
from tests.deployment import (
    ROLE,
    Functions,
    configuration,
    creation,
    unique_name,
    wait_active,
    wait_updated,
    zipped,
)
from tests.live_server import LiveServer

SOURCE = "def handler(event, context):\n    return 'first'\n"
SECOND = "def handler(event, context):\n    return 'second'\n"
NO_SUCH_CODE = "Please provide a source for function code."
ZIP = zipped(SOURCE)


def invoke(client: Any, name: str) -> Any:
    return json.load(client.invoke(FunctionName=name)["Payload"])


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Code": {}}, NO_SUCH_CODE),
        ({"Code": {"ImageUri": "image"}}, NO_SUCH_CODE),
        ({"Code": {"S3Bucket": "bucket"}}, "S3 Bucket and Key are required for uploading with S3 parameters."),
        (
            {"Code": {"ZipFile": ZIP, "S3Bucket": "bucket", "S3Key": "key"}},
            "Please do not provide other FunctionCode parameters when providing a ZipFile.",
        ),
        (
            {"PackageType": "Image", "Code": {"ImageUri": "image"}},
            "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
        ),
        (
            {"PublishTo": "LATEST_PUBLISHED"},
            "PublishTo LATEST_PUBLISHED is supported only for functions with a capacity provider configuration.",
        ),
        (
            {"DurableConfig": {"RetentionPeriodInDays": 1}},
            "You cannot create a function with a durable configuration without an executionTimeout",
        ),
        (
            {
                "SnapStart": {"ApplyOn": "PublishedVersions"},
                "TenancyConfig": {"TenantIsolationMode": "PER_TENANT"},
                "Runtime": "python3.12",
            },
            "SnapStart is not supported for functions enabled with tenancy configuration.",
        ),
    ],
)
def test_what_does_not_go_together_makes_no_function(lambda_client: Any, members: dict[str, Any], message: str) -> None:
    name = unique_name("refused")
    answer = refused(lambda_client.create_function, **creation(name, SOURCE, **members))
    assert answer == ("InvalidParameterValueException", message)
    assert refused(lambda_client.get_function, FunctionName=name)[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, NO_SUCH_CODE),
        ({"ImageUri": "image"}, "Please don't provide ImageUri when updating a function with packageType Zip."),
        ({"S3Key": "key"}, "S3 Bucket and Key are required for uploading with S3 parameters."),
        (
            {"ZipFile": ZIP, "S3ObjectVersion": "1"},
            "Please do not provide other FunctionCode parameters when providing a ZipFile.",
        ),
        (
            {"ZipFile": ZIP, "PublishTo": "LATEST_PUBLISHED"},
            "PublishTo LATEST_PUBLISHED is supported only for functions with a capacity provider configuration.",
        ),
    ],
)
def test_code_that_is_refused_changes_nothing(
    lambda_client: Any, make_function: Functions, members: dict[str, Any], message: str
) -> None:
    name = make_function(SECOND)
    before = configuration(lambda_client, name)
    answer = refused(lambda_client.update_function_code, FunctionName=name, **members)
    assert answer == ("InvalidParameterValueException", message)
    assert configuration(lambda_client, name) == before
    assert invoke(lambda_client, name) == "second"


@pytest.mark.parametrize(
    ("members", "what"),
    [
        ({"Code": {"S3Bucket": "bucket", "S3Key": "key"}}, "code in S3"),
        ({"Runtime": "custom"}, "a customer-managed runtime"),
    ],
)
def test_what_is_not_built_is_named(lambda_client: Any, members: dict[str, Any], what: str) -> None:
    code, message = refused(lambda_client.create_function, **creation(unique_name(), SOURCE, **members))
    assert (code, what in message) == ("OperationNotImplementedException", True)


def test_an_image_is_no_zip(lambda_client: Any) -> None:
    image = {"FunctionName": unique_name(), "Role": ROLE, "PackageType": "Image"}
    answer = refused(lambda_client.create_function, **image, Code={"ZipFile": ZIP})
    assert answer == ("InvalidParameterValueException", "ImageUri is required.")


def test_the_key_of_the_package_is_shown_with_the_code_it_came_with(
    lambda_client: Any, make_idle: Any, live_server: LiveServer
) -> None:
    with closing(live_server.client("kms")) as kms:
        key_arn = kms.create_key()["KeyMetadata"]["Arn"]
    name = make_idle(Code={"ZipFile": ZIP, "SourceKMSKeyArn": key_arn})["FunctionName"]
    wait_active(lambda_client, name)
    assert lambda_client.get_function(FunctionName=name)["Code"]["SourceKMSKeyArn"] == key_arn
    lambda_client.update_function_code(FunctionName=name, ZipFile=zipped(SECOND))
    wait_updated(lambda_client, name)
    assert "SourceKMSKeyArn" not in lambda_client.get_function(FunctionName=name)["Code"]


def test_a_dry_run_tells_what_would_be_and_changes_nothing(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(SOURCE)
    before = configuration(lambda_client, name)
    dry = lambda_client.update_function_code(FunctionName=name, ZipFile=zipped(SECOND), DryRun=True)
    assert (dry["CodeSha256"] != before["CodeSha256"], dry["RevisionId"]) == (True, before["RevisionId"])
    assert configuration(lambda_client, name) == before
