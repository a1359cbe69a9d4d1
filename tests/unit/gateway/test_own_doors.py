"""Doors that AWS doesn't have: who comes in, and who stays out whatever his policies say."""

from typing import Any

import pytest

from lampion.aws.errors import AccessDeniedException
from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.gateway.authentication import Meanwhile, Principal
from lampion.gateway.authorization import OwnDoors
from lampion.gateway.judge import Judge
from lampion.http.message import Request, RequestHead
from lampion.identity.session_keys import SessionKeys
from tests.identities import ACCOUNT, allowing
from tests.unit.gateway.lambda_api import OTHER_ACCOUNT, REGION, Api, root


class Door:
    """Where whoever says that he is somebody is believed."""

    def __init__(self, api: Api, **settings: Any) -> None:
        judge = Judge(region=REGION, scheme="http", clock=api.clock)
        self.doors = OwnDoors(self, judge, **settings)

    def read(self, head: RequestHead) -> Any:
        return None

    async def verify(self, claim: Any, request: Request, meanwhile: Meanwhile | None = None) -> Principal:
        assert isinstance(claim, Principal)
        return claim

    async def admits(self, principal: Principal, method: str = "GET") -> bool:
        try:
            await self.doors.verify(principal, Request(RequestHead(method, "/_lampion/x", "", {}, 0), b""))
        except AccessDeniedException:
            return False
        return True


async def _function(api: Api) -> Principal:
    """Of a server whose functions may all."""
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    key = SessionKeys(SystemRng(), SystemClock()).issue(account_id=ACCOUNT, role=role, session_name="f")
    actor = await api.directory.session(key)
    return Principal(ACCOUNT, key.access_key_id, actor, key, has_session=True)


async def test_functions_stay_out_of_doors_that_arent_for_them_even_where_they_may_all() -> None:
    api = Api(functions_may_all=True)
    function = await _function(api)
    assert await Door(api, for_functions=True).admits(function)
    assert not await Door(api, for_functions=False).admits(function)


async def test_other_accounts_stay_out_of_what_is_about_the_server_as_a_whole() -> None:
    api = Api()
    door = Door(api, for_functions=False, only_account=ACCOUNT)
    assert await door.admits(root(api, ACCOUNT))
    assert not await door.admits(root(api, OTHER_ACCOUNT))
    assert await Door(api, for_functions=False).admits(root(api, OTHER_ACCOUNT))


@pytest.mark.parametrize(
    ("allowed", "admitted"),
    [("lampion:Read", ["GET"]), ("lampion:Change", ["POST", "PUT", "DELETE"]), ("lambda:*", [])],
)
async def test_who_may_read_changes_nothing(allowed: str, admitted: list[str]) -> None:
    api = Api()
    _, principal = await api.user(allowing(allowed))
    door = Door(api, for_functions=False)
    assert [one for one in ("GET", "POST", "PUT", "DELETE") if await door.admits(principal, one)] == admitted
