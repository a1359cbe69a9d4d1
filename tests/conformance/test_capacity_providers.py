"""boto3 against a live server: capacity providers, and the functions that are to run on them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conformance.refusals import refused
from tests.deployment import creation, unique_name, wait_active, wait_updated

SOURCE = "def handler(event, context):\n    return 'it ran'\n"
OPERATOR = {"CapacityProviderOperatorRoleArn": "arn:aws:iam::123456789012:role/operator"}
VPC = {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
Providers = Callable[..., str]


def provider_arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:capacity-provider:{name}"


def arn(name: str, qualifier: str) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:function:{name}:{qualifier}"


def on(provider: str, **instances: Any) -> dict[str, Any]:
    return {
        "LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": provider_arn(provider), **instances}
    }


def users(client: Any, provider: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    marker: dict[str, str] = {}
    while True:
        page = client.list_function_versions_by_capacity_provider(CapacityProviderName=provider, MaxItems=2, **marker)
        assert page["CapacityProviderArn"] == provider_arn(provider)
        found += page["FunctionVersions"]
        if "NextMarker" not in page:
            return found
        assert len(page["FunctionVersions"]) == 2
        marker = {"Marker": page["NextMarker"]}


@pytest.fixture
def make_provider(lambda_client: Any) -> Iterator[Providers]:
    """Makes capacity providers; the name of each. Deleted at the end, with the functions that use them."""
    made: list[str] = []

    def make(**members: Any) -> str:
        made.append(unique_name("provider"))
        lambda_client.create_capacity_provider(
            **{"CapacityProviderName": made[-1], "VpcConfig": VPC, "PermissionsConfig": OPERATOR, **members}
        )
        return made[-1]

    yield make
    for name in made:
        try:
            names = {user["FunctionArn"].split(":")[6] for user in users(lambda_client, name)}
        except lambda_client.exceptions.ResourceNotFoundException:
            continue
        for function_name in names:
            lambda_client.delete_function(FunctionName=function_name)
        lambda_client.delete_capacity_provider(CapacityProviderName=name)


def test_a_provider_from_its_creation_to_its_end(lambda_client: Any) -> None:
    name = unique_name("provider")
    wanted: dict[str, Any] = {
        "VpcConfig": VPC,
        "PermissionsConfig": OPERATOR,
        "InstanceRequirements": {"Architectures": ["arm64"], "AllowedInstanceTypes": ["m7g.*"]},
        "CapacityProviderScalingConfig": {
            "MaxVCpuCount": 30,
            "ScalingMode": "Manual",
            "ScalingPolicies": [
                {"PredefinedMetricType": "LambdaCapacityProviderAverageCPUUtilization", "TargetValue": 70.5}
            ],
        },
        "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k",
        "PropagateTags": {"Mode": "Explicit", "ExplicitTags": {"team": "a"}},
        "TelemetryConfig": {"LoggingConfig": {"SystemLogLevel": "WARN", "LogGroup": "/mine"}},
    }
    answer = lambda_client.create_capacity_provider(CapacityProviderName=name, Tags={"a": "b"}, **wanted)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    created = answer["CapacityProvider"]
    modified = created["LastModified"]
    kept = {"CapacityProviderArn": provider_arn(name), "LastModified": modified, **wanted}
    assert created == {**kept, "State": "Pending"}
    for spelling in (name, provider_arn(name)):
        found = lambda_client.get_capacity_provider(CapacityProviderName=spelling)["CapacityProvider"]
        assert found == {**kept, "State": "Active"}
    same = lambda_client.update_capacity_provider(CapacityProviderName=name)["CapacityProvider"]
    assert same == {**kept, "State": "Active"}
    answer = lambda_client.update_capacity_provider(
        CapacityProviderName=name,
        CapacityProviderScalingConfig={"MaxVCpuCount": 60},
        PropagateTags={"Mode": "None"},
        TelemetryConfig={"LoggingConfig": {"LogGroup": "/other"}},
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    updated = answer["CapacityProvider"]
    assert updated["CapacityProviderScalingConfig"] == {**wanted["CapacityProviderScalingConfig"], "MaxVCpuCount": 60}
    assert (updated["PropagateTags"], updated["TelemetryConfig"]) == (
        {"Mode": "None"},
        {"LoggingConfig": {"LogGroup": "/other"}},
    )
    assert updated["LastModified"] > modified
    answer = lambda_client.delete_capacity_provider(CapacityProviderName=name)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["CapacityProvider"] == {**updated, "State": "Deleting"}
    for call in (
        lambda_client.get_capacity_provider,
        lambda_client.update_capacity_provider,
        lambda_client.delete_capacity_provider,
        lambda_client.list_function_versions_by_capacity_provider,
    ):
        code, message = refused(call, CapacityProviderName=name)
        assert (code, provider_arn(name) in message) == ("ResourceNotFoundException", True)


def test_what_is_not_asked_for_has_a_default(lambda_client: Any, make_provider: Providers) -> None:
    found = lambda_client.get_capacity_provider(CapacityProviderName=make_provider())["CapacityProvider"]
    assert found["InstanceRequirements"] == {"Architectures": ["x86_64"]}
    assert found["CapacityProviderScalingConfig"] == {"ScalingMode": "Auto"}
    assert not {"KmsKeyArn", "PropagateTags", "TelemetryConfig"} & set(found)


def test_a_name_is_taken_once(lambda_client: Any, make_provider: Providers) -> None:
    name = make_provider()
    again = {"CapacityProviderName": provider_arn(name), "VpcConfig": VPC, "PermissionsConfig": OPERATOR}
    assert refused(lambda_client.create_capacity_provider, **again)[0] == "ResourceConflictException"


def test_a_provider_that_cannot_be_is_not_made(lambda_client: Any) -> None:
    name = unique_name("provider")
    wrong = {"AllowedInstanceTypes": ["a"], "ExcludedInstanceTypes": ["b"]}
    arguments = {"CapacityProviderName": name, "VpcConfig": VPC, "PermissionsConfig": OPERATOR}
    create = lambda_client.create_capacity_provider
    assert refused(create, **arguments, InstanceRequirements=wrong)[0] == "InvalidParameterValueException"
    assert refused(lambda_client.get_capacity_provider, CapacityProviderName=name)[0] == "ResourceNotFoundException"
    elsewhere = {**arguments, "CapacityProviderName": provider_arn(name).replace("us-east-1", "eu-west-1")}
    assert refused(create, **elsewhere)[0] == "ResourceNotFoundException"


def test_providers_are_listed_page_by_page(lambda_client: Any, make_provider: Providers) -> None:
    made = sorted(make_provider() for _ in range(3))
    seen: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = lambda_client.list_capacity_providers(MaxItems=2, State="Active", **marker)
        seen += [one["CapacityProviderArn"].rpartition(":")[2] for one in page["CapacityProviders"]]
        if "NextMarker" not in page:
            break
        assert len(page["CapacityProviders"]) == 2
        marker = {"Marker": page["NextMarker"]}
    assert [one for one in seen if one in made] == made
    assert seen == sorted(set(seen))
    assert lambda_client.list_capacity_providers(State="Deleting")["CapacityProviders"] == []
    assert refused(lambda_client.list_capacity_providers, Marker="forged")[0] == "InvalidParameterValueException"


def test_a_function_uses_a_provider_until_it_is_deleted(lambda_client: Any, make_provider: Providers) -> None:
    first, second, name = make_provider(), make_provider(), unique_name("managed")
    config = on(first, PerExecutionEnvironmentMaxConcurrency=8, ExecutionEnvironmentMemoryGiBPerVCpu=2.0)
    created = lambda_client.create_function(**creation(name, SOURCE, CapacityProviderConfig=config, Publish=True))
    assert (created["CapacityProviderConfig"], created["MemorySize"]) == (config, 2048)
    wait_active(lambda_client, name)
    active = [{"FunctionArn": arn(name, version), "State": "Active"} for version in ("$LATEST", "1")]
    assert users(lambda_client, first) == active
    updated = lambda_client.update_function_configuration(FunctionName=name, CapacityProviderConfig=on(second))
    assert updated["CapacityProviderConfig"] == on(second)
    wait_updated(lambda_client, name)
    lambda_client.publish_version(FunctionName=name)
    assert users(lambda_client, first) == active[1:]
    assert [user["FunctionArn"] for user in users(lambda_client, second)] == [arn(name, "$LATEST"), arn(name, "2")]
    for provider in (first, second):
        code, message = refused(lambda_client.delete_capacity_provider, CapacityProviderName=provider)
        assert (code, provider_arn(provider) in message) == ("ResourceConflictException", True)
    lambda_client.delete_function(FunctionName=name, Qualifier="1")
    assert users(lambda_client, first) == []
    lambda_client.delete_capacity_provider(CapacityProviderName=first)
    lambda_client.delete_function(FunctionName=name)
    lambda_client.delete_capacity_provider(CapacityProviderName=second)


def test_latest_published_is_published_anew(lambda_client: Any, make_provider: Providers) -> None:
    provider, name = make_provider(), unique_name("published")
    published = f"{name}:$LATEST.PUBLISHED"
    made = lambda_client.create_function(
        **creation(name, SOURCE, CapacityProviderConfig=on(provider), MemorySize=2048, PublishTo="LATEST_PUBLISHED")
    )
    assert (made["Version"], made["State"]) == ("$LATEST.PUBLISHED", "Pending")
    wait_active(lambda_client, name)
    found = lambda_client.get_function_configuration(FunctionName=published)
    assert (found["Version"], found["State"], found["MemorySize"]) == ("$LATEST.PUBLISHED", "Active", 2048)
    lambda_client.update_function_configuration(FunctionName=name, MemorySize=4096)
    wait_updated(lambda_client, name)
    assert lambda_client.get_function_configuration(FunctionName=published)["MemorySize"] == 2048
    again = lambda_client.publish_version(FunctionName=name, PublishTo="LATEST_PUBLISHED")
    assert (again["Version"], again["MemorySize"]) == ("$LATEST.PUBLISHED", 4096)
    assert again["FunctionArn"] == arn(name, "$LATEST.PUBLISHED")
    assert lambda_client.publish_version(FunctionName=name)["Version"] == "1"
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST.PUBLISHED")
    listed = lambda_client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in listed] == ["$LATEST", "1", "$LATEST.PUBLISHED"]
    used = {user["FunctionArn"] for user in users(lambda_client, provider)}
    assert arn(name, "$LATEST.PUBLISHED") in used
    where = {"FunctionName": name, "Qualifier": "$LATEST.PUBLISHED"}
    assert refused(lambda_client.delete_function, **where)[0] == "ResourceConflictException"
    lambda_client.delete_alias(FunctionName=name, Name="live")
    lambda_client.delete_function(**where)
    assert refused(lambda_client.get_function, FunctionName=published)[0] == "ResourceNotFoundException"


def test_a_function_without_its_provider_is_not_made(lambda_client: Any, make_provider: Providers) -> None:
    name, absent = unique_name("managed"), unique_name("provider")
    create, get = lambda_client.create_function, lambda_client.get_function
    not_there = ("ResourceNotFoundException", f"Capacity provider not found: {provider_arn(absent)}")
    assert refused(create, **creation(name, SOURCE, CapacityProviderConfig=on(absent))) == not_there
    assert refused(get, FunctionName=name)[0] == "ResourceNotFoundException"
    small = creation(name, SOURCE, CapacityProviderConfig=on(make_provider()), MemorySize=128)
    assert refused(create, **small)[0] == "InvalidParameterValueException"
    assert refused(get, FunctionName=name)[0] == "ResourceNotFoundException"


def test_an_update_that_breaks_a_rule_changes_nothing(lambda_client: Any, make_provider: Providers) -> None:
    provider, managed, plain = make_provider(), unique_name("managed"), unique_name("plain")
    lambda_client.create_function(**creation(managed, SOURCE, CapacityProviderConfig=on(provider)))
    lambda_client.create_function(**creation(plain, SOURCE))
    try:
        for name in (managed, plain):
            wait_active(lambda_client, name)
        update, get = lambda_client.update_function_configuration, lambda_client.get_function_configuration
        wrong = (
            ("InvalidParameterValueException", managed, {"MemorySize": 1024}),
            ("ResourceNotFoundException", managed, {"CapacityProviderConfig": on(unique_name("provider"))}),
            ("InvalidParameterValueException", plain, {"CapacityProviderConfig": on(provider), "MemorySize": 2048}),
        )
        for code, name, change in wrong:
            before = get(FunctionName=name)["RevisionId"]
            assert refused(update, FunctionName=name, **change)[0] == code
            assert get(FunctionName=name)["RevisionId"] == before
        assert [user["FunctionArn"] for user in users(lambda_client, provider)] == [arn(managed, "$LATEST")]
    finally:
        lambda_client.delete_function(FunctionName=plain)
