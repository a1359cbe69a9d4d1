"""Lists of IAM in pages: whatever the page's size, all of them once, and in one order."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.iam.making import Made, allowing, call
from tests.conformance.refusals import refusal, refused

Filled = Callable[[Any, Made], tuple[dict[str, Any], int]]
"""Fills a list; the members that ask for it, and how many there are."""


def of_users(_: Any, made: Made) -> tuple[dict[str, Any], int]:
    for suffix in ("a", "B", "c", "-d", "=e"):
        made.identity("User", Name=made.name(suffix), Path="/lists/")
    return {"PathPrefix": "/lists/"}, 5


def of_groups(_: Any, made: Made) -> tuple[dict[str, Any], int]:
    for suffix in ("a", "B", "c"):
        made.identity("Group", Name=made.name(suffix), Path="/lists/")
    return {"PathPrefix": "/lists/"}, 3


def of_roles(_: Any, made: Made) -> tuple[dict[str, Any], int]:
    for suffix in ("a", "B", "c"):
        made.identity("Role", Name=made.name(suffix), Path="/lists/")
    return {"PathPrefix": "/lists/"}, 3


def of_policies(_: Any, made: Made) -> tuple[dict[str, Any], int]:
    deep = "/" + "p" * 510 + "/"
    for number in range(3):
        made.policy(PolicyName=f"{number}".rjust(128, "n"), Path=deep)
    return {"PathPrefix": deep}, 3


def of_groups_of_a_user(iam: Any, made: Made) -> tuple[dict[str, Any], int]:
    user = made.user()
    for group in [made.identity("Group", Name=made.name(suffix)) for suffix in ("c", "B", "a")]:
        iam.add_user_to_group(GroupName=group, UserName=user)
    return {"UserName": user}, 3


def of_users_in_a_group(iam: Any, made: Made) -> tuple[dict[str, Any], int]:
    group = made.identity("Group")
    for user in [made.user(Name=made.name(suffix)) for suffix in ("c", "B", "a")]:
        iam.add_user_to_group(GroupName=group, UserName=user)
    return {"GroupName": group}, 3


def of_keys(_: Any, made: Made) -> tuple[dict[str, Any], int]:
    user = made.user()
    for _ in range(2):
        made.key(user)
    return {"UserName": user}, 2


def of_versions(iam: Any, made: Made) -> tuple[dict[str, Any], int]:
    arn = made.policy()
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=allowing("s3:*"))
    return {"PolicyArn": arn}, 5


def of_entities(iam: Any, made: Made) -> tuple[dict[str, Any], int]:
    arn, long_path = made.policy(), "/" + "p" * 510 + "/"
    for kind in ("User", "User", "Group", "Role"):
        name = made.identity(kind, Path=long_path)
        getattr(iam, f"attach_{kind.lower()}_policy")(**{f"{kind}Name": name}, PolicyArn=arn)
    return {"PolicyArn": arn}, 4


def of_inline(iam: Any, made: Made) -> tuple[dict[str, Any], int]:
    role = made.identity("Role")
    for name in ("b", "A", "a"):
        iam.put_role_policy(RoleName=role, PolicyName=name.rjust(128, "n"), PolicyDocument=allowing("s3:*"))
    return {"RoleName": role}, 3


def of_attached(iam: Any, made: Made) -> tuple[dict[str, Any], int]:
    role, deep = made.identity("Role"), "/" + "p" * 510 + "/"
    for arn in [made.policy(PolicyName=letter.rjust(128, "n"), Path=deep) for letter in "bCa"]:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AWSLambda_FullAccess")
    return {"RoleName": role}, 4


def of_tags(_: Any, made: Made) -> tuple[dict[str, Any], int]:
    keys = ["\u00e9" * 128, "\u00e8" * 128, "a", "Z"]
    return {"UserName": made.user(Tags=[{"Key": key, "Value": ""} for key in keys])}, 4


LISTS: list[tuple[str, Filled]] = [
    ("list_users", of_users),
    ("list_groups", of_groups),
    ("list_roles", of_roles),
    ("list_policies", of_policies),
    ("list_groups_for_user", of_groups_of_a_user),
    ("get_group", of_users_in_a_group),
    ("list_access_keys", of_keys),
    ("list_policy_versions", of_versions),
    ("list_entities_for_policy", of_entities),
    ("list_role_policies", of_inline),
    ("list_attached_role_policies", of_attached),
    ("list_user_tags", of_tags),
]


def items(page: dict[str, Any]) -> list[Any]:
    """All that a page lists; those of ListEntitiesForPolicy are in three lists."""
    return [one for name in sorted(page) if isinstance(page[name], list) for one in page[name]]


@pytest.mark.parametrize(("operation", "filled"), LISTS, ids=[name for name, _ in LISTS])
def test_a_list_comes_in_pages(iam: Any, made: Made, operation: str, filled: Filled) -> None:
    asked, count = filled(iam, made)
    whole = call(iam, operation, **asked)
    assert (len(items(whole)), whole["IsTruncated"], "Marker" in whole) == (count, False, False)
    one_by_one: list[Any] = []
    marker: dict[str, str] = {}
    for number in range(1, count + 1):
        page = call(iam, operation, **asked, **marker, MaxItems=1)
        assert len(items(page)) == 1
        assert page["IsTruncated"] is (number < count)
        assert ("Marker" in page) is (number < count)
        one_by_one += items(page)
        marker = {"Marker": page.get("Marker", "")}
    same = sorted if operation == "list_entities_for_policy" else list  # three lists on a page, each in order
    assert same(map(str, one_by_one)) == same(map(str, items(whole)))
    paginated = iam.get_paginator(operation).paginate(**asked, PaginationConfig={"PageSize": 2})
    assert sum(len(items(page)) for page in paginated) == count


@pytest.mark.parametrize(("operation", "filled"), LISTS, ids=[name for name, _ in LISTS])
def test_pages_that_cannot_be(iam: Any, made: Made, operation: str, filled: Filled) -> None:
    asked, _ = filled(iam, made)
    list_them = getattr(iam, operation)
    assert refused(list_them, **asked, MaxItems=1001)[0] == "ValidationError"
    other = iam.list_policies(Scope="AWS", MaxItems=2)["Marker"] if operation != "list_policies" else "made-up"
    for marker in ("x", "\u00e9" * 8, "A" * 320, other):
        assert refusal(list_them, **asked, Marker=marker)[:2] == (400, "ValidationError")
    assert refused(list_them, **asked, Marker="A" * 321)[0] == "ValidationError"


def test_a_list_goes_on_where_it_stopped_whatever_is_deleted_meanwhile(iam: Any, made: Made) -> None:
    names = [made.identity("User", Name=made.name(letter), Path="/lists/") for letter in "abcd"]
    ordered = [one["UserName"] for one in iam.list_users(PathPrefix="/lists/")["Users"]]
    assert sorted(names) == sorted(ordered)
    page = iam.list_users(PathPrefix="/lists/", MaxItems=2)
    iam.delete_user(UserName=ordered[1])
    rest = iam.list_users(PathPrefix="/lists/", Marker=page["Marker"])["Users"]
    assert [one["UserName"] for one in rest] == ordered[2:]
    for path, found in (("/", 3), ("/list", 3), ("/lists/", 3), ("/lists/x", 0), ("/LISTS/", 0)):
        users = iam.list_users(PathPrefix=path)["Users"]
        assert len([one for one in users if one["UserName"] in names]) == found
    assert refused(iam.list_users, PathPrefix="lists/")[0] == "ValidationError"
