"""Pages of IAM: a hundred, or as many as are asked for, up to a thousand; and who asks without a name."""

from typing import Any

import pytest

from lampion.aws.errors import ValidationException
from lampion.aws.operation import RequestContext
from lampion.aws.pagination import Markers
from lampion.clock.rng import SystemRng
from lampion.clock.virtual import VirtualClock
from lampion.services.iam.rooms import IamRooms, is_root, user_name_of
from tests.identities import ACCOUNT, resources_in_memory

ROOMS = IamRooms(
    resources=resources_in_memory(), clock=VirtualClock(), rng=SystemRng(), markers=Markers(b"x" * 32), secret=b"s"
)
MANY = [f"{number:04}" for number in range(1500)]


def page(found: list[str], **members: Any) -> tuple[list[str], Any]:
    shown, more = ROOMS.page("ListUsers", members, found, str)
    return list(shown), more


@pytest.mark.parametrize(("asked", "count"), [({}, 100), ({"MaxItems": 7}, 7), ({"MaxItems": 1000}, 1000)])
def test_a_page_is_as_long_as_asked_for(asked: dict[str, int], count: int) -> None:
    shown, more = page(MANY, **asked)
    assert (shown, more["IsTruncated"]) == (MANY[:count], True)
    assert page(MANY, **asked, Marker=more["Marker"])[0] == MANY[count : 2 * count]


def test_the_last_page_says_so() -> None:
    assert page(MANY[:100]) == (MANY[:100], {"IsTruncated": False})
    assert page([]) == ([], {"IsTruncated": False})


def test_a_marker_of_another_list_is_none() -> None:
    marker = ROOMS.page("ListRoles", {}, MANY, str)[1]["Marker"]
    with pytest.raises(ValidationException):
        page(MANY, Marker=marker)


def test_ids_are_21_characters_and_never_alike() -> None:
    ids = {ROOMS.new_id("AIDA") for _ in range(100)}
    assert len(ids) == 100
    assert all(len(one) == 21 and one.startswith("AIDA") and one.isalnum() for one in ids)


def asking(arn: str) -> RequestContext:
    return RequestContext(account_id=ACCOUNT, region="r", principal="k", request_id="i", caller_arn=arn)


def test_who_asks_without_a_name() -> None:
    root, user = asking(f"arn:aws:iam::{ACCOUNT}:root"), asking(f"arn:aws:iam::{ACCOUNT}:user/a/b/ann")
    session = asking(f"arn:aws:sts::{ACCOUNT}:assumed-role/r/:user/x")
    assert (is_root(root), is_root(user), is_root(session)) == (True, False, False)
    assert user_name_of(user, {}) == "ann"
    assert user_name_of(root, {"UserName": "bob"}) == "bob"
    for other in (root, asking(f"arn:aws:sts::{ACCOUNT}:assumed-role/user/s")):
        with pytest.raises(ValidationException):
            user_name_of(other, {})
