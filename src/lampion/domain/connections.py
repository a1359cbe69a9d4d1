"""What a function is connected to outside itself: a VPC, a file system, a dead-letter target, keys. Pure.

Whether those exist is the knowledge of other services; here is what their names and combinations say already. Texts are
those that AWS answered to others (2026), unless a comment says otherwise.
"""

from collections.abc import Mapping
from typing import Any, Final

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import Document, FunctionConfiguration

NO_VPC: Final[Mapping[str, Any]] = {"SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": False}

_ARN_PARTS: Final = 6
_DEAD_LETTER_KINDS: Final = {"sqs": "SQS queue", "sns": "SNS topic"}


def check_connections(configuration: FunctionConfiguration, *, region: str) -> None:
    """Everything that can be said of a function's connections by their names; `region` is the function's.

    Raises InvalidParameterValueException.
    """
    _check_vpc(configuration.vpc_config)
    _check_file_systems(configuration, region)
    if configuration.dead_letter_config is not None:
        _check_dead_letter_target(configuration.dead_letter_config["TargetArn"], region)
    _check_keys(configuration, region)


def changed_vpc_config(present: Document | None, sent: Document) -> Document:
    """Members that a request doesn't send stay as they are, as Ipv6AllowedForDualStack does when a VPC is left."""
    return {**NO_VPC, **(present or {}), **sent}


def new_dead_letter_config(sent: Document) -> Document | None:
    """What CreateFunction makes of a DeadLetterConfig. Raises InvalidParameterValueException for an empty ARN."""
    if sent.get("TargetArn") == "":
        raise _bad_target("ARNs must start with 'arn:'")
    return changed_dead_letter_config(sent)


def changed_dead_letter_config(sent: Document) -> Document | None:
    """An update without a target, or with an empty one, takes the dead-letter queue away."""
    return {"TargetArn": sent["TargetArn"]} if sent.get("TargetArn") else None


def is_in_vpc(configuration: FunctionConfiguration) -> bool:
    return bool((configuration.vpc_config or {}).get("SubnetIds"))


def _check_vpc(vpc_config: Document | None) -> None:
    if vpc_config is None:
        return
    has_subnets, has_groups = bool(vpc_config.get("SubnetIds")), bool(vpc_config.get("SecurityGroupIds"))
    if has_subnets != has_groups:
        raise InvalidParameterValueException("SubnetIds and SecurityIds must coexist or be both empty list.")
    if vpc_config.get("Ipv6AllowedForDualStack") and not has_subnets:
        raise InvalidParameterValueException(
            "Ipv6AllowedForDualStack cannot be true without subnet or security groups. "
            "Please remove Ipv6AllowedForDualStack value from your request and try again."
        )


def _check_file_systems(configuration: FunctionConfiguration, region: str) -> None:
    for file_system in configuration.file_system_configs:
        arn = file_system["Arn"]
        if "S3FilesConfig" in file_system and _arn_part(arn, 2) != "s3files":
            # The model documents the refusal; its text isn't known.
            raise InvalidParameterValueException(
                f"S3FilesConfig is valid only for an Amazon S3 Files access point, which {arn} is not."
            )
        if not is_in_vpc(configuration):
            raise InvalidParameterValueException(
                f"Function must be configured to execute in a VPC to reference access point {arn}. "
                "Please update the function configuration to include VPC subnets and security groups."
            )
        if file_system["LocalMountPath"].rpartition("/")[2] in (".", ".."):
            # The model's pattern allows it; what AWS answers isn't known.
            raise InvalidParameterValueException(
                f"LocalMountPath {file_system['LocalMountPath']} must name a directory in /mnt."
            )
        if _arn_part(arn, 3) != region:
            # That a function mounts what is in its own region is documented; the text isn't known.
            raise InvalidParameterValueException(
                f"The access point {arn} must be in the same region as the Lambda function it's associated with."
            )


def _check_dead_letter_target(arn: str, region: str) -> None:
    service = _arn_part(arn, 2)
    if service not in _DEAD_LETTER_KINDS:
        raise _bad_target("The service specified by the TargetArn is not supported for dead letter configuration.")
    if _arn_part(arn, 3) != region:
        raise _bad_target(
            "The resource specified by the TargetArn must be in the same region as the Lambda function it's associated "
            "with."
        )
    if arn.endswith(".fifo"):
        raise _bad_target(f"FIFO {_DEAD_LETTER_KINDS[service]} is not supported for dead letter configuration")


def _bad_target(problem: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(f"Invalid dead letter queue ARN: {problem}")


def _check_keys(configuration: FunctionConfiguration, region: str) -> None:
    key = configuration.kms_key_arn
    if key is not None and configuration.has_variables and _arn_part(key, 5).startswith("alias/"):
        raise InvalidParameterValueException(
            "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
            "CreateGrant. Please check your KMS key settings. KMS Exception: InvalidArnException KMS Message: Key "
            "Aliases are not supported for this operation."
        )
    durable_key = (configuration.durable_config or {}).get("KMSKeyArn")
    if durable_key is not None and _arn_part(durable_key, 3) != region:
        raise InvalidParameterValueException(
            f"Lambda was unable to configure your durable function because the specified KMS key {durable_key} is in a "
            "different region than the function. The KMS key must reside in the same region as the function."
        )


def _arn_part(arn: str, index: int) -> str:
    """`arn:partition:service:region:account:resource`; empty where the ARN ends before."""
    parts = arn.split(":", _ARN_PARTS - 1)
    return parts[index] if index < len(parts) else ""
