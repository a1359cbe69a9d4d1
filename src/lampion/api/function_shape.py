"""FunctionConfiguration between the wire's members and the domain's values; shared by the operations on functions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lampion.domain import limits
from lampion.domain.concurrency import ReservedConcurrency
from lampion.domain.connections import NO_VPC, changed_dead_letter_config, changed_vpc_config, new_dead_letter_config
from lampion.domain.durability import changed_durable_config, new_durable_config
from lampion.domain.function import AttachedLayer, DeploymentPackage, Function, FunctionConfiguration, LoggingConfig
from lampion.domain.image import parse_image_uri

Members = Mapping[str, Any]


def new_configuration(members: Members, function_name: str) -> FunctionConfiguration:
    """The configuration that CreateFunction asks for, with AWS's defaults."""
    on_provider = members.get("CapacityProviderConfig") is not None
    defaults = FunctionConfiguration(
        role=members["Role"],
        memory_mib=limits.CAPACITY_MEMORY_MIB_MIN if on_provider else limits.MEMORY_MIB_DEFAULT,
        logging=LoggingConfig(log_group=f"/aws/lambda/{function_name}"),
    )
    fixed = {
        "package_type": members.get("PackageType", "Zip"),
        "architectures": tuple(members.get("Architectures") or ("x86_64",)),
        "tenancy_config": members.get("TenancyConfig"),
    }
    if "DeadLetterConfig" in members:
        fixed["dead_letter_config"] = new_dead_letter_config(members["DeadLetterConfig"])
    if "DurableConfig" in members:
        fixed["durable_config"] = new_durable_config(members["DurableConfig"])
    return replace(defaults, **fixed, **_changes(defaults, members))


def changed_configuration(present: FunctionConfiguration, members: Members) -> FunctionConfiguration:
    """`present` with the members that a request carries put in place; absent members stay as they are.

    All but Layers: what those are is known where layers are stored (FunctionRooms.with_layers).
    """
    changes = _changes(present, members)
    if "DeadLetterConfig" in members:
        changes["dead_letter_config"] = changed_dead_letter_config(members["DeadLetterConfig"])
    if "DurableConfig" in members:
        changes["durable_config"] = changed_durable_config(present.durable_config, members["DurableConfig"])
    return replace(present, **changes)


def _changes(present: FunctionConfiguration, members: Members) -> dict[str, Any]:
    """What is the same for a new function and for an update. An empty key or ImageConfig takes away what was there."""
    changes: dict[str, Any] = {
        name: members[member] for member, name in _PLAIN.items() if members.get(member) is not None
    }
    changes |= {name: members[member] or None for member, name in _CLEARED_BY_EMPTY.items() if member in members}
    if "VpcConfig" in members:
        changes["vpc_config"] = changed_vpc_config(present.vpc_config, members["VpcConfig"])
    if "Environment" in members:
        changes |= {"environment": members["Environment"].get("Variables"), "sealed_environment": None}
    if "EphemeralStorage" in members:
        changes["ephemeral_storage_mib"] = members["EphemeralStorage"]["Size"]
    if "TracingConfig" in members:
        changes["tracing_mode"] = members["TracingConfig"].get("Mode", "PassThrough")
    if "SnapStart" in members:
        changes["snap_start_apply_on"] = members["SnapStart"].get("ApplyOn", "None")
    if "LoggingConfig" in members:
        changes["logging"] = _changed_logging(present.logging, members["LoggingConfig"])
    if members.get("FileSystemConfigs") is not None:
        changes["file_system_configs"] = tuple(members["FileSystemConfigs"])
    return changes


_PLAIN = {
    "Role": "role",
    "Handler": "handler",
    "Runtime": "runtime",
    "Description": "description",
    "Timeout": "timeout_seconds",
    "MemorySize": "memory_mib",
    "CapacityProviderConfig": "capacity_provider_config",
    "RuntimeConfig": "runtime_config",
    "AcceleratorConfig": "accelerator_config",
}
_CLEARED_BY_EMPTY = {"KMSKeyArn": "kms_key_arn", "ImageConfig": "image_config"}


def _changed_logging(present: LoggingConfig, members: Members) -> LoggingConfig:
    """Levels exist only with JSON, and default to INFO there."""
    log_format = members.get("LogFormat", present.log_format)
    default = "INFO" if log_format == "JSON" else None
    keep = log_format == present.log_format
    return LoggingConfig(
        log_group=members.get("LogGroup", present.log_group),
        log_format=log_format,
        application_log_level=members.get("ApplicationLogLevel", (keep and present.application_log_level) or default),
        system_log_level=members.get("SystemLogLevel", (keep and present.system_log_level) or default),
    )


def configuration_members(
    function: Function, *, runtime_version_arn: str | None, optimization_status: str, qualifier: str | None = None
) -> Members:
    """The shape FunctionConfiguration of `function`, without what is encrypted (Environment).

    Absent members are None, which the wire leaves out.
    """
    configuration = function.configuration
    arn = function.key.arn if qualifier is None else function.key.qualified_arn(qualifier)
    return {
        "FunctionName": function.key.name,
        "FunctionArn": arn,
        "Runtime": configuration.runtime,
        "Role": configuration.role,
        "Handler": configuration.handler,
        "CodeSize": function.package.size_bytes,
        "Description": configuration.description,
        "Timeout": configuration.timeout_seconds,
        "MemorySize": configuration.memory_mib,
        "LastModified": timestamp(function.last_modified_epoch_ms),
        "CodeSha256": function.package.code_sha256,
        "Version": function.version,
        "VpcConfig": _vpc_config(configuration.vpc_config),
        "DeadLetterConfig": configuration.dead_letter_config,
        "KMSKeyArn": configuration.kms_key_arn,
        "TracingConfig": {"Mode": configuration.tracing_mode},
        "RevisionId": function.revision_id,
        "Layers": [_layer_members(layer) for layer in configuration.layers] or None,
        "FileSystemConfigs": list(configuration.file_system_configs) or None,
        "PackageType": configuration.package_type,
        "ImageConfigResponse": configuration.image_config and {"ImageConfig": configuration.image_config},
        "Architectures": list(configuration.architectures),
        "EphemeralStorage": {"Size": configuration.ephemeral_storage_mib},
        "SnapStart": {"ApplyOn": configuration.snap_start_apply_on, "OptimizationStatus": optimization_status},
        "RuntimeVersionConfig": None if runtime_version_arn is None else {"RuntimeVersionArn": runtime_version_arn},
        "LoggingConfig": _logging_members(configuration.logging),
        "TenancyConfig": configuration.tenancy_config,
        "CapacityProviderConfig": configuration.capacity_provider_config,
        "DurableConfig": configuration.durable_config,
        "RuntimeConfig": configuration.runtime_config,
        "AcceleratorConfig": configuration.accelerator_config,
        **_state_members(function),
    }


def code_members(package: DeploymentPackage) -> Members | None:
    """The shape FunctionCodeLocation of a container image; None for a zip."""
    if package.image_uri is None:
        return None
    resolved = parse_image_uri(package.image_uri).resolved(package.image_digest)
    return {"RepositoryType": "ECR", "ImageUri": package.image_uri, "ResolvedImageUri": resolved}


def concurrency_members(reserved: ReservedConcurrency) -> Members:
    """The shape Concurrency."""
    return {"ReservedConcurrentExecutions": reserved.executions}


def listed_members(members: Members) -> Members:
    """What ListFunctions shows of a configuration: all but where the function stands (API reference, ListFunctions)."""
    return {name: value for name, value in members.items() if name not in _NOT_LISTED}


_NOT_LISTED = frozenset(
    (
        "State",
        "StateReason",
        "StateReasonCode",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
        "RuntimeVersionConfig",
    )
)


def _state_members(function: Function) -> Members:
    state, update = function.state_reason, function.last_update_reason
    return {
        "State": function.state.value,
        "StateReason": state and state.text,
        "StateReasonCode": state and state.code,
        "LastUpdateStatus": function.last_update_status and function.last_update_status.value,
        "LastUpdateStatusReason": update and update.text,
        "LastUpdateStatusReasonCode": update and update.code,
    }


def _layer_members(layer: AttachedLayer) -> Members:
    return {
        "Arn": layer.arn,
        "CodeSize": layer.package.size_bytes,
        "SigningProfileVersionArn": layer.signing_profile_version_arn,
        "SigningJobArn": layer.signing_job_arn,
    }


def _logging_members(logging: LoggingConfig) -> Members:
    return {
        "LogFormat": logging.log_format,
        "ApplicationLogLevel": logging.application_log_level,
        "SystemLogLevel": logging.system_log_level,
        "LogGroup": logging.log_group,
    }


def _vpc_config(sent: Members | None) -> Members | None:
    """As AWS answers it. The VPC's id is EC2's knowledge: it is shown only where none is connected."""
    if sent is None:
        return None
    return {**NO_VPC, **sent, "VpcId": None if sent.get("SubnetIds") else ""}


def timestamp(epoch_ms: int) -> str:
    """The spelling of LastModified: UTC with milliseconds."""
    moment = datetime.fromtimestamp(epoch_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1000:03d}+0000"
