"""Managed policies: the account's own, and those of AWS. Pure.

Docs: IAM user guide, "Versioning IAM policies".
"""

from dataclasses import dataclass, field, replace
from typing import Final

from lampion.domain.iam.errors import (
    DeleteConflictException,
    EntityAlreadyExistsException,
    LimitExceededException,
    NoSuchEntityException,
)

AWS: Final = "aws"
"""Who owns those that are the same in every account."""
VERSIONS_MAX: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """`version_id` is v1, v2, ...: never given twice."""

    version_id: str
    document: str
    created_epoch_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPolicy:
    """`versions` from the oldest on; `numbered` counts all there ever were."""

    account_id: str
    path: str
    name: str
    unique_id: str
    created_epoch_seconds: int
    updated_epoch_seconds: int
    versions: tuple[PolicyVersion, ...]
    default_version_id: str
    numbered: int = 1
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account_id}:policy{self.path}{self.name}"

    @property
    def document(self) -> str:
        """Of the version that holds."""
        return self.version(self.default_version_id).document

    def version(self, version_id: str) -> PolicyVersion:
        """Raises NoSuchEntityException."""
        for one in self.versions:
            if one.version_id == version_id:
                return one
        raise NoSuchEntityException(f"Policy {self.arn} version {version_id} does not exist or is not attachable.")


def policy_missing(arn: str) -> NoSuchEntityException:
    return NoSuchEntityException(f"Policy {arn} was not found.")


def not_attachable(arn: str) -> NoSuchEntityException:
    return NoSuchEntityException(f"Policy {arn} does not exist or is not attachable.")


def policy_taken(name: str) -> EntityAlreadyExistsException:
    return EntityAlreadyExistsException(f"A policy called {name} already exists. Duplicate names are not allowed.")


def with_version(policy: ManagedPolicy, document: str, now_epoch_seconds: int, *, is_default: bool) -> ManagedPolicy:
    """Raises LimitExceededException."""
    if len(policy.versions) >= VERSIONS_MAX:
        raise LimitExceededException(
            f"A managed policy can have up to {VERSIONS_MAX} versions. Before you create a new version, you must "
            "delete an existing version."
        )
    number = policy.numbered + 1
    version = PolicyVersion(version_id=f"v{number}", document=document, created_epoch_seconds=now_epoch_seconds)
    return replace(
        policy,
        versions=(*policy.versions, version),
        numbered=number,
        updated_epoch_seconds=now_epoch_seconds,
        default_version_id=version.version_id if is_default else policy.default_version_id,
    )


def with_default(policy: ManagedPolicy, version_id: str, now_epoch_seconds: int) -> ManagedPolicy:
    """Raises NoSuchEntityException."""
    policy.version(version_id)
    return replace(policy, default_version_id=version_id, updated_epoch_seconds=now_epoch_seconds)


def without_version(policy: ManagedPolicy, version_id: str) -> ManagedPolicy:
    """Raises NoSuchEntityException, DeleteConflictException."""
    policy.version(version_id)
    if version_id == policy.default_version_id:
        raise DeleteConflictException("Cannot delete the default version of a policy.")
    return replace(policy, versions=tuple(one for one in policy.versions if one.version_id != version_id))


def check_policy_deletable(policy: ManagedPolicy, attachments: int) -> None:
    """Raises DeleteConflictException."""
    if attachments:
        raise DeleteConflictException("Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise DeleteConflictException(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's "
            "versions. The default version is deleted with the policy."
        )
