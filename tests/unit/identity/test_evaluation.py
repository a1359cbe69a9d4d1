"""The rules of IAM's policy evaluation, one by one, and what a denied request is told."""

from typing import Any

import pytest

from lampion.identity.callers import NOBODY, Caller, CallerKind, root, service
from lampion.identity.denials import denial
from lampion.identity.evaluation import ALLOWED, Policies, PolicyType, Request, Verdict, evaluate
from lampion.identity.statements import EVERYTHING, Policy, read_policy

HOME, ABROAD = "111111111111", "222222222222"
ACTION = "lambda:InvokeFunction"
ARN = f"arn:aws:lambda:eu-west-1:{HOME}:function:f"
USER = Caller(CallerKind.USER, HOME, f"arn:aws:iam::{HOME}:user/ann")
ROLE_ARN = f"arn:aws:iam::{HOME}:role/r"
SESSION = Caller(CallerKind.ROLE_SESSION, HOME, f"arn:aws:sts::{HOME}:assumed-role/r/s", ROLE_ARN)
STRANGER = Caller(CallerKind.USER, ABROAD, f"arn:aws:iam::{ABROAD}:user/bob")
S3 = service("s3.amazonaws.com")


def says(effect: str, principal: Any = None, **more: Any) -> Policy:
    statement = {"Effect": effect, "Action": "lambda:*", "Resource": "*", **more}
    return read_policy({"Statement": statement if principal is None else {**statement, "Principal": principal}})


YES, NO = says("Allow"), says("Deny")
OTHER = says("Allow", Action="sqs:*")


def verdict(caller: Caller, *, known: dict[str, list[str]] | None = None, **policies: Any) -> Verdict:
    request = Request(caller=caller, action=ACTION, resource=ARN, known=known or {})
    return evaluate(request, Policies(**{"resource_account_id": HOME, **policies}))


def missing(kind: PolicyType) -> Verdict:
    return Verdict(is_allowed=False, by=kind)


def test_without_a_word_nothing_is_allowed() -> None:
    assert verdict(USER) == missing(PolicyType.IDENTITY)
    assert verdict(USER, identity=[OTHER]) == missing(PolicyType.IDENTITY)
    assert verdict(USER, identity=[OTHER, YES]) == ALLOWED


@pytest.mark.parametrize(
    ("policies", "kind"),
    [
        ({"identity": [YES, NO]}, PolicyType.IDENTITY),
        ({"identity": [YES], "resource": [says("Deny", "*")]}, PolicyType.RESOURCE),
        ({"identity": [YES], "boundary": NO}, PolicyType.BOUNDARY),
        ({"identity": [YES], "session": [YES, NO]}, PolicyType.SESSION),
    ],
)
def test_a_denial_anywhere_is_final(policies: dict[str, Any], kind: PolicyType) -> None:
    said = verdict(USER, **policies)
    assert not said.is_allowed
    assert (said.by, said.is_explicit) == (kind, True)


@pytest.mark.parametrize(
    ("policies", "kind"),
    [
        ({"boundary": OTHER}, PolicyType.BOUNDARY),
        ({"session": [OTHER]}, PolicyType.SESSION),
        ({"session": []}, PolicyType.SESSION),
        ({"boundary": YES, "session": [OTHER, YES]}, None),
    ],
)
def test_what_bounds_a_caller_has_to_allow_as_well(policies: dict[str, Any], kind: PolicyType | None) -> None:
    assert verdict(SESSION, identity=[YES], **policies) == (ALLOWED if kind is None else missing(kind))


BOUNDS = {"boundary": OTHER, "session": [OTHER]}


@pytest.mark.parametrize(
    ("caller", "principal", "bounds", "expected"),
    [
        (USER, {"AWS": USER.arn}, BOUNDS, ALLOWED),  # a grant to a user isn't bounded
        (SESSION, {"AWS": SESSION.arn}, BOUNDS, ALLOWED),  # nor one to a session
        (SESSION, "*", BOUNDS, ALLOWED),
        (SESSION, {"AWS": ROLE_ARN}, {}, ALLOWED),
        (SESSION, {"AWS": ROLE_ARN}, {"boundary": OTHER}, missing(PolicyType.BOUNDARY)),
        (SESSION, {"AWS": ROLE_ARN}, {"session": [OTHER]}, missing(PolicyType.SESSION)),
        (SESSION, {"AWS": HOME}, {}, missing(PolicyType.IDENTITY)),  # the account says who of its own may
        (USER, {"AWS": root(HOME).arn}, {"identity": [YES]}, ALLOWED),
        (STRANGER, {"AWS": STRANGER.arn}, {}, missing(PolicyType.IDENTITY)),  # another account needs both
        (STRANGER, {"AWS": STRANGER.arn}, {"identity": [YES]}, ALLOWED),
        (STRANGER, {"AWS": ABROAD}, {"identity": [YES]}, ALLOWED),
        (STRANGER, {"AWS": HOME}, {"identity": [YES]}, missing(PolicyType.RESOURCE)),
        (STRANGER, {"AWS": STRANGER.arn}, {"identity": [YES], "boundary": OTHER}, missing(PolicyType.BOUNDARY)),
        (NOBODY, "*", {}, ALLOWED),
        (NOBODY, {"AWS": HOME}, {}, missing(PolicyType.RESOURCE)),
        (S3, {"Service": "s3.amazonaws.com"}, {}, ALLOWED),
        (S3, {"Service": "sns.amazonaws.com"}, {}, missing(PolicyType.RESOURCE)),
        (S3, {"AWS": "s3.amazonaws.com"}, {}, missing(PolicyType.RESOURCE)),
    ],
)
def test_what_a_resources_policy_grants_to_whom(
    caller: Caller, principal: Any, bounds: dict[str, Any], expected: Verdict
) -> None:
    assert verdict(caller, resource=[says("Allow", principal)], **bounds) == expected


def test_the_root_may_all_of_its_own_and_nothing_of_others() -> None:
    assert verdict(root(HOME), identity=[EVERYTHING]) == ALLOWED
    assert verdict(root(ABROAD), identity=[EVERYTHING]) == missing(PolicyType.RESOURCE)
    assert verdict(root(HOME), identity=[EVERYTHING], resource=[says("Deny", {"AWS": HOME})]).is_explicit


def test_a_resource_that_must_name_who_may_is_closed_to_all_others() -> None:
    assert verdict(USER, identity=[YES], must_be_named=True) == missing(PolicyType.RESOURCE)
    named = [says("Allow", {"AWS": HOME})]
    assert verdict(USER, identity=[YES], resource=named, must_be_named=True) == ALLOWED
    assert verdict(USER, resource=named, must_be_named=True) == missing(PolicyType.IDENTITY)
    assert verdict(USER, resource=[says("Allow", {"AWS": USER.arn})], must_be_named=True) == ALLOWED


@pytest.mark.parametrize(
    ("listed", "is_denied"),
    [([SESSION.arn, ROLE_ARN, HOME], False), ([SESSION.arn, ROLE_ARN], True), ([SESSION.arn, HOME], True)],
)
def test_not_principal_spares_only_whom_it_names_with_role_and_account(listed: list[str], is_denied: bool) -> None:
    statement = {"Effect": "Deny", "NotPrincipal": {"AWS": listed}, "Action": "*", "Resource": "*"}
    said = verdict(SESSION, identity=[YES], resource=[read_policy({"Statement": statement})])
    assert said.is_allowed is not is_denied


def test_not_principal_doesnt_spare_nobody_in_particular() -> None:
    refusal = {"Effect": "Deny", "NotPrincipal": {"AWS": HOME}, "Action": "*", "Resource": "*"}
    consent = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    assert verdict(NOBODY, resource=[read_policy({"Statement": [refusal, consent]})]).is_explicit


def test_a_resources_account_is_the_callers_own_where_none_is_named() -> None:
    assert verdict(STRANGER, identity=[YES], resource_account_id=None) == ALLOWED


def test_a_condition_looks_at_what_is_known() -> None:
    mine = [says("Allow", "*", Condition={"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}})]
    assert verdict(S3, resource=mine, known={"aws:sourcearn": ["arn:aws:s3:::bucket"]}) == ALLOWED
    assert verdict(S3, resource=mine, known={"aws:sourcearn": ["arn:aws:s3:::other"]}) == missing(PolicyType.RESOURCE)


@pytest.mark.parametrize(
    ("policies", "words"),
    [
        ({}, f"because no identity-based policy allows the {ACTION} action"),
        ({"identity": [YES], "boundary": OTHER}, f"because no permissions boundary allows the {ACTION} action"),
        ({"identity": [YES], "session": []}, f"because no session policy allows the {ACTION} action"),
        ({"identity": [NO]}, "with an explicit deny in an identity-based policy"),
        ({"resource": [says("Deny", "*")]}, "with an explicit deny in a resource-based policy"),
        ({"boundary": NO}, "with an explicit deny in a permissions boundary"),
    ],
)
def test_who_is_denied_learns_what_was_missing(policies: dict[str, Any], words: str) -> None:
    request = Request(caller=SESSION, action=ACTION, resource=ARN, known={})
    told = denial(request, evaluate(request, Policies(**policies)))
    assert told == f"User: {SESSION.arn} is not authorized to perform: {ACTION} on resource: {ARN} {words}"
