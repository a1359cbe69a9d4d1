"""Functions to store."""

import hashlib
from dataclasses import replace

from lampion.domain.arn import FunctionKey
from lampion.domain.function import (
    AttachedLayer,
    Deployed,
    DeploymentPackage,
    Function,
    FunctionConfiguration,
    LastUpdateStatus,
    LoggingConfig,
    Reason,
    State,
)
from lampion.store.resources import Resources

ACCOUNT = "123456789012"
REGION = "us-east-1"


def key(name: str = "hello", *, account_id: str = ACCOUNT, region: str = REGION) -> FunctionKey:
    return FunctionKey(account_id, region, name)


def function(
    name: str = "hello",
    *,
    revision_id: str = "r1",
    code: str = "code",
    description: str = "",
    settled: bool = False,
    account_id: str = ACCOUNT,
    region: str = REGION,
) -> Function:
    created = Function(
        key=key(name, account_id=account_id, region=region),
        configuration=FunctionConfiguration(
            role="arn:aws:iam::123456789012:role/r",
            handler="index.handler",
            runtime="python3.12",
            description=description,
            logging=LoggingConfig(f"/aws/lambda/{name}"),
        ),
        package=DeploymentPackage(hashlib.sha256(code.encode()).hexdigest(), "base64=", 4),
        revision_id=revision_id,
        last_modified_epoch_ms=1_700_000_000_000,
    )
    return created.settled(failure=None, revision_id=revision_id) if settled else created


async def delete(resources: Resources, key: FunctionKey, version: str | None = None) -> bool:
    """Delete a function, or one version of it."""
    if version is None:
        return await resources.change(lambda stored: stored.delete_function(key))
    return await resources.change(lambda stored: stored.delete_version(key, version))


def layer(letter: str) -> AttachedLayer:
    """One whose package's digest is that letter's alone."""
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{letter}:1"
    return AttachedLayer(arn=arn, package=DeploymentPackage(letter * 64, "=", 10, 20))


def layered(name: str, *letters: str) -> Function:
    """A function with these layers."""
    plain = function(name, settled=True)
    return replace(plain, configuration=replace(plain.configuration, layers=tuple(map(layer, letters))))


def full_function() -> Function:
    """Every member that a caller can set has a value of its own, with text of many scripts."""
    text = 'é e\u0301 日本語 🦙 \u202eRTL "quoted" \\ \n\t\u0000 </script>'
    return Function(
        key=key("full-1.2_3"),
        configuration=FunctionConfiguration(
            role="arn:aws:iam::123456789012:role/r",
            handler="index.handler",
            runtime="python3.13",
            package_type="Zip",
            description=text,
            timeout_seconds=900,
            memory_mib=10_240,
            ephemeral_storage_mib=1024,
            architectures=("arm64",),
            sealed_environment=b"\x00\xff encrypted",
            logging=LoggingConfig("/group", "JSON", "DEBUG", "WARN"),
            tracing_mode="Active",
            snap_start_apply_on="PublishedVersions",
            layers=(
                AttachedLayer(
                    arn="arn:aws:lambda:us-east-1:123456789012:layer:l:1",
                    package=DeploymentPackage("1" * 64, "B+/=", 1024, 4096),
                    signing_profile_version_arn="arn:aws:signer:us-east-1:123456789012:/signing-profiles/p/1",
                    signing_job_arn="arn:aws:signer:us-east-1:123456789012:/signing-jobs/j",
                ),
            ),
            kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/k",
            vpc_config={"SubnetIds": ["subnet-1"], "Ipv6AllowedForDualStack": False},
            dead_letter_config={"TargetArn": "arn:aws:sqs:us-east-1:123456789012:q"},
            file_system_configs=({"Arn": "a", "LocalMountPath": "/mnt/a"},),
            image_config={"EntryPoint": [text], "Nothing": None},
            durable_config={"ExecutionTimeout": 31_622_400},
        ),
        package=DeploymentPackage("0" * 64, "A+/=", 52_428_800, 1, "arn:aws:kms:us-east-1:123456789012:key/source"),
        revision_id="r1",
        last_modified_epoch_ms=1_700_000_000_123,
        state=State.FAILED,
        state_reason=Reason(text, "InvalidRuntime"),
        last_update_status=LastUpdateStatus.FAILED,
        last_update_reason=Reason("because", "InternalError"),
        tags={"Team": text},
        before_update=Deployed(
            FunctionConfiguration(role="arn:aws:iam::123456789012:role/before", logging=LoggingConfig("/before")),
            DeploymentPackage("1" * 64, "B+/=", 1),
        ),
    )
