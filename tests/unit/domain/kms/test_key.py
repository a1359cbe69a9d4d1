"""States, deletion and rotation of keys; policies and tags; what isn't offered."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lampion.domain.errors import ApiError
from lampion.domain.kms import key as rules
from lampion.domain.kms.errors import (
    DisabledException,
    KMSInvalidStateException,
    LimitExceededException,
    MalformedPolicyDocumentException,
    TagException,
    UnsupportedOperationException,
)
from lampion.domain.kms.key import Key, KeyState, Material
from lampion.domain.kms.policy import check_policy, default_policy, lambdas_policy
from lampion.domain.kms.tags import with_tags, without_tags

DAY = 86_400
KEY = Key(
    account_id="123456789012",
    region="us-east-1",
    key_id="0f0f0f0f-1234-4678-9abc-def012345678",
    created_epoch_seconds=0,
    policy="",
    materials=(Material(id="m0", wrapped=b"wrapped"),),
)
DISABLED = replace(KEY, state=KeyState.DISABLED)
PENDING = replace(KEY, state=KeyState.PENDING_DELETION, deletion_epoch_seconds=100)
ARN = "arn:aws:kms:us-east-1:123456789012:key/0f0f0f0f-1234-4678-9abc-def012345678"

Change = Callable[[Key], Any]
CHANGES: dict[str, Change] = {
    "use": rules.check_usable,
    "change": rules.check_not_pending,
    "enable": lambda key: rules.with_state(key, KeyState.ENABLED),
    "disable": lambda key: rules.with_state(key, KeyState.DISABLED),
    "schedule": lambda key: rules.pending_deletion(key, 7, 0),
    "rescue": rules.rescued,
    "rotate": lambda key: rules.with_rotation(key, 90, 0),
}
PENDING_TOLD = (KMSInvalidStateException, f"{ARN} is pending deletion.")
NOT_PENDING_TOLD = (KMSInvalidStateException, f"{ARN} is not pending deletion.")
REFUSED: dict[tuple[str, KeyState], tuple[type[ApiError], str]] = {
    **{(name, KeyState.PENDING_DELETION): PENDING_TOLD for name in CHANGES if name != "rescue"},
    ("use", KeyState.DISABLED): (DisabledException, f"{ARN} is disabled."),
    ("rotate", KeyState.DISABLED): (DisabledException, f"{ARN} is disabled."),
    ("rescue", KeyState.ENABLED): NOT_PENDING_TOLD,
    ("rescue", KeyState.DISABLED): NOT_PENDING_TOLD,
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("key", [KEY, DISABLED, PENDING], ids=lambda key: key.state)
def test_what_each_state_permits(name: str, key: Key) -> None:
    refusal = REFUSED.get((name, key.state))
    if refusal is None:
        CHANGES[name](key)
        return
    with pytest.raises(ApiError) as caught:
        CHANGES[name](key)
    assert (type(caught.value), caught.value.message) == refusal


def test_a_key_goes_at_the_moment_that_was_told_and_not_before() -> None:
    scheduled = rules.pending_deletion(KEY, 7, 1000)
    assert scheduled.deletion_epoch_seconds == 1000 + 7 * DAY
    assert [scheduled.is_gone(1000 + 7 * DAY + offset) for offset in (-1, 0, 1)] == [False, True, True]
    kept = rules.rescued(scheduled)
    assert (kept.state, kept.is_gone(1e12)) == (KeyState.DISABLED, False)


@pytest.mark.parametrize(("late_days", "due_days"), [(0, 180), (1, 180), (89, 180), (90, 270), (1000, 1170)])
def test_material_is_made_once_however_late_and_in_its_rhythm(late_days: int, due_days: int) -> None:
    key = rules.with_rotation(KEY, 90, 0)
    now = (90 + late_days) * DAY
    assert [key.needs_material(at) for at in (90 * DAY - 1, now)] == [False, True]
    newer = rules.rotated(key, Material(id="m1", wrapped=b""), now)
    assert [one.id for one in newer.materials] == ["m0", "m1"]
    assert newer.rotation_epoch_seconds == due_days * DAY
    assert not newer.needs_material(now)


def test_rotation_that_is_off_never_falls_due() -> None:
    key = rules.with_rotation(rules.with_rotation(KEY, 90, 0), None, 5)
    assert (key.rotation_days, key.needs_material(1e12)) == (None, False)


def test_no_material_shows() -> None:
    assert "wrapped" not in repr(KEY)


@pytest.mark.parametrize(
    "other", [{"spec": "RSA_2048"}, {"usage": "SIGN_VERIFY"}, {"origin": "EXTERNAL"}, {"is_multi_region": True}]
)
def test_what_is_not_offered_is_named(other: dict[str, Any]) -> None:
    offered: dict[str, Any] = {
        "spec": "SYMMETRIC_DEFAULT",
        "usage": "ENCRYPT_DECRYPT",
        "origin": "AWS_KMS",
        "is_multi_region": False,
    }
    rules.check_kind(**offered)
    with pytest.raises(UnsupportedOperationException):
        rules.check_kind(**{**offered, **other})


def document(**members: Any) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", **members}
    return json.dumps({"Statement": {name: value for name, value in statement.items() if value is not None}})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Syntax errors in policy."),
        ("[]", "Syntax errors in policy."),
        (document(Effect="Maybe"), "Syntax errors in policy."),
        (document(Principal=None), "Missing required field Principal"),
        (document(Principal={}), "Policy contains a statement with one or more invalid principals."),
        (document(Principal={"AWS": []}), "Policy contains a statement with one or more invalid principals."),
        (document(Principal={"AWS": "x"}), "Policy contains a statement with one or more invalid principals."),
        (document(Action="s3:*"), "Policy contains a statement with one or more invalid actions."),
        (document(Action=None), "Policy statement must contain actions."),
        (document(Resource="x"), "Policy contains a statement with one or more invalid resources."),
        (document(Condition={"Nonsense": {"a": "b"}}), "Invalid Condition type : Nonsense."),
    ],
)
def test_what_is_no_key_policy(text: str, told: str) -> None:
    with pytest.raises(MalformedPolicyDocumentException) as caught:
        check_policy(text)
    assert caught.value.message == told


def test_what_is_a_key_policy() -> None:
    for text in (document(), default_policy("123456789012"), lambdas_policy("123456789012", "us-east-1")):
        check_policy(text)
    check_policy(document(Principal={"AWS": ["123456789012"], "Service": "lambda.amazonaws.com"}))
    with pytest.raises(LimitExceededException):
        check_policy(document() + " " * 32_768)


def test_tags() -> None:
    assert with_tags({"a": "1", "b": "2"}, [("b", "3"), ("B", "4")]) == {"a": "1", "b": "3", "B": "4"}
    assert without_tags({"a": "1", "b": "2"}, ["b", "absent"]) == {"a": "1"}
    with pytest.raises(LimitExceededException):
        with_tags({str(number): "" for number in range(50)}, [("more", "")])
    for added in ([("a", "1"), ("a", "2")], [("aws:a", "1")], [("AWS:a", "1")]):
        with pytest.raises(TagException):
            with_tags({}, added)
    with pytest.raises(TagException):
        without_tags({}, ["aws:a"])
