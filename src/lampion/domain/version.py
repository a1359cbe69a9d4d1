"""Published versions: how one is made of $LATEST, when a publish makes none, and which qualifiers name one. Pure."""

import re
from dataclasses import dataclass, replace
from typing import Final

from lampion.domain.arn import LATEST
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import (
    CREATING,
    DeploymentPackage,
    Function,
    FunctionConfiguration,
    LastUpdateStatus,
    State,
)
from lampion.domain.function_rules import not_now, update_in_progress
from lampion.domain.snap_start import wants_snapshot

LATEST_NUMBER: Final = 0
"""The number under which $LATEST sorts: before every version, the first of which is 1."""

LATEST_PUBLISHED: Final = "$LATEST.PUBLISHED"
"""The one version that is published anew in its place, for functions on capacity providers."""
_LATEST_PUBLISHED_NUMBER: Final = 10**18  # after all others

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")  # 18 digits: what a signed 64-bit integer always holds


def version_number(version: str) -> int | None:
    """The number of $LATEST or of a version; None for a qualifier that can only be an alias."""
    if version == LATEST:
        return LATEST_NUMBER
    if version == LATEST_PUBLISHED:
        return _LATEST_PUBLISHED_NUMBER
    return int(version) if _NUMBER.fullmatch(version) else None


def number_of(function: Function) -> int:
    """The number of what is stored: $LATEST or a version."""
    number = version_number(function.version)
    assert number is not None, function.version
    return number


def check_publishable(latest: Function, code_sha256: str | None) -> None:
    """$LATEST must be at rest, and its code the one that the caller means, if it says which.

    Raises ResourceConflictException, InvalidParameterValueException.
    """
    if latest.last_update_status is LastUpdateStatus.IN_PROGRESS:
        raise update_in_progress(latest)
    if latest.state is not State.ACTIVE:
        raise not_now(latest.state)
    current = latest.package.code_sha256
    if code_sha256 is not None and code_sha256 != current:
        raise InvalidParameterValueException(
            f"CodeSHA256 ({code_sha256}) is different from current CodeSHA256 in $LATEST ({current}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )


def check_publish_to(configuration: FunctionConfiguration, publish_to: str | None) -> None:
    """$LATEST.PUBLISHED, the one thing to publish to, is of functions on capacity providers (developer guide).

    Raises InvalidParameterValueException; its text isn't AWS's, which nobody has published.
    """
    if publish_to is not None and configuration.capacity_provider_config is None:
        raise InvalidParameterValueException(
            f"PublishTo {publish_to} is supported only for functions with a capacity provider configuration."
        )


def is_unchanged(latest: Function, last: Function) -> bool:
    """Whether publishing `latest` would repeat `last`, the version published last: then AWS answers that one.

    What the version was described as at its publication doesn't count; what $LATEST is described as does.
    """
    if last.published_from != latest.configuration.description:
        return False
    described = replace(last.configuration, description=latest.configuration.description)
    return described == latest.configuration and _is_same_code(last.package, latest.package)


def _is_same_code(one: DeploymentPackage, other: DeploymentPackage) -> bool:
    """Also where it was encrypted twice with a key: then it is stored under two names."""
    return (one.code_sha256, one.source_kms_key_arn) == (other.code_sha256, other.source_kms_key_arn)


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing does: $LATEST as it is to be stored, and the version; not `is_new`: nothing is stored."""

    latest: Function
    version: Function
    is_new: bool


def publication(
    latest: Function,
    last: Function | None,
    *,
    description: str | None,
    latest_revision_id: str,
    version_revision_id: str,
    is_numbered: bool = True,
) -> Publication:
    """Publish `latest`, of which `last` was published last (None when there is none, or it was deleted).

    Not `is_numbered`: as $LATEST.PUBLISHED, in place of `last`.
    """
    if last is not None and is_unchanged(latest, last):
        return Publication(latest, last, is_new=False)
    if is_numbered:
        after = counted(latest, revision_id=latest_revision_id)
        version = published(after, description=description, revision_id=version_revision_id)
    else:
        after = replace(latest, revision_id=latest_revision_id)
        version = replace(
            published(after, description=description, revision_id=version_revision_id), version=LATEST_PUBLISHED
        )
    return Publication(after, version, is_new=True)


def counted(latest: Function, *, revision_id: str) -> Function:
    """$LATEST after one more version was taken of it. AWS gives it a new RevisionId with that."""
    return replace(latest, last_version=latest.last_version + 1, revision_id=revision_id)


def published(counted_latest: Function, *, description: str | None, revision_id: str) -> Function:
    """The version that `counted_latest` counts: its code and configuration as they are, for good.

    It is Active at once when it runs what $LATEST runs already; else there is work before it can.
    """
    at_rest = counted_latest.is_settled and counted_latest.last_update_status is LastUpdateStatus.SUCCESSFUL
    ready = at_rest and not wants_snapshot(counted_latest.configuration)
    configuration = counted_latest.configuration
    return replace(
        counted_latest,
        version=str(counted_latest.last_version),
        configuration=replace(
            configuration, description=configuration.description if description is None else description
        ),
        published_from=configuration.description,
        revision_id=revision_id,
        state=State.ACTIVE if ready else State.PENDING,
        state_reason=None if ready else CREATING,
        last_update_status=LastUpdateStatus.SUCCESSFUL if ready else None,
        last_update_reason=None,
        before_update=None,
        tags={},  # tags are the function's, not a version's
    )
