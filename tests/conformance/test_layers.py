"""boto3 against a live server: layers as resources, and what functions may name of them."""

import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.recorded.handlers import package
from tests.deployment import Functions, creation, unique_name, zipped
from tests.live_server import LiveServer

ARN = "arn:aws:lambda:us-east-1:123456789012:layer"
SOURCE = "def handler(event, context):\n    return 1\n"


def publish(client: Any, name: str, files: dict[str, str | bytes] | None = None, **arguments: Any) -> Any:
    content = {"ZipFile": package(files or {"python/m.py": f"# {name}"})}
    return client.publish_layer_version(LayerName=name, Content=content, **arguments)


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str, int]:
    """Code, message and status of the error that the call is answered with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response
    return error["Error"]["Code"], error["Error"]["Message"], error["ResponseMetadata"]["HTTPStatusCode"]


def numbers(client: Any, name: str, **arguments: Any) -> list[int]:
    return [one["Version"] for one in client.list_layer_versions(LayerName=name, **arguments)["LayerVersions"]]


@pytest.fixture
def layer() -> str:
    return unique_name("layer")


def test_a_version_is_published_read_and_downloaded(lambda_client: Any, layer: str) -> None:
    about = {"Description": "of use", "LicenseInfo": "MIT"}
    compatible = {"CompatibleRuntimes": ["python3.12"], "CompatibleArchitectures": ["arm64", "x86_64"]}
    published = publish(lambda_client, layer, {"a": "b"}, **about, **compatible)
    assert published["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert {name: published[name] for name in (*about, *compatible)} == {**about, **compatible}
    assert (published["LayerArn"], published["Version"]) == (f"{ARN}:{layer}", 1)
    assert published["LayerVersionArn"] == f"{ARN}:{layer}:1"

    for found in (
        lambda_client.get_layer_version(LayerName=layer, VersionNumber=1),
        lambda_client.get_layer_version(LayerName=f"{ARN}:{layer}", VersionNumber=1),
        lambda_client.get_layer_version_by_arn(Arn=f"{ARN}:{layer}:1"),
    ):
        content = {name: found["Content"][name] for name in ("CodeSha256", "CodeSize")}
        assert content.items() <= published["Content"].items()
        assert _without(found, "Content", "ResponseMetadata") == _without(published, "Content", "ResponseMetadata")
        with urllib.request.urlopen(found["Content"]["Location"], timeout=10) as answer:
            assert answer.read() == package({"a": "b"})


def _without(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in names}


def test_absent_and_empty_lists_are_told_apart(lambda_client: Any, layer: str) -> None:
    first = publish(lambda_client, layer)
    assert not {"CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"} & set(first)
    assert first["Description"] == ""
    second = publish(lambda_client, layer, CompatibleRuntimes=[], CompatibleArchitectures=[])
    assert (second["CompatibleRuntimes"], second["CompatibleArchitectures"]) == ([], [])
    listed = lambda_client.list_layer_versions(LayerName=layer)["LayerVersions"]
    assert ["CompatibleRuntimes" in one for one in listed] == [True, False]


def test_numbers_are_never_given_again(lambda_client: Any, layer: str) -> None:
    for number in (1, 2, 3):
        assert publish(lambda_client, layer)["Version"] == number
    for number in (3, 1, 2):
        for _ in range(2):
            answer = lambda_client.delete_layer_version(LayerName=layer, VersionNumber=number)
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert numbers(lambda_client, layer) == []
    assert layer not in _names(lambda_client)
    gone = refusal(lambda_client.get_layer_version, LayerName=layer, VersionNumber=3)
    assert gone == ("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    assert publish(lambda_client, layer)["Version"] == 4
    assert numbers(lambda_client, layer) == [4]


def test_publishers_at_the_same_time_get_a_number_each(lambda_client: Any, layer: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        published = list(threads.map(lambda _: publish(lambda_client, layer)["Version"], range(24)))
    assert sorted(published) == list(range(1, 25))


def _names(client: Any, **arguments: Any) -> list[str]:
    pages = client.get_paginator("list_layers").paginate(**arguments)
    return [one["LayerName"] for page in pages for one in page["Layers"]]


def test_lists_show_what_says_that_it_is_compatible(lambda_client: Any, layer: str) -> None:
    publish(lambda_client, layer, CompatibleRuntimes=["python3.12"], CompatibleArchitectures=["arm64"])
    publish(lambda_client, layer, CompatibleRuntimes=["python3.12", "python3.13"])
    publish(lambda_client, layer)
    assert numbers(lambda_client, layer) == [3, 2, 1]
    assert numbers(lambda_client, layer, CompatibleRuntime="python3.12") == [2, 1]
    assert numbers(lambda_client, layer, CompatibleArchitecture="arm64") == [1]
    assert numbers(lambda_client, layer, CompatibleRuntime="python3.13", CompatibleArchitecture="arm64") == []

    def newest(**arguments: Any) -> list[int]:
        found = lambda_client.list_layers(**arguments)["Layers"]
        return [one["LatestMatchingVersion"]["Version"] for one in found if one["LayerName"] == layer]

    assert newest() == [3]
    assert newest(CompatibleRuntime="python3.12") == [2]
    assert newest(CompatibleArchitecture="arm64", CompatibleRuntime="python3.12") == [1]
    assert newest(CompatibleRuntime="nodejs20.x") == []


def test_pages_go_on_correctly_when_versions_come_and_go(private_server: LiveServer) -> None:
    client = private_server.client()
    for name in ("a", "b", "c", "d"):
        for _ in range(3):
            publish(client, name)
    first = client.list_layers(MaxItems=2)
    assert [one["LayerName"] for one in first["Layers"]] == ["a", "b"]
    client.delete_layer_version(LayerName="c", VersionNumber=3)
    publish(client, "aa")
    second = client.list_layers(MaxItems=2, Marker=first["NextMarker"])
    assert [one["LayerName"] for one in second["Layers"]] == ["c", "d"]
    assert second["Layers"][0]["LatestMatchingVersion"]["Version"] == 2
    assert "NextMarker" not in second

    first = client.list_layer_versions(LayerName="a", MaxItems=2)
    assert [one["Version"] for one in first["LayerVersions"]] == [3, 2]
    publish(client, "a")
    client.delete_layer_version(LayerName="a", VersionNumber=2)
    second = client.list_layer_versions(LayerName="a", MaxItems=2, Marker=first["NextMarker"])
    assert [one["Version"] for one in second["LayerVersions"]] == [1]
    assert "NextMarker" not in second
    refused = refusal(client.list_layer_versions, LayerName="a", Marker=client.list_layers(MaxItems=1)["NextMarker"])
    assert refused == ("InvalidParameterValueException", "Invalid pagination token", 400)
    client.close()


def test_a_layer_of_more_versions_than_a_page_of_the_store_is_listed_whole(lambda_client: Any, layer: str) -> None:
    for _ in range(120):
        publish(lambda_client, layer)
    pages = lambda_client.get_paginator("list_layer_versions").paginate(LayerName=layer)
    found = [one["Version"] for page in pages for one in page["LayerVersions"]]
    assert found == list(range(120, 0, -1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Uploaded file must be a non-empty zip"),
        (b"PK no zip", "Could not unzip uploaded file. Please check your file, then try to upload again."),
        (zipped({}), "Uploaded file must be a non-empty zip"),
        (zipped({"../up": "x"}), "Could not unzip uploaded file. Please check your file, then try to upload again."),
    ],
)
def test_a_bad_zip_is_no_version(lambda_client: Any, layer: str, content: bytes, message: str) -> None:
    refused = refusal(lambda_client.publish_layer_version, LayerName=layer, Content={"ZipFile": content})
    assert refused == ("InvalidParameterValueException", message, 400)
    assert publish(lambda_client, layer)["Version"] == 1


def test_content_in_s3_is_refused_by_name(lambda_client: Any, layer: str) -> None:
    content = {"S3Bucket": "bucket", "S3Key": "key"}
    code, message, status = refusal(lambda_client.publish_layer_version, LayerName=layer, Content=content)
    assert (code, status) == ("OperationNotImplementedException", 501)
    assert "PublishLayerVersion with content in S3" in message


@pytest.mark.parametrize("operation", ["get_layer_version", "delete_layer_version", "get_layer_version_policy"])
@pytest.mark.parametrize("number", [0, -1])
def test_there_is_no_version_below_one(lambda_client: Any, operation: str, number: int) -> None:
    refused = refusal(getattr(lambda_client, operation), LayerName="any", VersionNumber=number)
    assert refused == ("InvalidParameterValueException", "Layer Version Cannot be less than 1", 400)


def test_a_function_shows_its_layers(lambda_client: Any, make_function: Functions, layer: str) -> None:
    sizes = [publish(lambda_client, name, {"a": name})["Content"]["CodeSize"] for name in (layer, f"{layer}-2")]
    arns = [f"{ARN}:{layer}:1", f"{ARN}:{layer}-2:1"]
    shown = [{"Arn": arn, "CodeSize": size} for arn, size in zip(arns, sizes, strict=True)]
    name = make_function(SOURCE, Layers=arns)
    assert lambda_client.get_function(FunctionName=name)["Configuration"]["Layers"] == shown
    pages = lambda_client.get_paginator("list_functions").paginate()
    listed = next(one for page in pages for one in page["Functions"] if one["FunctionName"] == name)
    assert listed["Layers"] == shown

    def update(**arguments: Any) -> Any:
        lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        return lambda_client.update_function_configuration(FunctionName=name, **arguments)

    assert update(Description="other")["Layers"] == shown
    assert update(Layers=arns[1:])["Layers"] == shown[1:]
    assert lambda_client.publish_version(FunctionName=_updated(lambda_client, name))["Layers"] == shown[1:]
    assert "Layers" not in update(Layers=[])
    kept = lambda_client.get_function_configuration(FunctionName=name, Qualifier="1")
    assert kept["Layers"] == shown[1:]


def _updated(client: Any, name: str) -> str:
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    return name


def test_what_a_function_cannot_name(lambda_client: Any, make_function: Functions, layer: str) -> None:
    for _ in range(2):
        publish(lambda_client, layer)
    arn, other = f"{ARN}:{layer}", "arn:aws:lambda:eu-west-1:123456789012:layer"
    cases = [
        ([f"{arn}:3"], f"Layer version {arn}:3 does not exist."),
        ([f"{arn}-absent:1"], f"Layer version {arn}-absent:1 does not exist."),
        (
            [f"{arn}:1", f"{arn}:2"],
            "Two different versions of the same layer are not allowed to be referenced in the same function. "
            f"{arn}:1 and {arn}:2 are versions of the same layer.",
        ),
        (
            [f"{other}:{layer}:1"],
            "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.",
        ),
        ([f"{arn}-{number}:1" for number in range(6)], "Cannot reference more than 5 layers."),
    ]
    name = make_function(SOURCE)
    before = lambda_client.get_function_configuration(FunctionName=name)
    for arns, message in cases:
        refused = ("InvalidParameterValueException", message, 400)
        assert refusal(lambda_client.update_function_configuration, FunctionName=name, Layers=arns) == refused
        created = creation(unique_name("refused"), SOURCE, Layers=arns)
        assert refusal(lambda_client.create_function, **created) == refused
        assert refusal(lambda_client.get_function, FunctionName=created["FunctionName"])[2] == 404
    after = lambda_client.get_function_configuration(FunctionName=name)
    assert _without(after, "ResponseMetadata") == _without(before, "ResponseMetadata")


def test_a_deleted_version_stays_with_who_has_it_and_is_given_to_nobody(
    lambda_client: Any, make_function: Functions, layer: str
) -> None:
    arn = publish(lambda_client, layer)["LayerVersionArn"]
    name = make_function(SOURCE, Layers=[arn])
    lambda_client.delete_layer_version(LayerName=layer, VersionNumber=1)
    updated = lambda_client.update_function_configuration(FunctionName=name, Description="new")
    assert [one["Arn"] for one in updated["Layers"]] == [arn]
    _updated(lambda_client, name)
    refused = ("InvalidParameterValueException", f"Layer version {arn} does not exist.", 400)
    assert refusal(lambda_client.update_function_configuration, FunctionName=name, Layers=[arn]) == refused
    assert refusal(lambda_client.create_function, **creation(unique_name(), SOURCE, Layers=[arn])) == refused


def test_layers_and_code_may_not_be_too_large_together(
    lambda_client: Any, make_function: Functions, layer: str
) -> None:
    """250 MB unzipped; zeros, for the test's sake."""
    half, most = 131_072_000, 262_144_000
    for number in range(3):
        publish(lambda_client, f"{layer}-{number}", {"zeros": bytes(half)})
    arns = [f"{ARN}:{layer}-{number}:1" for number in range(3)]
    name = make_function(SOURCE, Layers=arns[:1])

    def refused(message: str) -> tuple[str, str, int]:
        return "InvalidParameterValueException", message, 400

    update = lambda_client.update_function_configuration
    too_large = refused(f"Layers consume more than the available size of {most} bytes")
    assert refusal(update, FunctionName=name, Layers=arns) == too_large
    combined = (
        f"Function code combined with layers exceeds the maximum allowed size of {most} bytes. "
        f"The actual size is {most + len(SOURCE)} bytes."
    )
    assert refusal(update, FunctionName=name, Layers=arns[:2]) == refused(combined)
    created = creation(unique_name(), SOURCE, Layers=arns[:2])
    assert refusal(lambda_client.create_function, **created) == refused(combined)
    code = package({"index.py": SOURCE, "zeros": bytes(half)})
    assert refusal(lambda_client.update_function_code, FunctionName=name, ZipFile=code) == refused(combined)
    lambda_client.update_function_code(FunctionName=name, ZipFile=package({"index.py": "", "zeros": bytes(half)}))
