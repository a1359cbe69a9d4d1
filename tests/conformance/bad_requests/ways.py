"""Further ways in which operations are asked rightly of what stands on the stage: other sources, kinds, qualifiers."""

from typing import Any, Final

from tests.conformance.bad_requests.catalogue import Ways
from tests.conformance.bad_requests.standing import (
    ALIAS,
    CONFIG_ARN,
    FUNCTION,
    FUNCTION_ARN,
    KAFKA_MAPPING,
    LAYER,
    LAYER_ARN,
    MADE,
    MANAGED,
    MAPPING,
    OF_THE_ACCOUNT,
    ON_PROVIDER,
    OTHER_SOURCE,
    PROVIDER_ARN,
    SECRET_ARN,
    SOURCE,
    VPC,
    kafka,
)
from tests.deployment import creation, zipped

_OF_ALIAS: Final = {"Qualifier": ALIAS}
_OF_VERSION: Final = {"FunctionName": FUNCTION_ARN, "Qualifier": "1"}
_BY_PARTIAL_ARN: Final = {"FunctionName": f"123456789012:function:{FUNCTION}"}
_BASIC: Final = {"Type": "BASIC_AUTH", "URI": SECRET_ARN}
_TAGGED: Final = (
    f"{OF_THE_ACCOUNT}:event-source-mapping:{MAPPING}",
    CONFIG_ARN,
    PROVIDER_ARN,
)
_LAYER_BY_ARN: Final = {"LayerName": LAYER_ARN.removesuffix(":1"), "VersionNumber": 1}


def _made(**members: Any) -> dict[str, Any]:
    return creation(MADE, SOURCE, **members)


def _source(service: str, resource: str, **members: Any) -> dict[str, Any]:
    arn = f"arn:aws:{service}:us-east-1:123456789012:{resource}"
    return {"EventSourceArn": arn, "FunctionName": FUNCTION, **members}


WAYS: Final[Ways] = {
    "CreateFunction": (
        _made(Layers=[LAYER_ARN], Environment={"Variables": {"STAGE": "x"}}, VpcConfig=VPC, Publish=True),
        _made(CapacityProviderConfig=ON_PROVIDER, MemorySize=2048),
        _made(DurableConfig={"ExecutionTimeout": 60}),
        _made(Runtime="python3.13", SnapStart={"ApplyOn": "PublishedVersions"}, CodeSigningConfigArn=CONFIG_ARN),
        _made(LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "WARN"}, Architectures=["x86_64"]),
    ),
    "UpdateFunctionConfiguration": (
        {"FunctionName": MANAGED, "MemorySize": 4096},
        {"Layers": [LAYER_ARN], "VpcConfig": VPC, "Environment": {"Variables": {"STAGE": "x"}}},
        {"LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": "WARN"}},
    ),
    "UpdateFunctionCode": ({"ZipFile": zipped(OTHER_SOURCE), "DryRun": True},),
    "GetFunction": (_OF_ALIAS, _OF_VERSION, _BY_PARTIAL_ARN),
    "GetFunctionConfiguration": (_OF_ALIAS, _OF_VERSION),
    "DeleteFunction": (_BY_PARTIAL_ARN,),
    "ListFunctions": ({"FunctionVersion": "ALL", "MaxItems": 1},),
    "Invoke": (
        {"Payload": b"{}", "LogType": "Tail", **_OF_ALIAS},
        {"Payload": b"{}", "InvocationType": "DryRun", **_OF_VERSION},
        {"ClientContext": "e30="},
    ),
    "ListAliases": ({"FunctionVersion": "1", "MaxItems": 1},),
    "UpdateAlias": ({"Name": ALIAS, "FunctionVersion": "$LATEST"},),
    "AddPermission": (
        {
            **_OF_ALIAS,
            "StatementId": "url",
            "Action": "lambda:InvokeFunctionUrl",
            "Principal": "*",
            "FunctionUrlAuthType": "NONE",
        },
    ),
    "GetRuntimeManagementConfig": (_OF_VERSION,),
    "PutRuntimeManagementConfig": ({**_OF_VERSION, "UpdateRuntimeOn": "Auto"},),
    "PutFunctionEventInvokeConfig": (
        {**_OF_ALIAS, "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:other"}}},
    ),
    "TagResource": tuple({"Resource": arn, "Tags": {"tagged": "yes"}} for arn in _TAGGED),
    "UntagResource": tuple({"Resource": arn, "TagKeys": ["standing"]} for arn in _TAGGED),
    "ListTags": tuple({"Resource": arn} for arn in _TAGGED),
    "GetLayerVersion": (_LAYER_BY_ARN,),
    "GetLayerVersionPolicy": (_LAYER_BY_ARN,),
    "DeleteLayerVersion": (_LAYER_BY_ARN,),
    "ListLayerVersions": ({"LayerName": LAYER, "MaxItems": 1},),
    "ListEventSourceMappings": ({"FunctionName": FUNCTION, "MaxItems": 1},),
    "UpdateEventSourceMapping": (
        {"UUID": KAFKA_MAPPING, "SourceAccessConfigurations": [_BASIC]},
        {"UUID": KAFKA_MAPPING, "ProvisionedPollerConfig": {"MinimumPollers": 1, "MaximumPollers": 2}},
    ),
    "GetEventSourceMapping": ({"UUID": KAFKA_MAPPING},),
    "CreateEventSourceMapping": (
        {"FunctionName": FUNCTION, **kafka("other")},
        _source("kinesis", "stream/other", StartingPosition="LATEST"),
        _source("dynamodb", "table/other/stream/2024-01-01T00:00:00.000", StartingPosition="TRIM_HORIZON"),
        _source("sqs", "other.fifo"),
        _source(
            "kafka", "cluster/other/12345678-1234-1234-1234-123456789012-1", StartingPosition="LATEST", Topics=["topic"]
        ),
        _source("mq", "broker:other:b-12345678", Queues=["q"], SourceAccessConfigurations=[_BASIC]),
        _source(
            "rds",
            "cluster:other",
            StartingPosition="LATEST",
            DocumentDBEventSourceConfig={"DatabaseName": "d"},
            SourceAccessConfigurations=[_BASIC],
        ),
    ),
}
