"""Requests of which every member is right by the model, and which break a rule of the operation itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.conformance.bad_requests.case import Case, Expect
from tests.conformance.bad_requests.catalogue import Known, service_model
from tests.conformance.bad_requests.rendering import rendered
from tests.conformance.bad_requests.standing import (
    ALIAS,
    CONFIG_ARN,
    FUNCTION,
    FUNCTION_ARN,
    LAYER_ARN,
    OF_THE_ACCOUNT,
    ON_PROVIDER,
    PROVIDER,
    QUEUE_ARN,
    SOURCE,
)
from tests.conformance.bad_requests.valid import Texts, asked_rightly
from tests.deployment import zipped

_INVALID: Final = "InvalidParameterValueException"
_CONFLICT: Final = "ResourceConflictException"
_STALE: Final = "PreconditionFailedException"
_MISSING: Final = "ResourceNotFoundException"

_REVISION: Final = "00000000-0000-4000-8000-000000000000"
_STREAM: Final = "arn:aws:kinesis:us-east-1:123456789012:stream/some"
_KAFKA: Final = {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["broker:9092"]}}
_SNAPSHOT: Final = {"ApplyOn": "PublishedVersions"}
_WITHOUT: Final = None
"""A member that is left out."""


@dataclass(frozen=True, slots=True)
class Broken:
    """`members` replace those with which the operation is asked rightly; `code` is the error of the rule."""

    operation: str
    label: str
    members: Mapping[str, Any]
    code: str = _INVALID


def _create(label: str, **members: Any) -> Broken:
    return Broken("CreateFunction", label, members)


def _update(label: str, **members: Any) -> Broken:
    return Broken("UpdateFunctionConfiguration", label, members)


def _map(label: str, **members: Any) -> Broken:
    return Broken("CreateEventSourceMapping", label, members)


_FUNCTIONS: Final = (
    Broken("CreateFunction", "a name that is taken", {"FunctionName": FUNCTION}, _CONFLICT),
    _create("an image with a handler", PackageType="Image", Code={"ImageUri": "some/image:1"}),
    _create("a zip without a handler", Handler=_WITHOUT),
    _create("a zip without a runtime", Runtime=_WITHOUT),
    _create("a zip with an image's settings", ImageConfig={"Command": ["a"]}),
    _create("a zip beside S3", Code={"ZipFile": b"PK", "S3Bucket": "some-bucket", "S3Key": "key"}),
    _create("a bucket without a key", Code={"S3Bucket": "some-bucket"}),
    _create("subnets without groups", VpcConfig={"SubnetIds": ["subnet-1"]}),
    _create("IPv6 without a VPC", VpcConfig={"Ipv6AllowedForDualStack": True}),
    _create("a level for text", LoggingConfig={"LogFormat": "Text", "SystemLogLevel": "WARN"}),
    _create("a log group of AWS", LoggingConfig={"LogGroup": "aws/some"}),
    _create("a variable of Lambda", Environment={"Variables": {"AWS_REGION": "x"}}),
    _create("variables of 5 KB", Environment={"Variables": {"LARGE": "x" * 5000}}),
    _create("a queue in another region", DeadLetterConfig={"TargetArn": "arn:aws:sqs:eu-west-1:123456789012:q"}),
    _create("a bucket for dead letters", DeadLetterConfig={"TargetArn": "arn:aws:s3:us-east-1:123456789012:b"}),
    _create("one layer twice", Layers=[LAYER_ARN, f"{LAYER_ARN.removesuffix('1')}2"]),
    _create("a layer that isn't there", Layers=[f"{LAYER_ARN}7"]),
    _create("a snapshot of an old runtime", Runtime="python3.11", SnapStart=_SNAPSHOT),
    _create("a snapshot and much storage", Runtime="python3.13", SnapStart=_SNAPSHOT, EphemeralStorage={"Size": 1024}),
    _create("an accelerator without a provider", AcceleratorConfig={"AcceleratorMemorySize": 24}),
    _create("too little for a provider", CapacityProviderConfig=ON_PROVIDER, MemorySize=128),
    _create("durable without a time", DurableConfig={"RetentionPeriodInDays": 3}),
    _create("a tag of AWS", Tags={"aws:mine": "x"}),
    _update("a layer that isn't there", Layers=[f"{OF_THE_ACCOUNT}:layer:nothing:1"]),
    _update("a variable of Lambda", Environment={"Variables": {"LAMBDA_TASK_ROOT": "x"}}),
    _update("made durable", DurableConfig={"ExecutionTimeout": 60}),
    _update(
        "a file system outside a VPC",
        FileSystemConfigs=[
            {
                "Arn": "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0",
                "LocalMountPath": "/mnt/files",
            }
        ],
    ),
    Broken("UpdateFunctionConfiguration", "an old revision", {"RevisionId": _REVISION}, _STALE),
    Broken("UpdateFunctionCode", "an old revision", {"RevisionId": _REVISION}, _STALE),
    Broken("UpdateFunctionCode", "an image for a zip", {"ZipFile": _WITHOUT, "ImageUri": "some/image:1"}),
    Broken("UpdateFunctionCode", "no code", {"ZipFile": _WITHOUT}),
    Broken("UpdateFunctionCode", "no zip", {"ZipFile": b"PK\x03\x04 no zip"}),
    Broken("PublishVersion", "other code", {"CodeSha256": "A" * 43 + "="}),
    Broken("PublishVersion", "an old revision", {"RevisionId": _REVISION}, _STALE),
    Broken("DeleteFunction", "$LATEST alone", {"Qualifier": "$LATEST"}),
    Broken("DeleteFunction", "a version with an alias", {"Qualifier": "1"}, _CONFLICT),
)
_AROUND_FUNCTIONS: Final = (
    Broken("CreateAlias", "a name that is taken", {"Name": ALIAS}, _CONFLICT),
    Broken("CreateAlias", "no such version", {"FunctionVersion": "77"}, _MISSING),
    Broken("CreateAlias", "its own version again", {"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}}),
    Broken("CreateAlias", "two more versions", {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1, "3": 0.1}}}),
    Broken("UpdateAlias", "an old revision", {"RevisionId": _REVISION}, _STALE),
    Broken(
        "UpdateAlias",
        "$LATEST and another",
        {"FunctionVersion": "$LATEST", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}},
    ),
    Broken("AddPermission", "a statement that is there", {"StatementId": "standing"}, _CONFLICT),
    Broken("AddPermission", "an old revision", {"RevisionId": _REVISION}, _STALE),
    Broken("AddPermission", "to nobody", {"Principal": "nobody"}),
    Broken("AddPermission", "to $LATEST", {"Qualifier": "$LATEST"}),
    Broken("RemovePermission", "no such statement", {"StatementId": "other"}, _MISSING),
    Broken("RemovePermission", "an old revision", {"RevisionId": _REVISION}, _STALE),
    Broken("PutResourcePolicy", "no JSON", {"Policy": "{"}),
    Broken("PutResourcePolicy", "no statement", {"Policy": '{"Version":"2012-10-17"}'}),
    Broken("PutResourcePolicy", "an old revision", {"RevisionId": _REVISION}, _STALE),
    Broken("DeleteResourcePolicy", "an old revision", {"RevisionId": _REVISION}, _STALE),
    Broken("CreateFunctionUrlConfig", "a second one", {"Qualifier": _WITHOUT}, _CONFLICT),
    Broken("CreateFunctionUrlConfig", "no such alias", {"Qualifier": "nothing"}, _MISSING),
    Broken("UpdateFunctionUrlConfig", "none there", {"Qualifier": ALIAS}, _MISSING),
    Broken("PutFunctionEventInvokeConfig", "nothing said", {"MaximumEventAgeInSeconds": _WITHOUT}),
    Broken(
        "PutFunctionEventInvokeConfig", "itself", {"DestinationConfig": {"OnFailure": {"Destination": FUNCTION_ARN}}}
    ),
    Broken("UpdateFunctionEventInvokeConfig", "none there", {"Qualifier": ALIAS}, _MISSING),
    Broken("PutFunctionConcurrency", "more than the account has", {"ReservedConcurrentExecutions": 100_000}),
    Broken("PutFunctionConcurrency", "less than is provisioned", {"ReservedConcurrentExecutions": 1}),
    Broken("PutProvisionedConcurrencyConfig", "more than is reserved", {"ProvisionedConcurrentExecutions": 21}),
    Broken("PutProvisionedConcurrencyConfig", "$LATEST", {"Qualifier": "$LATEST"}),
    Broken("PutProvisionedConcurrencyConfig", "the alias's version", {"Qualifier": "1"}, _CONFLICT),
    Broken("PutRuntimeManagementConfig", "by hand, to nothing", {"UpdateRuntimeOn": "Manual"}),
    Broken(
        "PutFunctionScalingConfig",
        "crossed bounds",
        {"FunctionScalingConfig": {"MinExecutionEnvironments": 9, "MaxExecutionEnvironments": 1}},
    ),
    Broken("PutFunctionScalingConfig", "no provider", {"FunctionName": FUNCTION}, "AccessDeniedException"),
    Broken("TagResource", "a tag of AWS", {"Tags": {"aws:x": "y"}}),
    Broken("TagResource", "51 tags", {"Tags": {f"tag {number}": "" for number in range(51)}}),
    Broken("TagResource", "a version", {"Resource": f"{FUNCTION_ARN}:1"}),
    Broken("UntagResource", "a tag of AWS", {"TagKeys": ["aws:x"]}),
)
_BESIDE_FUNCTIONS: Final = (
    Broken("AddLayerVersionPermission", "a statement that is there", {"StatementId": "standing"}, _CONFLICT),
    Broken("AddLayerVersionPermission", "an old revision", {"RevisionId": _REVISION}, _STALE),
    Broken("RemoveLayerVersionPermission", "no such statement", {"StatementId": "other"}, _MISSING),
    Broken("GetLayerVersion", "number 0", {"VersionNumber": 0}),
    Broken("PublishLayerVersion", "no content", {"Content": {}}),
    Broken("PublishLayerVersion", "no zip", {"Content": {"ZipFile": b"no zip"}}),
    Broken("DeleteCodeSigningConfig", "one in use", {"CodeSigningConfigArn": CONFIG_ARN}, _CONFLICT),
    Broken(
        "PutFunctionCodeSigningConfig",
        "one that isn't there",
        {"CodeSigningConfigArn": f"{OF_THE_ACCOUNT}:code-signing-config:csc-00000000000000000"},
        "CodeSigningConfigNotFoundException",
    ),
    Broken("CreateCapacityProvider", "a name that is taken", {"CapacityProviderName": PROVIDER}, _CONFLICT),
    Broken(
        "CreateCapacityProvider",
        "types allowed and excluded",
        {"InstanceRequirements": {"AllowedInstanceTypes": ["m7g.large"], "ExcludedInstanceTypes": ["c7g.large"]}},
    ),
    Broken("DeleteCapacityProvider", "one in use", {"CapacityProviderName": PROVIDER}, _CONFLICT),
    _map("no source", EventSourceArn=_WITHOUT),
    _map("two sources", SelfManagedEventSource=_KAFKA, Topics=["topic"]),
    _map("no such function", FunctionName="nothing"),
    _map("a position in a queue", StartingPosition="LATEST"),
    _map("a batch without a window", BatchSize=11),
    _map("a window for FIFO", EventSourceArn=f"{QUEUE_ARN}.fifo", MaximumBatchingWindowInSeconds=1),
    _map("no pattern", FilterCriteria={"Filters": [{"Pattern": "{"}]}),
    _map("too many filters", FilterCriteria={"Filters": [{"Pattern": '{"body":["a"]}'}] * 11}),
    _map("crossed pollers", ProvisionedPollerConfig={"MinimumPollers": 200, "MaximumPollers": 3}),
    _map("no position in a stream", EventSourceArn=_STREAM),
    _map("a time that isn't said", EventSourceArn=_STREAM, StartingPosition="AT_TIMESTAMP"),
    _map(
        "a time to come",
        EventSourceArn=_STREAM,
        StartingPosition="AT_TIMESTAMP",
        StartingPositionTimestamp=4_000_000_000,
    ),
    _map("a young record", EventSourceArn=_STREAM, StartingPosition="LATEST", MaximumRecordAgeInSeconds=7),
    _map(
        "a FIFO queue for failures",
        EventSourceArn=_STREAM,
        StartingPosition="LATEST",
        DestinationConfig={"OnFailure": {"Destination": f"{QUEUE_ARN}.fifo"}},
    ),
    _map("Kafka without topics", EventSourceArn=_WITHOUT, SelfManagedEventSource=_KAFKA),
    _map(
        "a scope without a server",
        EventSourceArn=_WITHOUT,
        SelfManagedEventSource=_KAFKA,
        Topics=["topic"],
        StartingPosition="LATEST",
        SourceAccessConfigurations=[{"Type": "OAUTHBEARER_SCOPE", "URI": "some"}],
    ),
    Broken("CreateEventSourceMapping", "mapped already", {"EventSourceArn": QUEUE_ARN}, _CONFLICT),
    Broken("UpdateEventSourceMapping", "a batch without a window", {"BatchSize": 100}),
    Broken("UpdateEventSourceMapping", "what a queue doesn't take", {"ParallelizationFactor": 2}),
)

BROKEN: Final = (*_FUNCTIONS, *_AROUND_FUNCTIONS, *_BESIDE_FUNCTIONS)


def rule_cases(known: Known) -> Iterator[Case]:
    """One case of each row."""
    model, texts = service_model(), Texts(Random(0))
    for broken in BROKEN:
        operation = model.operation_model(broken.operation)
        members = {**asked_rightly(operation, texts, known), **_fresh_code(broken), **broken.members}
        yield Case(
            label=f"{broken.operation}: {broken.label}",
            operation=broken.operation,
            request=rendered(operation, {name: value for name, value in members.items() if value is not _WITHOUT}),
            expect=Expect.REFUSED,
            code=broken.code,
        )


def _fresh_code(broken: Broken) -> Mapping[str, Any]:
    """Code that nobody has stored yet, so that it is seen when a refused request stores it."""
    package = zipped(f"{SOURCE}# {broken.label}\n")
    match broken.operation:
        case "CreateFunction":
            return {"Code": {"ZipFile": package}}
        case "UpdateFunctionCode":
            return {"ZipFile": package}
    return {}
