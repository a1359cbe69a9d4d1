"""Users, groups and roles: their names' meaning, what hangs on them, how much of it may, and IAM's words."""

import json
from typing import Any

import pytest

from lampion.domain.iam.errors import DeleteConflictException, LimitExceededException, NoSuchEntityException
from lampion.domain.iam.identity import (
    ID_PREFIXES,
    IdentityKind,
    check_deletable,
    inline_missing,
    missing,
    taken,
    with_attached,
    with_inline,
    without_attached,
    without_inline,
)
from tests.identities import identity

USER, GROUP, ROLE = IdentityKind.USER, IdentityKind.GROUP, IdentityKind.ROLE
POLICY = "arn:aws:iam::123456789012:policy/p"


def message_of(kind: type[Exception], call: Any, *arguments: Any) -> str:
    with pytest.raises(kind) as caught:
        call(*arguments)
    return str(caught.value.message)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "prefix"), [(USER, "AIDA"), (GROUP, "AGPA"), (ROLE, "AROA")])
def test_a_kind_is_known_by_its_ids(kind: IdentityKind, prefix: str) -> None:
    assert ID_PREFIXES[kind] == prefix


@pytest.mark.parametrize(
    ("kind", "path", "arn"),
    [
        (USER, "/", "arn:aws:iam::123456789012:user/n"),
        (GROUP, "/a/", "arn:aws:iam::123456789012:group/a/n"),
        (ROLE, "/a/b/", "arn:aws:iam::123456789012:role/a/b/n"),
    ],
)
def test_an_arn_holds_the_path(kind: IdentityKind, path: str, arn: str) -> None:
    assert identity(kind, "n", path=path).arn == arn


@pytest.mark.parametrize(("kind", "word"), [(USER, "User"), (GROUP, "Group"), (ROLE, "Role")])
def test_what_isnt_there_and_what_is_there_already(kind: IdentityKind, word: str) -> None:
    assert missing(kind, "n").message == f"The {word.lower()} with name n cannot be found."
    assert taken(kind, "n").message == f"{word} with name n already exists."
    nothing = f"The {word.lower()} policy with name p cannot be found."
    assert inline_missing(identity(kind, "n"), "p").message == nothing
    assert message_of(NoSuchEntityException, without_inline, identity(kind, "n", "{}"), "p") == nothing


def text_of(size: int) -> str:
    return json.dumps({"a": "x" * (size - len('{"a":""}'))})


@pytest.mark.parametrize(("kind", "most"), [(USER, 2048), (GROUP, 5120), (ROLE, 10_240)])
def test_the_policies_in_an_identity_have_a_greatest_size_together(kind: IdentityKind, most: int) -> None:
    one = with_inline(identity(kind, "n"), "p", text_of(most - 100))
    full = with_inline(one, "q", text_of(100))
    assert set(full.inline) == {"p", "q"}
    told = f"Maximum policy size of {most} bytes exceeded for {kind} n"
    assert message_of(LimitExceededException, with_inline, one, "q", text_of(101)) == told
    assert message_of(LimitExceededException, with_inline, full, "r", "{}") == told
    assert with_inline(full, "q", text_of(99)).inline["q"] == text_of(99)


def test_a_policy_in_an_identity_is_replaced_and_removed_by_its_name() -> None:
    both = with_inline(with_inline(identity(USER, "n"), "p", "{}"), "q", "[]")
    assert with_inline(both, "p", "1").inline == {"p": "1", "q": "[]"}
    assert without_inline(both, "p").inline == {"q": "[]"}
    assert both.inline == {"p": "{}", "q": "[]"}


@pytest.mark.parametrize(("kind", "word"), [(USER, "User"), (GROUP, "Group"), (ROLE, "Role")])
def test_ten_managed_policies_may_be_attached(kind: IdentityKind, word: str) -> None:
    one = identity(kind, "n")
    for number in range(10):
        one = with_attached(one, f"{POLICY}{number}")
    assert message_of(LimitExceededException, with_attached, one, POLICY) == (
        f"Cannot exceed quota for PoliciesPer{word}: 10"
    )
    assert with_attached(one, f"{POLICY}9") == one
    assert with_attached(without_attached(one, f"{POLICY}0"), POLICY).attached[-1] == POLICY


def test_what_is_detached_was_attached() -> None:
    one = with_attached(with_attached(identity(ROLE, "n"), POLICY), f"{POLICY}2")
    assert without_attached(one, POLICY).attached == (f"{POLICY}2",)
    assert message_of(NoSuchEntityException, without_attached, one, "arn:x") == "Policy arn:x was not found."


def test_nothing_is_deleted_while_something_hangs_on_it() -> None:
    check_deletable(identity(USER, "n", boundary=POLICY, tags={"a": "b"}))
    hanging = {
        "must detach all policies first": identity(ROLE, "n", attached=(POLICY,)),
        "must delete policies first": identity(GROUP, "n", "{}"),
        "must remove users from group first": identity(USER, "n", groups=("g",)),
    }
    for told, one in hanging.items():
        assert message_of(DeleteConflictException, check_deletable, one) == f"Cannot delete entity, {told}."
