"""Which functions may have SnapStart, and which versions want a snapshot."""

from dataclasses import replace
from typing import Any

import pytest

from lampion.code.runtimes import catalogue
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import DeploymentPackage, Function, FunctionConfiguration, LoggingConfig
from lampion.domain.function_rules import check_configuration
from lampion.domain.snap_start import check_snap_start, is_snap_started

ON_INSTANCES = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": "arn"}}
GOOD = FunctionConfiguration(
    role="arn:aws:iam::123456789012:role/role",
    runtime="python3.12",
    handler="a.b",
    logging=LoggingConfig("/aws/lambda/f"),
    snap_start_apply_on="PublishedVersions",
)
SUPPORTED = {
    *("python3.12", "python3.13", "python3.14", "python3.15"),
    *("java11", "java11.al2023", "java17", "java17.al2023", "java21", "java25"),
    *("dotnet8", "dotnet10"),
}
"""Lambda developer guide: Java 11 and later, Python 3.12 and later, .NET 8 and later."""


@pytest.mark.parametrize("runtime", sorted(catalogue().runtimes))
def test_the_runtimes_of_snap_start(runtime: str) -> None:
    configuration = replace(GOOD, runtime=runtime)
    if runtime in SUPPORTED:
        check_snap_start(configuration)
        return
    with pytest.raises(InvalidParameterValueException) as caught:
        check_configuration(configuration)
    assert caught.value.message == f"{runtime} is not supported for SnapStart enabled functions."
    check_snap_start(replace(configuration, snap_start_apply_on="None"))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"ephemeral_storage_mib": 513}, "EphemeralStorage greater than 512 MB"),
        ({"file_system_configs": ({"Arn": "a", "LocalMountPath": "/mnt/a"},)}, "FileSystemConfigs"),
        ({"capacity_provider_config": ON_INSTANCES, "memory_mib": 2048}, "CapacityProviderConfig"),
    ],
)
def test_what_snap_start_excludes(change: dict[str, Any], what: str) -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        check_configuration(replace(GOOD, **change))
    assert caught.value.message == f"{what} is not supported for SnapStart enabled functions."
    check_configuration(replace(GOOD, snap_start_apply_on="None", **change))


def test_snap_start_excludes_tenant_isolation() -> None:
    isolated = replace(GOOD, tenancy_config={"TenantIsolationMode": "PER_TENANT"})
    with pytest.raises(InvalidParameterValueException) as caught:
        check_configuration(isolated)
    assert caught.value.message == "SnapStart is not supported for functions enabled with tenancy configuration."
    check_configuration(replace(isolated, snap_start_apply_on="None"))


IMAGE = {"package_type": "Image", "runtime": None, "handler": None}


@pytest.mark.parametrize("change", [{}, {"ephemeral_storage_mib": 512}, {"architectures": ("arm64",)}, IMAGE])
def test_what_snap_start_allows(change: dict[str, Any]) -> None:
    check_configuration(replace(GOOD, **change))


@pytest.mark.parametrize(
    ("version", "apply_on", "expected"),
    [("1", "PublishedVersions", True), ("$LATEST", "PublishedVersions", False), ("1", "None", False)],
)
def test_only_published_versions_want_a_snapshot(version: str, apply_on: str, expected: bool) -> None:
    function = Function(
        key=FunctionKey("123456789012", "us-east-1", "f"),
        configuration=replace(GOOD, snap_start_apply_on=apply_on),
        package=DeploymentPackage("ab", "cd", 1),
        revision_id="one",
        last_modified_epoch_ms=0,
        version=version,
    )
    assert is_snap_started(function) is expected
