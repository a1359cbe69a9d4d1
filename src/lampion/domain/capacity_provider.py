"""Capacity providers: where functions on Lambda Managed Instances run, and which functions those may be. Pure.

Shapes: CapacityProvider, CapacityProviderConfig. Developer guide: "Lambda Managed Instances".
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from lampion.domain import limits
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import (
    CapacityProviderLimitExceededException,
    FunctionVersionsPerCapacityProviderLimitExceededException,
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from lampion.domain.function import Document, FunctionConfiguration

PROVIDERS_MAX: Final = 1000
VERSIONS_PER_PROVIDER_MAX: Final = 100
"""Both: developer guide, "Lambda Managed Instances quotas"."""

_ARN_CHARACTERS_MAX: Final = 140
_MIB_PER_GIB: Final = 1024
_GIB_PER_VCPU: Final = (2.0, 4.0, 8.0)


class CapacityProviderState(StrEnum):
    PENDING = "Pending"
    ACTIVE = "Active"
    FAILED = "Failed"
    DELETING = "Deleting"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityProvider:
    """What Lampion only keeps and gives back are documents, as the caller sent them."""

    account_id: str
    region: str
    name: str
    vpc_config: Document
    permissions_config: Document
    instance_requirements: Document
    scaling_config: Document
    kms_key_arn: str | None = None
    propagate_tags: Document | None = None
    telemetry_config: Document | None = None
    last_modified_epoch_ms: int
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return provider_arn(self.account_id, self.region, self.name)


@dataclass(frozen=True, slots=True)
class CapacityUse:
    """$LATEST of a function, or a version, is configured to run on a capacity provider."""

    key: FunctionKey
    version: str
    provider_arn: str


def provider_arn(account_id: str, region: str, name: str) -> str:
    return f"arn:aws:lambda:{region}:{account_id}:capacity-provider:{name}"


def used_provider(configuration: FunctionConfiguration) -> str | None:
    """ARN of the capacity provider that a function is to run on; None for one that runs as most do."""
    instances = _instances(configuration)
    return None if instances is None else instances["CapacityProviderArn"]


def check_provider(provider: CapacityProvider) -> None:
    """Raises InvalidParameterValueException for what no capacity provider can be."""
    if len(provider.arn) > _ARN_CHARACTERS_MAX:
        raise InvalidParameterValueException(
            f"1 validation error detected: Value '{provider.name}' at 'capacityProviderName' failed to satisfy "
            f"constraint: Member must have length less than or equal to "
            f"{_ARN_CHARACTERS_MAX - (len(provider.arn) - len(provider.name))}"
        )
    requirements = provider.instance_requirements
    if requirements.get("AllowedInstanceTypes") and requirements.get("ExcludedInstanceTypes"):
        raise InvalidParameterValueException(
            "AllowedInstanceTypes and ExcludedInstanceTypes cannot both be specified in InstanceRequirements."
        )


def check_room_for_provider(existing: int) -> None:
    """Raises CapacityProviderLimitExceededException when an account with so many may have no further one."""
    if existing >= PROVIDERS_MAX:
        raise CapacityProviderLimitExceededException(
            f"The maximum number of capacity providers for your account has been exceeded: {PROVIDERS_MAX}"
        )


def check_room_for_version(arn: str, others: int) -> None:
    """Raises FunctionVersionsPerCapacityProviderLimitExceededException when so many others use the provider."""
    if others >= VERSIONS_PER_PROVIDER_MAX:
        raise FunctionVersionsPerCapacityProviderLimitExceededException(
            "The maximum number of function versions that can be associated with the capacity provider "
            f"{arn} has been exceeded: {VERSIONS_PER_PROVIDER_MAX}"
        )


def check_unused(arn: str, users: int) -> None:
    """Raises ResourceConflictException while functions are configured to run on the provider."""
    if users:
        raise ResourceConflictException(
            f"The capacity provider {arn} cannot be deleted because it is being used by Lambda functions."
        )


def check_capacity(configuration: FunctionConfiguration) -> None:
    """At least 2 GB and one vCPU, in a ratio that instances have. Raises InvalidParameterValueException."""
    instances = _instances(configuration)
    if instances is None:
        return
    if configuration.memory_mib < limits.CAPACITY_MEMORY_MIB_MIN:
        raise InvalidParameterValueException(
            f"MemorySize must be at least {limits.CAPACITY_MEMORY_MIB_MIN} MB for functions with a "
            "CapacityProviderConfig."
        )
    gib_per_vcpu = instances.get("ExecutionEnvironmentMemoryGiBPerVCpu", _GIB_PER_VCPU[0])
    if gib_per_vcpu not in _GIB_PER_VCPU:
        raise InvalidParameterValueException("ExecutionEnvironmentMemoryGiBPerVCpu must be 2, 4 or 8.")
    if configuration.memory_mib < gib_per_vcpu * _MIB_PER_GIB:
        raise InvalidParameterValueException(
            f"ExecutionEnvironmentMemoryGiBPerVCpu of {gib_per_vcpu:g} exceeds the function's MemorySize of "
            f"{configuration.memory_mib} MB."
        )


def check_compute_type_kept(before: FunctionConfiguration, after: FunctionConfiguration) -> None:
    """Whether a function runs on a capacity provider is settled when it is created; on which isn't.

    Raises InvalidParameterValueException.
    """
    if (used_provider(before) is None) != (used_provider(after) is None):
        raise InvalidParameterValueException(
            "CapacityProviderConfig cannot be added to or removed from a function after it has been created."
        )


def provider_not_found(arn: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Capacity provider not found: {arn}")


def provider_exists(arn: str) -> ResourceConflictException:
    return ResourceConflictException(f"Capacity provider already exists: {arn}")


def _instances(configuration: FunctionConfiguration) -> Document | None:
    config = configuration.capacity_provider_config
    return None if config is None else config["LambdaManagedInstancesCapacityProviderConfig"]
