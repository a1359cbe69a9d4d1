"""Managed policies and their versions: numbered for good, five at a time, one of which holds."""

from typing import Any

import pytest

from lampion.domain.iam.errors import DeleteConflictException, LimitExceededException, NoSuchEntityException
from lampion.domain.iam.managed_policy import (
    ManagedPolicy,
    check_policy_deletable,
    not_attachable,
    policy_missing,
    policy_taken,
    with_default,
    with_version,
    without_version,
)
from tests.identities import managed

ARN = "arn:aws:iam::123456789012:policy/p"


def message_of(kind: type[Exception], call: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(kind) as caught:
        call(*arguments, **more)
    return str(caught.value.message)  # type: ignore[attr-defined]


def ids(policy: ManagedPolicy) -> list[str]:
    return [one.version_id for one in policy.versions]


def test_a_version_is_added_and_holds_only_when_asked_for() -> None:
    one = managed("p", "first")
    assert (one.arn, one.document, one.default_version_id) == (ARN, "first", "v1")
    two = with_version(one, "second", 7, is_default=False)
    assert (ids(two), two.document, two.updated_epoch_seconds) == (["v1", "v2"], "first", 7)
    assert (two.versions[1].document, two.versions[1].created_epoch_seconds) == ("second", 7)
    three = with_version(two, "third", 8, is_default=True)
    assert (three.default_version_id, three.document) == ("v3", "third")


def test_a_sixth_version_is_refused_and_numbers_never_come_again() -> None:
    full = managed("p", *"abcde")
    told = (
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
        "version."
    )
    assert message_of(LimitExceededException, with_version, full, "f", 1, is_default=True) == told
    assert ids(with_version(without_version(full, "v5"), "f", 1, is_default=False)) == ["v1", "v2", "v3", "v4", "v6"]


def test_another_version_is_made_to_hold() -> None:
    two = with_default(managed("p", "a", "b"), "v2", 9)
    assert (two.document, two.updated_epoch_seconds, ids(two)) == ("b", 9, ["v1", "v2"])


def test_versions_that_are_not_there() -> None:
    one, told = managed("p", "a"), f"Policy {ARN} version v2 does not exist or is not attachable."
    assert message_of(NoSuchEntityException, one.version, "v2") == told
    assert message_of(NoSuchEntityException, with_default, one, "v2", 1) == told
    assert message_of(NoSuchEntityException, without_version, one, "v2") == told


def test_the_version_that_holds_stays() -> None:
    two = managed("p", "a", "b")
    told = "Cannot delete the default version of a policy."
    assert message_of(DeleteConflictException, without_version, two, "v1") == told
    assert ids(without_version(two, "v2")) == ["v1"]


def test_a_policy_goes_alone() -> None:
    check_policy_deletable(managed("p", "a"), 0)
    assert message_of(DeleteConflictException, check_policy_deletable, managed("p", "a", "b"), 1) == (
        "Cannot delete a policy attached to entities."
    )
    assert message_of(DeleteConflictException, check_policy_deletable, managed("p", "a", "b"), 0) == (
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
        "The default version is deleted with the policy."
    )


def test_how_policies_are_missed() -> None:
    assert policy_missing(ARN).message == f"Policy {ARN} was not found."
    assert not_attachable(ARN).message == f"Policy {ARN} does not exist or is not attachable."
    assert policy_taken("p").message == "A policy called p already exists. Duplicate names are not allowed."
