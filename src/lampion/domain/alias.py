"""Aliases: names for one version of a function, or for two that share its invocations by weight. Pure.

Shape: AliasConfiguration (botocore `lambda` 2015-03-31).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.errors import InvalidParameterValueException, ResourceConflictException
from lampion.domain.function_rules import revision_mismatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """`additional_version_weights` holds at most one further version, with its part of the invocations (0 to 1)."""

    key: FunctionKey
    name: str
    function_version: str
    revision_id: str
    description: str = ""
    additional_version_weights: dict[str, float] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return self.key.qualified_arn(self.name)

    @property
    def versions(self) -> tuple[str, ...]:
        """What it points to, the main version first."""
        return (self.function_version, *self.additional_version_weights)


def check_alias(alias: Alias) -> None:
    """Raises InvalidParameterValueException for what an alias can't point to, whether it exists or not."""
    weights = alias.additional_version_weights
    if len(weights) > 1:
        raise InvalidParameterValueException("Number of items in AdditionalVersionWeights cannot be greater than 1")
    if not weights:
        return
    if alias.function_version == LATEST:
        raise InvalidParameterValueException(
            "$LATEST is not supported for an alias pointing to more than 1 version", Type=""
        )
    if alias.function_version in weights:
        raise InvalidParameterValueException(
            f"Invalid function version {alias.function_version}. Function version {alias.function_version} "
            "is already included in routing configuration."
        )


def check_alias_revision(alias: Alias, revision_id: str | None) -> None:
    """Raises PreconditionFailedException unless the caller's RevisionId, if it sent one, is the current one."""
    if revision_id is not None and revision_id != alias.revision_id:
        raise revision_mismatch()


def check_unreferenced(version: str, aliases: Iterable[Alias]) -> None:
    """Raises ResourceConflictException for a version to which one of its function's aliases points."""
    names = [alias.name for alias in aliases if version in alias.versions]
    if names:
        raise ResourceConflictException(
            f"Unable to delete version because the following aliases reference it: [{', '.join(names)}]"
        )


def chosen_version(alias: Alias, fraction: float) -> str:
    """The version that one invocation runs; `fraction` is drawn for it, uniformly from [0, 1)."""
    for version, weight in alias.additional_version_weights.items():
        if fraction < weight:
            return version
    return alias.function_version
