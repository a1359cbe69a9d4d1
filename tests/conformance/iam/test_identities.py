"""Users, groups and roles with boto3: made, read, renamed, deleted, and refused in IAM's words."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conformance.iam.making import ACCOUNT, KINDS, TRUST, Made, allowing, call
from tests.conformance.refusals import refusal, refused

ID = {"User": "AIDA", "Group": "AGPA", "Role": "AROA"}
COMMON = {"Path", "Arn", "CreateDate"}


def members_of(kind: str) -> set[str]:
    """Of one that has neither tags nor a boundary nor a description."""
    of_role = {"AssumeRolePolicyDocument", "MaxSessionDuration"} if kind == "Role" else set()
    return COMMON | {f"{kind}Name", f"{kind}Id"} | of_role


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_is_read_again(iam: Any, made: Made, kind: str) -> None:
    name = made.name()
    required = {"AssumeRolePolicyDocument": json.dumps(TRUST)} if kind == "Role" else {}
    made.names.append((kind, name))
    created = call(iam, f"create_{kind.lower()}", **{f"{kind}Name": name}, Path="/a/b/", **required)
    assert set(created) == {kind}
    shown = created[kind]
    assert set(shown) == members_of(kind)
    assert shown[f"{kind}Name"] == name
    assert re.fullmatch(rf"{ID[kind]}[A-Z2-7]{{17}}", shown[f"{kind}Id"])
    assert shown["Arn"] == f"arn:aws:iam::{ACCOUNT}:{kind.lower()}/a/b/{name}"
    assert abs(shown["CreateDate"] - datetime.now(UTC)) < timedelta(minutes=1)
    got = call(iam, f"get_{kind.lower()}", **{f"{kind}Name": name.upper()})
    if kind == "Group":
        assert (got.pop("Users"), got.pop("IsTruncated")) == ([], False)
    if kind == "Role":
        assert got["Role"].pop("RoleLastUsed") == {}
    assert got == created
    listed = call(iam, f"list_{kind.lower()}s", PathPrefix="/a/")
    assert shown in listed[f"{kind}s"]
    assert (set(listed), listed["IsTruncated"]) == ({f"{kind}s", "IsTruncated"}, False)
    assert call(iam, f"delete_{kind.lower()}", **{f"{kind}Name": name}) == {}
    missing = (404, "NoSuchEntity", f"The {kind.lower()} with name {name} cannot be found.")
    assert refusal(getattr(iam, f"get_{kind.lower()}"), **{f"{kind}Name": name}) == missing
    assert refusal(getattr(iam, f"delete_{kind.lower()}"), **{f"{kind}Name": name}) == missing


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_taken_in_any_case_and_on_any_path(iam: Any, made: Made, kind: str) -> None:
    name = made.identity(kind)
    required = {"AssumeRolePolicyDocument": json.dumps(TRUST)} if kind == "Role" else {}
    create = getattr(iam, f"create_{kind.lower()}")
    for taken, path in ((name, "/"), (name.upper(), "/"), (name, "/other/")):
        told = (409, "EntityAlreadyExists", f"{kind} with name {taken} already exists.")
        assert refusal(create, **{f"{kind}Name": taken}, Path=path, **required) == told


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_was_deleted_is_made_anew_as_another(iam: Any, made: Made, kind: str) -> None:
    name = made.identity(kind)
    first = getattr(iam, f"get_{kind.lower()}")(**{f"{kind}Name": name})[kind]
    getattr(iam, f"delete_{kind.lower()}")(**{f"{kind}Name": name})
    made.identity(kind, Name=name)
    second = getattr(iam, f"get_{kind.lower()}")(**{f"{kind}Name": name})[kind]
    assert first[f"{kind}Id"] != second[f"{kind}Id"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_names_may_not_be(iam: Any, kind: str) -> None:
    required = {"AssumeRolePolicyDocument": json.dumps(TRUST)} if kind == "Role" else {}
    create = getattr(iam, f"create_{kind.lower()}")
    most = 128 if kind == "Group" else 64
    at = f"{kind.lower()}Name"
    invalid = f"The specified value for {at} is invalid. It must contain only alphanumeric characters and/or the"
    long = "x" * (most + 1)
    told = {
        **dict.fromkeys(("with space", "\u00e9", "a/b"), invalid),
        long: f"Value '{long}' at '{at}' failed to satisfy constraint: Member must have length less than",
    }
    for name, sentence in told.items():
        status, code, message = refusal(create, **{f"{kind}Name": name}, **required)
        assert (status, code) == (400, "ValidationError")
        assert sentence in message
    assert refused(create, **{f"{kind}Name": "n"}, Path="no-slash", **required)[0] == "ValidationError"


@pytest.mark.parametrize("kind", ["User", "Group"])
def test_users_and_groups_are_renamed_and_moved(iam: Any, made: Made, kind: str) -> None:
    get, update = getattr(iam, f"get_{kind.lower()}"), getattr(iam, f"update_{kind.lower()}")
    name, other = made.identity(kind), made.identity(kind)
    before = get(**{f"{kind}Name": name})[kind]
    new_name = made.name("-new")
    assert call(iam, f"update_{kind.lower()}", **{f"{kind}Name": name, f"New{kind}Name": new_name}) == {}
    made.renamed(kind, name, new_name)
    assert refused(get, **{f"{kind}Name": name})[0] == "NoSuchEntity"
    update(**{f"{kind}Name": new_name}, NewPath="/moved/")
    after = get(**{f"{kind}Name": new_name})[kind]
    arn = f"arn:aws:iam::{ACCOUNT}:{kind.lower()}/moved/{new_name}"
    assert after == {**before, f"{kind}Name": new_name, "Path": "/moved/", "Arn": arn}
    update(**{f"{kind}Name": new_name, f"New{kind}Name": new_name.upper()})
    assert get(**{f"{kind}Name": new_name})[kind][f"{kind}Name"] == new_name.upper()
    taken = refusal(update, **{f"{kind}Name": new_name, f"New{kind}Name": other.upper()})
    assert taken == (409, "EntityAlreadyExists", f"{kind} with name {other.upper()} already exists.")
    assert refused(update, **{f"{kind}Name": name, f"New{kind}Name": "x"})[0] == "NoSuchEntity"


def test_members_follow_their_group_to_its_new_name(iam: Any, made: Made) -> None:
    user, group = made.user(), made.identity("Group")
    iam.add_user_to_group(GroupName=group, UserName=user)
    new_name = made.name("-new")
    iam.update_group(GroupName=group, NewGroupName=new_name)
    made.renamed("Group", group, new_name)
    assert [one["GroupName"] for one in iam.list_groups_for_user(UserName=user)["Groups"]] == [new_name]
    assert [one["UserName"] for one in iam.get_group(GroupName=new_name)["Users"]] == [user]


def test_users_are_put_into_groups_and_taken_out(iam: Any, made: Made) -> None:
    user, group = made.user(Tags=[{"Key": "a", "Value": "b"}]), made.identity("Group")
    shown = iam.get_user(UserName=user)["User"]
    del shown["Tags"]
    for _ in range(2):
        assert call(iam, "add_user_to_group", GroupName=group.upper(), UserName=user.upper()) == {}
    found = call(iam, "get_group", GroupName=group)
    assert (found["Users"], found["IsTruncated"]) == ([shown], False)
    assert call(iam, "list_groups_for_user", UserName=user) == {"Groups": [found["Group"]], "IsTruncated": False}
    in_group = "Cannot delete entity, must remove users from group first."
    assert refusal(iam.delete_group, GroupName=group) == (409, "DeleteConflict", in_group)
    assert refusal(iam.delete_user, UserName=user) == (409, "DeleteConflict", in_group)
    for _ in range(2):
        assert call(iam, "remove_user_from_group", GroupName=group, UserName=user) == {}
    assert iam.get_group(GroupName=group)["Users"] == []
    for change in (iam.add_user_to_group, iam.remove_user_from_group):
        nobody = ("NoSuchEntity", "The user with name nobody cannot be found.")
        assert refused(change, GroupName=group, UserName="nobody") == nobody
        nowhere = ("NoSuchEntity", "The group with name nowhere cannot be found.")
        assert refused(change, GroupName="nowhere", UserName=user) == nowhere
    assert refused(iam.list_groups_for_user, UserName="nobody")[0] == "NoSuchEntity"


def test_a_user_is_in_ten_groups_at_the_most(iam: Any, made: Made) -> None:
    user = made.user()
    *groups, last = (made.identity("Group") for _ in range(11))
    for group in groups:
        iam.add_user_to_group(GroupName=group, UserName=user)
    told = (409, "LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10")
    assert refusal(iam.add_user_to_group, GroupName=last, UserName=user) == told
    iam.add_user_to_group(GroupName=groups[0], UserName=user)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_deleted_while_something_hangs_on_it(iam: Any, made: Made, kind: str) -> None:
    lower, named = kind.lower(), {f"{kind}Name": made.identity(kind)}
    delete = getattr(iam, f"delete_{lower}")
    arn = made.policy()
    getattr(iam, f"attach_{lower}_policy")(**named, PolicyArn=arn)
    getattr(iam, f"put_{lower}_policy")(**named, PolicyName="p", PolicyDocument=allowing("s3:*"))
    attached = (409, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
    assert refusal(delete, **named) == attached
    getattr(iam, f"detach_{lower}_policy")(**named, PolicyArn=arn)
    inline = (409, "DeleteConflict", "Cannot delete entity, must delete policies first.")
    assert refusal(delete, **named) == inline
    getattr(iam, f"delete_{lower}_policy")(**named, PolicyName="p")
    if kind == "User":
        key = made.key(named["UserName"])
        keys = (409, "DeleteConflict", "Cannot delete entity, must delete access keys first.")
        assert refusal(delete, **named) == keys
        iam.delete_access_key(**named, AccessKeyId=key["AccessKeyId"])
    delete(**named)
