from dataclasses import replace
from urllib.parse import quote

import pytest

from lampion.aws.model import Operation, ServiceModel
from lampion.aws.router import Router

from .botocore_client import OPERATIONS, ROUTER, SERVICE, botocore_operation, request_of, sample

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_reached_by_the_uri_that_clients_build_and_gets_its_labels_back(name: str):
    shape = botocore_operation(name).input_shape
    members = sample(shape)
    sent = request_of(name, members)
    match = ROUTER.match(sent.method, sent.path, sent.query)
    assert match is not None
    assert match.operation.name == name
    expected = {
        member: str(members[member])
        for member, model in shape.members.items()
        if model.serialization.get("location") == "uri"
    }
    assert match.labels == expected


@pytest.mark.parametrize(
    ("method", "path", "query", "operation", "labels"),
    [
        ("GET", "/2015-03-31/functions", "", "ListFunctions", {}),
        ("GET", "/2015-03-31/functions/", "", "ListFunctions", {}),
        ("POST", "/2015-03-31/functions", "", "CreateFunction", {}),
        ("GET", "/2015-03-31/functions/f", "Qualifier=1", "GetFunction", {"FunctionName": "f"}),
        ("GET", f"/2015-03-31/functions/{ARN}", "", "GetFunction", {"FunctionName": ARN}),
        ("GET", f"/2015-03-31/functions/{quote(ARN, safe='')}", "", "GetFunction", {"FunctionName": ARN}),
        ("POST", "/2015-03-31/functions/f/invocations/", "", "Invoke", {"FunctionName": "f"}),
        ("GET", "/2015-03-31/functions/a%2Fb", "", "GetFunction", {"FunctionName": "a/b"}),
        ("GET", "/2015-03-31/functions/caf%C3%A9+%20x", "", "GetFunction", {"FunctionName": "café+ x"}),
        ("GET", "/2018-10-31/layers", "", "ListLayers", {}),
        ("GET", "/2018-10-31/layers", "find=LayerVersion&Arn=x", "GetLayerVersionByArn", {}),
        ("GET", "/2018-10-31/layers", "Marker=find", "ListLayers", {}),
        (
            "GET",
            "/2019-09-30/functions/f/provisioned-concurrency",
            "List=ALL",
            "ListProvisionedConcurrencyConfigs",
            None,
        ),
        (
            "GET",
            "/2019-09-30/functions/f/provisioned-concurrency",
            "Qualifier=1",
            "GetProvisionedConcurrencyConfig",
            None,
        ),
    ],
)
def test_routes(method: str, path: str, query: str, operation: str, labels: dict[str, str] | None):
    match = ROUTER.match(method, path, query)
    assert match is not None
    assert match.operation.name == operation
    assert match.labels == ({"FunctionName": "f"} if labels is None else labels)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/2015-03-31/functions"),
        ("GET", "/"),
        ("GET", ""),
        ("GET", "2015-03-31/functions"),
        ("GET", "/2015-03-31"),
        ("GET", "/2015-03-31/functions/f/nonsense"),
        ("GET", "/2015-03-31/functions//configuration"),
        ("GET", "/2015-03-31/functions/.."),
        ("GET", "//2015-03-31/functions"),
        ("GET", "/2015-03-31/functions/f/configuration/x/y/z"),
        ("GET", "/" * 5000),
    ],
)
def test_no_operation_is_there(method: str, path: str):
    assert ROUTER.match(method, path) is None


def service_with(*uris: str) -> ServiceModel:
    rows = [Operation(f"Op{n}", "GET", uri, 200, None, None, (), "rest-json", {}) for n, uri in enumerate(uris)]
    return replace(SERVICE, operations={row.name: row for row in rows})


def test_a_literal_segment_wins_over_a_label_and_a_label_over_a_greedy_one():
    router = Router(service_with("/{Bucket}", "/{Bucket}/{Key+}", "/logs", "/logs/{Name}/tail", "/{Bucket}/acl"))

    def found(path: str) -> tuple[str, dict[str, str]]:
        match = router.match("GET", path)
        assert match is not None
        return match.operation.name, match.labels

    assert found("/logs") == ("Op2", {})
    assert found("/b") == ("Op0", {"Bucket": "b"})
    assert found("/logs/n/tail") == ("Op3", {"Name": "n"})
    assert found("/logs/n/head") == ("Op1", {"Bucket": "logs", "Key": "n/head"})
    assert found("/b/acl") == ("Op4", {"Bucket": "b"})
    assert found("/b/k/with%2Fmore/parts") == ("Op1", {"Bucket": "b", "Key": "k/with/more/parts"})


def test_two_operations_at_one_address_are_refused():
    with pytest.raises(ValueError, match="routed like another"):
        Router(service_with("/a/{Name}", "/a/{Other}"))
