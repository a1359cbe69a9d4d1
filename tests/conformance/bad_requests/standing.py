"""What stands on the stage all the time: how each thing is made.

Some things get other ids whenever they are made, or numbers that are never given again. Cases, which are made once,
have stand-ins for those ids; the stage puts the present ones in their place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.conformance.bad_requests.database import Subject
from tests.deployment import creation, zipped

FUNCTION: Final = "bad-requests-standing"
MANAGED: Final = "bad-requests-managed"
"""A function on a capacity provider."""
ALIAS: Final = "live"
PROVIDER: Final = "bad-requests-provider"
SPARE_PROVIDER: Final = "bad-requests-spare-provider"
MADE: Final = "bad-requests-made"

LAYER: Final = "bad-requests-layer-stand-in"
MAPPING: Final = "5d5d5d5d-0000-4000-8000-5d5d5d5d5d5d"
CONFIG: Final = "csc-00000standin1used"
SPARE_CONFIG: Final = "csc-0000standin1spare"
KAFKA_MAPPING: Final = "6e6e6e6e-0000-4000-8000-6e6e6e6e6e6e"
QUEUE: Final = "bad-requests-queue-stand-in"
BROKER: Final = "broker-stand-in"
"""Stand-ins, which have the form of what they stand for."""

OF_THE_ACCOUNT: Final = "arn:aws:lambda:us-east-1:123456789012"
FUNCTION_ARN: Final = f"{OF_THE_ACCOUNT}:function:{FUNCTION}"
PROVIDER_ARN: Final = f"{OF_THE_ACCOUNT}:capacity-provider:{PROVIDER}"
LAYER_ARN: Final = f"{OF_THE_ACCOUNT}:layer:{LAYER}:1"
CONFIG_ARN: Final = f"{OF_THE_ACCOUNT}:code-signing-config:{CONFIG}"
SPARE_CONFIG_ARN: Final = f"{OF_THE_ACCOUNT}:code-signing-config:{SPARE_CONFIG}"
QUEUE_ARN: Final = f"arn:aws:sqs:us-east-1:123456789012:{QUEUE}"
OTHER_QUEUE_ARN: Final = "arn:aws:sqs:us-east-1:123456789012:other"

SOURCE: Final = "def handler(event, context):\n    return event\n"
OTHER_SOURCE: Final = SOURCE + "\n# changed\n"
CONTENT: Final = {"ZipFile": zipped({"python/layered.py": "VALUE = 1\n"})}
_WHOLE_CORE_MIB: Final = 1769
"""So that how long a large event takes is no question of the function's share of a processor."""

_TAGS: Final = {"standing": "yes"}
VPC: Final = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
PROVIDER_MEMBERS: Final = {
    "VpcConfig": VPC,
    "PermissionsConfig": {"CapacityProviderOperatorRoleArn": "arn:aws:iam::123456789012:role/operator"},
}
PUBLISHERS: Final = {
    "SigningProfileVersionArns": ["arn:aws:signer:us-east-1:123456789012:/signing-profiles/mine/abcdefghij"]
}
SECRET_ARN: Final = "arn:aws:secretsmanager:us-east-1:123456789012:secret:some-abcdef"
ON_PROVIDER: Final = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": PROVIDER_ARN}}


def kafka(broker: str) -> dict[str, Any]:
    """Members with which a mapping of brokers of one's own is made."""
    return {
        "SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": [f"{broker}:9092"]}},
        "Topics": ["topic"],
        "StartingPosition": "LATEST",
        "SourceAccessConfigurations": [{"Type": "BASIC_AUTH", "URI": SECRET_ARN}],
    }


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that must be accepted."""

    operation: str
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Thing:
    """What stands under a name or stand-in; `made` by these requests in this order, the function settled in between.

    It is made anew when one of `needs` is. `renewed` is the stand-in of a text that no other may have had; `told` finds
    in the answer what the name stands for.
    """

    kind: str
    name: str
    made: tuple[Ask, ...]
    needs: tuple[str, ...] = ()
    renewed: str = ""
    told: Callable[[Mapping[str, Any]], str] | None = None


def _of_function(operation: str, **members: Any) -> Ask:
    return Ask(operation, {"FunctionName": FUNCTION, **members})


def _of_layer(operation: str, **members: Any) -> Ask:
    return Ask(operation, {"LayerName": LAYER, **members})


def _statement(action: str, principal: str) -> dict[str, str]:
    return {"StatementId": "standing", "Action": action, "Principal": principal}


def _config(name: str) -> Thing:
    ask = Ask("CreateCodeSigningConfig", {"AllowedPublishers": PUBLISHERS, "Tags": _TAGS})
    return Thing(
        "code-signing-config", name, (ask,), told=lambda it: str(it["CodeSigningConfig"]["CodeSigningConfigId"])
    )


def _mapping(name: str, renewed: str, **members: Any) -> Thing:
    ask = Ask("CreateEventSourceMapping", {"FunctionName": FUNCTION, "Tags": _TAGS, **members})
    return Thing("event source mapping", name, (ask,), renewed=renewed, told=lambda it: str(it["UUID"]))


THINGS: Final = (
    _config(CONFIG),
    _config(SPARE_CONFIG),
    Thing(
        "capacity-provider",
        PROVIDER,
        (Ask("CreateCapacityProvider", {"CapacityProviderName": PROVIDER, "Tags": _TAGS, **PROVIDER_MEMBERS}),),
    ),
    Thing(
        "capacity-provider",
        SPARE_PROVIDER,
        (Ask("CreateCapacityProvider", {"CapacityProviderName": SPARE_PROVIDER, **PROVIDER_MEMBERS}),),
    ),
    Thing(
        "layer",
        LAYER,
        (
            _of_layer("PublishLayerVersion", Content=CONTENT),
            _of_layer("AddLayerVersionPermission", VersionNumber=1, **_statement("lambda:GetLayerVersion", "*")),
        ),
        renewed=LAYER,
    ),
    Thing(
        "function",
        FUNCTION,
        (
            Ask("CreateFunction", creation(FUNCTION, SOURCE, MemorySize=_WHOLE_CORE_MIB, Tags=_TAGS)),
            _of_function("PublishVersion"),
            _of_function("UpdateFunctionConfiguration", Description="changed since version 1"),
            _of_function("CreateAlias", Name=ALIAS, FunctionVersion="1"),
            _of_function("AddPermission", **_statement("lambda:InvokeFunction", "s3.amazonaws.com")),
            _of_function("CreateFunctionUrlConfig", AuthType="AWS_IAM"),
            _of_function("PutFunctionEventInvokeConfig", MaximumRetryAttempts=1),
            _of_function("PutFunctionConcurrency", ReservedConcurrentExecutions=20),
            _of_function("PutProvisionedConcurrencyConfig", Qualifier=ALIAS, ProvisionedConcurrentExecutions=2),
            _of_function("PutFunctionRecursionConfig", RecursiveLoop="Allow"),
            _of_function("PutFunctionCodeSigningConfig", CodeSigningConfigArn=CONFIG_ARN),
        ),
        needs=(CONFIG,),
    ),
    Thing(
        "function",
        MANAGED,
        (
            Ask("CreateFunction", creation(MANAGED, SOURCE, MemorySize=2048, CapacityProviderConfig=ON_PROVIDER)),
            Ask("PublishVersion", {"FunctionName": MANAGED}),
            Ask(
                "PutFunctionScalingConfig",
                {
                    "FunctionName": MANAGED,
                    "Qualifier": "1",
                    "FunctionScalingConfig": {"MinExecutionEnvironments": 1},
                },
            ),
        ),
        needs=(PROVIDER,),
    ),
    _mapping(MAPPING, QUEUE, EventSourceArn=QUEUE_ARN),
    _mapping(KAFKA_MAPPING, BROKER, **kafka(BROKER)),
)
"""In the order in which they are made."""


def subject(thing: Thing, present: Mapping[str, str]) -> Subject:
    """Which rows are the thing's; `present` has what stand-ins stand for."""
    return Subject(thing.kind, present.get(thing.name, thing.name))
