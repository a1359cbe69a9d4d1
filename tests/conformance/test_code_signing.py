"""boto3 against a live server: code signing configurations, the functions that use them, and packages held to them."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conformance.refusals import refused
from tests.deployment import Functions, creation, unique_name, wait_updated, zipped
from tests.live_server import LiveServer
from tests.signed_package import PROFILE, SIGNATURE_NAME, signed

SOURCE = "def handler(event, context):\n    return 'it ran'\n"
CHANGED = SOURCE + "# changed\n"
ABSENT = "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-0123456789abcdef0"
Configs = Callable[..., str]


@pytest.fixture
def make_config(lambda_client: Any) -> Iterator[Configs]:
    """Makes configurations; the ARN of each. Deleted at the end, with what their users are to them."""
    made: list[str] = []

    def make(policy: str | None = None, **members: Any) -> str:
        policies = {"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": policy}} if policy else {}
        publishers = {"SigningProfileVersionArns": [PROFILE]}
        answer = lambda_client.create_code_signing_config(**{"AllowedPublishers": publishers, **policies, **members})
        made.append(answer["CodeSigningConfig"]["CodeSigningConfigArn"])
        return made[-1]

    yield make
    for arn in made:
        try:
            users = lambda_client.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"]
        except lambda_client.exceptions.ResourceNotFoundException:
            continue
        for user in users:
            lambda_client.delete_function(FunctionName=user)
        lambda_client.delete_code_signing_config(CodeSigningConfigArn=arn)


def untrusted(subject: str) -> tuple[str, str]:
    return (
        "CodeVerificationFailedException",
        "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client "
        f"is not configured to accept. Check the provided signature for {subject}.",
    )


def arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"


def test_a_configuration_from_its_creation_to_its_end(lambda_client: Any) -> None:
    answer = lambda_client.create_code_signing_config(
        Description="ours", AllowedPublishers={"SigningProfileVersionArns": [PROFILE]}, Tags={"a": "b"}
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    config = answer["CodeSigningConfig"]
    assert re.fullmatch(r"csc-[a-z0-9]{17}", config["CodeSigningConfigId"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", config["LastModified"])
    named = config["CodeSigningConfigArn"]
    assert named == f"arn:aws:lambda:us-east-1:123456789012:code-signing-config:{config['CodeSigningConfigId']}"
    assert config["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
    assert lambda_client.get_code_signing_config(CodeSigningConfigArn=named)["CodeSigningConfig"] == config
    assert lambda_client.update_code_signing_config(CodeSigningConfigArn=named)["CodeSigningConfig"] == config
    changed = lambda_client.update_code_signing_config(
        CodeSigningConfigArn=named, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"}
    )["CodeSigningConfig"]
    assert changed["LastModified"] > config["LastModified"]
    enforced = {**config, "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"}}
    assert changed == {**enforced, "LastModified": changed["LastModified"]}
    others = {"Description": "", "AllowedPublishers": {"SigningProfileVersionArns": [PROFILE + "0", PROFILE]}}
    again = lambda_client.update_code_signing_config(CodeSigningConfigArn=named, **others)["CodeSigningConfig"]
    assert again == {**enforced, **others, "LastModified": again["LastModified"]}
    deleted = lambda_client.delete_code_signing_config(CodeSigningConfigArn=named)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    gone = ("ResourceNotFoundException", f"The Lambda code signing configuration {named} can not be found.")
    assert refused(lambda_client.get_code_signing_config, CodeSigningConfigArn=named) == gone
    assert refused(lambda_client.delete_code_signing_config, CodeSigningConfigArn=named) == gone


def test_a_configuration_of_another_region_is_not_there(lambda_client: Any, make_config: Configs) -> None:
    elsewhere = make_config().replace("us-east-1", "eu-west-1")
    code, message = refused(lambda_client.get_code_signing_config, CodeSigningConfigArn=elsewhere)
    assert (code, elsewhere in message) == ("ResourceNotFoundException", True)


def test_configurations_are_listed_page_by_page(lambda_client: Any, make_config: Configs) -> None:
    made = sorted(make_config() for _ in range(5))
    pages = lambda_client.get_paginator("list_code_signing_configs").paginate(PaginationConfig={"PageSize": 2})
    sizes, seen = [], []
    for page in pages:
        sizes.append(len(page["CodeSigningConfigs"]))
        seen += [config["CodeSigningConfigArn"] for config in page["CodeSigningConfigs"]]
    assert [one for one in seen if one in made] == made
    assert seen == sorted(set(seen))
    assert set(sizes[:-1]) == {2}
    whole = lambda_client.list_code_signing_configs()
    assert "NextMarker" not in whole
    code, _ = refused(lambda_client.list_code_signing_configs, Marker="forged")
    assert code == "InvalidParameterValueException"


def test_a_function_takes_a_configuration_and_gives_it_up(
    lambda_client: Any, make_function: Functions, make_config: Configs
) -> None:
    name, first, second = make_function(SOURCE), make_config(), make_config()
    assert set(lambda_client.get_function_code_signing_config(FunctionName=name)) == {"ResponseMetadata"}
    for config in (first, second):
        answer = lambda_client.put_function_code_signing_config(FunctionName=arn(name), CodeSigningConfigArn=config)
        assert (answer["CodeSigningConfigArn"], answer["FunctionName"]) == (config, name)
        answer = lambda_client.get_function_code_signing_config(FunctionName=name)
        assert (answer["CodeSigningConfigArn"], answer["FunctionName"]) == (config, name)
    assert lambda_client.list_functions_by_code_signing_config(CodeSigningConfigArn=first)["FunctionArns"] == []
    listed = lambda_client.list_functions_by_code_signing_config(CodeSigningConfigArn=second)["FunctionArns"]
    assert listed == [arn(name)]
    code, message = refused(lambda_client.delete_code_signing_config, CodeSigningConfigArn=second)
    assert (code, second in message) == ("ResourceConflictException", True)
    lambda_client.get_code_signing_config(CodeSigningConfigArn=second)
    for _ in range(2):
        answer = lambda_client.delete_function_code_signing_config(FunctionName=name)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert lambda_client.list_functions_by_code_signing_config(CodeSigningConfigArn=second)["FunctionArns"] == []
    lambda_client.delete_code_signing_config(CodeSigningConfigArn=second)


def test_only_functions_as_a_whole_use_configurations(
    lambda_client: Any, make_function: Functions, make_config: Configs
) -> None:
    name, config = make_function(SOURCE), make_config()
    put = lambda_client.put_function_code_signing_config
    assert refused(put, FunctionName=f"{name}:1", CodeSigningConfigArn=config)[0] == "InvalidParameterValueException"
    elsewhere = config.replace("us-east-1", "eu-west-1")
    gone = "CodeSigningConfigNotFoundException"
    assert refused(put, FunctionName=name, CodeSigningConfigArn=elsewhere)[0] == gone
    assert "CodeSigningConfigArn" not in lambda_client.get_function_code_signing_config(FunctionName=name)


def test_users_are_listed_page_by_page_and_go_when_they_are_deleted(
    lambda_client: Any, make_function: Functions, make_config: Configs
) -> None:
    config = make_config()
    names = [make_function(SOURCE, CodeSigningConfigArn=config) for _ in range(3)]
    pages = lambda_client.get_paginator("list_functions_by_code_signing_config")
    found = list(pages.paginate(CodeSigningConfigArn=config, PaginationConfig={"PageSize": 2}))
    assert [len(page["FunctionArns"]) for page in found] == [2, 1]
    assert [one for page in found for one in page["FunctionArns"]] == sorted(map(arn, names))
    for name in names:
        lambda_client.delete_function(FunctionName=name)
    lambda_client.delete_code_signing_config(CodeSigningConfigArn=config)


def test_a_function_is_not_created_with_a_configuration_that_is_not_there(lambda_client: Any) -> None:
    name = unique_name("unsigned")
    code, message = refused(lambda_client.create_function, **creation(name, SOURCE, CodeSigningConfigArn=ABSENT))
    assert (code, message) == (
        "CodeSigningConfigNotFoundException",
        "The code signing configuration cannot be found. "
        f"Check that the provided configuration is not deleted: {ABSENT}.",
    )
    assert refused(lambda_client.get_function, FunctionName=name)[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "package",
    [
        zipped(SOURCE),
        signed(SOURCE),
        signed(SOURCE, profile=PROFILE + "0"),
        signed(SOURCE, expiry="20200101000000.000Z"),
    ],
    ids=["unsigned", "of an allowed profile", "of another profile", "expired"],
)
def test_nothing_that_could_be_forged_passes_under_enforce(
    lambda_client: Any, make_function: Functions, make_config: Configs, package: bytes
) -> None:
    config, name = make_config("Enforce"), unique_name("enforced")
    create = {**creation(name, SOURCE, CodeSigningConfigArn=config), "Code": {"ZipFile": package}}
    assert refused(lambda_client.create_function, **create) == untrusted(name)
    assert refused(lambda_client.get_function, FunctionName=name)[0] == "ResourceNotFoundException"
    existing = make_function(SOURCE)
    before = lambda_client.get_function_configuration(FunctionName=existing)
    lambda_client.put_function_code_signing_config(FunctionName=existing, CodeSigningConfigArn=config)
    for dry_run in (True, False):
        update = {"FunctionName": existing, "ZipFile": package, "DryRun": dry_run}
        assert refused(lambda_client.update_function_code, **update) == untrusted(arn(existing))
    after = lambda_client.get_function_configuration(FunctionName=existing)
    assert (after["RevisionId"], after["CodeSha256"]) == (before["RevisionId"], before["CodeSha256"])
    assert lambda_client.invoke(FunctionName=existing)["Payload"].read() == b'"it ran"'
    lambda_client.delete_function_code_signing_config(FunctionName=existing)
    lambda_client.update_function_code(FunctionName=existing, ZipFile=zipped(CHANGED))


def test_under_warn_a_package_passes_and_the_log_says_why_it_is_not_trusted(
    lambda_client: Any, live_server: LiveServer, make_function: Functions, make_config: Configs
) -> None:
    config = make_config("Warn")
    name = make_function(SOURCE, CodeSigningConfigArn=config)
    assert (
        f"package for {name} isn't trusted ({config.rpartition(':')[2]}, Warn): it isn't signed" in live_server.output
    )
    changed = lambda_client.update_function_code(FunctionName=name, ZipFile=signed(CHANGED))
    wait_updated(lambda_client, name)
    assert "which Lampion has no means to verify" in live_server.output
    assert not {"SigningProfileVersionArn", "SigningJobArn"} & set(changed)  # a claim is no proof
    assert lambda_client.invoke(FunctionName=name)["Payload"].read() == b'"it ran"'


@pytest.mark.parametrize("policy", ["Warn", "Enforce"])
def test_a_damaged_signature_is_refused_under_either_policy(
    lambda_client: Any, make_config: Configs, policy: str
) -> None:
    name, config = unique_name("damaged"), make_config(policy)
    damaged = b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n"
    package: dict[str, str | bytes] = {"index.py": SOURCE, SIGNATURE_NAME: damaged}
    refusal = refused(lambda_client.create_function, **creation(name, package, CodeSigningConfigArn=config))
    assert refusal[0] == "InvalidCodeSignatureException"
    assert refused(lambda_client.get_function, FunctionName=name)[0] == "ResourceNotFoundException"


def test_a_package_is_not_looked_at_where_no_configuration_is(make_function: Functions) -> None:
    make_function({"index.py": SOURCE, SIGNATURE_NAME: b"of something else"})
