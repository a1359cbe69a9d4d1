"""Published versions: what a publish makes, when it makes nothing, and which qualifiers name one."""

from dataclasses import replace
from typing import Any

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import InvalidParameterValueException, ResourceConflictException
from lampion.domain.function import (
    CREATING,
    DeploymentPackage,
    Function,
    FunctionConfiguration,
    LastUpdateStatus,
    LoggingConfig,
    Reason,
    State,
)
from lampion.domain.version import (
    Publication,
    check_publish_to,
    check_publishable,
    number_of,
    publication,
    version_number,
)

CONFIGURATION = FunctionConfiguration(
    role="arn:aws:iam::123456789012:role/role",
    runtime="python3.12",
    handler="a.b",
    description="latest",
    logging=LoggingConfig("/aws/lambda/f"),
)
PENDING = Function(
    key=FunctionKey("123456789012", "us-east-1", "f"),
    configuration=CONFIGURATION,
    package=DeploymentPackage("ab", "cd", 1),
    revision_id="one",
    last_modified_epoch_ms=7,
    tags={"team": "blue"},
)
ACTIVE = PENDING.settled(failure=None, revision_id="two")
UPDATING = ACTIVE.changed(revision_id="three", now_epoch_ms=8)
SNAP_STARTED = replace(ACTIVE, configuration=replace(CONFIGURATION, snap_start_apply_on="PublishedVersions"))


def publish(latest: Function, last: Function | None = None, description: str | None = None) -> Publication:
    return publication(
        latest, last, description=description, latest_revision_id="latest's", version_revision_id="version's"
    )


@pytest.mark.parametrize(
    ("qualifier", "number"),
    [
        ("$LATEST", 0),
        ("1", 1),
        ("42", 42),
        ("9" * 18, 10**18 - 1),
        ("$LATEST.PUBLISHED", 10**18),
        *(
            (text, None)
            for text in ("0", "01", "-1", "1a", "", " 1", "1\n", "live", "9" * 19, "\uff19", "$LATEST.PUBLISHED2")
        ),
    ],
)
def test_which_qualifiers_are_versions(qualifier: str, number: int | None) -> None:
    assert version_number(qualifier) == number


def test_the_first_version_is_1_and_takes_code_and_configuration_as_they_are() -> None:
    made = publish(ACTIVE)
    assert made.is_new
    assert (made.version.version, number_of(made.version)) == ("1", 1)
    assert (made.version.configuration, made.version.package) == (CONFIGURATION, ACTIVE.package)
    assert made.version.last_modified_epoch_ms == 7
    assert made.version.revision_id == "version's"


def test_a_version_has_no_tags_for_they_are_the_functions() -> None:
    made = publish(ACTIVE)
    assert (made.version.tags, made.latest.tags) == ({}, {"team": "blue"})


def test_latest_gets_a_new_revision_and_counts() -> None:
    made = publish(ACTIVE)
    assert made.latest == replace(ACTIVE, revision_id="latest's", last_version=1)


@pytest.mark.parametrize(("asked", "shown"), [(None, "latest"), ("", ""), ("first", "first")])
def test_the_description_is_the_one_asked_for_or_else_that_of_latest(asked: str | None, shown: str) -> None:
    assert publish(ACTIVE, description=asked).version.configuration.description == shown


@pytest.mark.parametrize(
    ("latest", "is_ready"),
    [
        (ACTIVE, True),
        (SNAP_STARTED, False),
        (PENDING, False),
        (UPDATING, False),
        (UPDATING.settled(failure=Reason("no interpreter", "InvalidRuntime"), revision_id="r"), False),
    ],
    ids=["at rest", "wants a snapshot", "being created", "being updated", "its update failed"],
)
def test_a_version_is_active_at_once_only_when_it_runs_what_latest_runs_already(
    latest: Function, is_ready: bool
) -> None:
    version = publish(latest).version
    if is_ready:
        assert (version.state, version.state_reason) == (State.ACTIVE, None)
        assert version.last_update_status is LastUpdateStatus.SUCCESSFUL
    else:
        assert (version.state, version.state_reason, version.last_update_status) == (State.PENDING, CREATING, None)
    assert version.is_settled is is_ready


CHANGES: list[dict[str, Any]] = [
    {"package": DeploymentPackage("ef", "gh", 1)},
    {"package": DeploymentPackage("ef", "cd", 1, source_kms_key_arn="arn:aws:kms:k")},
    *(
        {"configuration": replace(CONFIGURATION, **change)}
        for change in (
            {"description": "other"},
            {"memory_mib": 256},
            {"environment": {"a": "b"}},
            {"snap_start_apply_on": "PublishedVersions"},
        )
    ),
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_published_with_the_next_number(change: dict[str, Any]) -> None:
    first = publish(ACTIVE)
    second = publish(replace(first.latest, **change), first.version)
    assert second.is_new
    assert second.version.version == "2"


@pytest.mark.parametrize("description", [None, "again"])
def test_what_did_not_change_is_not_published_again(description: str | None) -> None:
    first = publish(ACTIVE, description="first")
    settled_again = replace(first.latest, revision_id="later", last_modified_epoch_ms=9)
    assert publish(settled_again, first.version, description) == Publication(settled_again, first.version, is_new=False)


def test_the_same_code_encrypted_once_more_is_not_published_again() -> None:
    encrypted = DeploymentPackage("ef", "cd", 1, source_kms_key_arn="arn:aws:kms:k")
    first = publish(replace(ACTIVE, package=encrypted))
    anew = replace(first.latest, package=replace(encrypted, sha256="01"))
    assert publish(anew, first.version) == Publication(anew, first.version, is_new=False)


def test_a_number_is_not_given_again_after_its_version_is_gone() -> None:
    first = publish(ACTIVE)
    assert publish(first.latest, None).version.version == "2"


@pytest.mark.parametrize("code_sha256", [None, "cd"])
def test_what_is_at_rest_can_be_published(code_sha256: str | None) -> None:
    check_publishable(ACTIVE, code_sha256)


def test_another_code_than_the_expected_is_not_published() -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        check_publishable(ACTIVE, "wrong")
    assert caught.value.message == (
        "CodeSHA256 (wrong) is different from current CodeSHA256 in $LATEST (cd). "
        "Please try again with the CodeSHA256 in $LATEST."
    )


@pytest.mark.parametrize(
    ("latest", "words"),
    [
        (PENDING, "The function is currently in the following state: Pending"),
        (replace(PENDING, state=State.FAILED), "The function is currently in the following state: Failed"),
        (UPDATING, "An update is in progress for resource: arn:aws:lambda:us-east-1:123456789012:function:f"),
    ],
)
def test_what_is_in_motion_is_not_published(latest: Function, words: str) -> None:
    with pytest.raises(ResourceConflictException) as caught:
        check_publishable(latest, None)
    assert caught.value.message == f"The operation cannot be performed at this time. {words}"


def test_latest_published_is_of_functions_on_capacity_providers() -> None:
    configuration = ACTIVE.configuration
    check_publish_to(configuration, None)
    check_publish_to(replace(configuration, capacity_provider_config={"a": "b"}), "LATEST_PUBLISHED")
    with pytest.raises(InvalidParameterValueException, match="PublishTo LATEST_PUBLISHED"):
        check_publish_to(configuration, "LATEST_PUBLISHED")


def test_latest_published_is_published_anew_in_its_place_and_not_counted() -> None:
    def publish(latest: Function, last: Function | None) -> Publication:
        ids = {"latest_revision_id": "l2", "version_revision_id": "v2"}
        return publication(latest, last, description="own", is_numbered=False, **ids)

    first = publish(ACTIVE, None)
    assert (first.version.version, first.version.state, first.is_new) == ("$LATEST.PUBLISHED", State.ACTIVE, True)
    assert first.version.configuration.description == "own"
    assert (first.latest.last_version, first.latest.revision_id) == (ACTIVE.last_version, "l2")
    assert not publish(first.latest, first.version).is_new
    changed = replace(first.latest, configuration=replace(ACTIVE.configuration, memory_mib=4096))
    assert publish(changed, first.version).version.configuration.memory_mib == 4096


def test_latest_published_comes_after_all_numbers() -> None:
    numbers = [version_number(one) for one in ("$LATEST", "1", "9" * 18, "$LATEST.PUBLISHED")]
    assert numbers == sorted(numbers, key=lambda number: number or 0)
    assert len(set(numbers)) == 4


def test_a_version_has_nothing_to_go_back_to() -> None:
    updated = ACTIVE.changed(revision_id="three", now_epoch_ms=3)
    made = publish(updated)
    assert updated.before_update is not None
    assert (made.version.before_update, made.latest.before_update) == (None, updated.before_update)
