"""Two accounts on one server have each their own users, groups, roles and policies, and never see the other's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.iam.making import Made, call, making, with_keys
from tests.conformance.refusals import refusal
from tests.live_server import LiveServer

OWNER, OTHER = "123456789012", "111122223333"


@pytest.fixture(scope="module")
def open_server(marked_root: Path) -> Iterator[LiveServer]:
    with LiveServer(data=marked_root / "iam-accounts", options=("--auth", "open")) as server:
        yield server


@pytest.fixture
def accounts(open_server: LiveServer) -> Iterator[tuple[Made, Made]]:
    """What each account makes."""
    server = open_server
    owner, other = (with_keys(server.url, "iam", account_id, "any") for account_id in (OWNER, OTHER))
    with making(owner, server, "owner") as one, making(other, server, "other") as two:
        yield one, two
    owner.close()
    other.close()


def all_of(iam: Any) -> list[Any]:
    asked = ("list_users", "list_groups", "list_roles", "list_access_keys")
    return [*(call(iam, one) for one in asked), call(iam, "list_policies", Scope="Local")]


def test_neither_account_sees_what_the_other_has(accounts: tuple[Made, Made]) -> None:
    owner, other = accounts
    before = all_of(other.iam)
    for kind in ("User", "Group", "Role"):
        owner.identity(kind, Name="same")
    arn = owner.policy(PolicyName="same")
    key_id = owner.key("same")["AccessKeyId"]
    assert all_of(other.iam) == before
    for kind in ("user", "group", "role"):
        named = {f"{kind.capitalize()}Name": "same"}
        told = (404, "NoSuchEntity", f"The {kind} with name same cannot be found.")
        assert refusal(getattr(other.iam, f"get_{kind}"), **named) == told
        assert refusal(getattr(other.iam, f"delete_{kind}"), **named) == told
    assert refusal(other.iam.get_policy, PolicyArn=arn) == (404, "NoSuchEntity", f"Policy {arn} was not found.")
    other.identity("User", Name="same")
    told = (404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
    assert refusal(other.iam.attach_user_policy, UserName="same", PolicyArn=arn) == told
    assert refusal(other.iam.put_user_permissions_boundary, UserName="same", PermissionsBoundary=arn) == told
    told = (404, "NoSuchEntity", f"The Access Key with id {key_id} cannot be found.")
    assert refusal(other.iam.delete_access_key, UserName="same", AccessKeyId=key_id) == told
    assert other.iam.list_access_keys(UserName="same")["AccessKeyMetadata"] == []
    assert other.policy(PolicyName="same") == arn.replace(OWNER, OTHER)
    users = [one.iam.get_user(UserName="same")["User"] for one in accounts]
    assert users[0]["UserId"] != users[1]["UserId"]
    assert [one["Arn"] for one in users] == [f"arn:aws:iam::{account}:user/same" for account in (OWNER, OTHER)]
    other.iam.delete_user(UserName="same")
    assert owner.iam.get_user(UserName="same")["User"] == users[0]
    assert owner.iam.list_access_keys(UserName="same")["AccessKeyMetadata"][0]["AccessKeyId"] == key_id


def test_markers_and_attachments_are_an_accounts_own(accounts: tuple[Made, Made]) -> None:
    owner, other = accounts
    shared = "arn:aws:iam::aws:policy/AWSLambda_FullAccess"
    for number in range(3):
        user = owner.user(Name=f"u{number}")
        owner.iam.attach_user_policy(UserName=user, PolicyArn=shared)
    assert owner.iam.get_policy(PolicyArn=shared)["Policy"]["AttachmentCount"] == 3
    assert other.iam.get_policy(PolicyArn=shared)["Policy"]["AttachmentCount"] == 0
    assert other.iam.list_entities_for_policy(PolicyArn=shared)["PolicyUsers"] == []
    marker = owner.iam.list_users(MaxItems=1)["Marker"]
    other.user(Name="z")
    assert [one["Arn"] for one in other.iam.list_users(Marker=marker)["Users"]] == [f"arn:aws:iam::{OTHER}:user/z"]
