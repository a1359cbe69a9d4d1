"""What a sandbox is lent: keys of its own, that end with it; where it may ask for them, new ones before they expire."""

import socket
from dataclasses import dataclass
from typing import Any, cast

import pytest

from lampion.clock.rng import SystemRng
from lampion.clock.virtual import VirtualClock
from lampion.environments.environ import SessionCredentials
from lampion.environments.server_access import ServerAccess
from lampion.environments.session import OfferedCredentials
from lampion.identity.session_keys import Runner, SessionKeys
from lampion.identity.temporary_keys import Expired
from lampion.sandbox.driver import Sandbox
from tests.component.environments.snapshot_stage import NoDoors, NoRoles
from tests.component.environments.stage import FUNCTION

HOUR_SECONDS = 3600.0


@dataclass
class Box:
    """As much of a sandbox as is asked for."""

    sandbox_id: str
    gateway: socket.socket | None = None


class Stage:
    """Who lends, by a clock that the test moves."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.sessions = SessionKeys(SystemRng(), self.clock)
        self.access = ServerAccess(self.sessions, NoDoors(), NoRoles(), self.clock)

    def is_valid(self, keys: SessionCredentials) -> bool:
        return self.sessions.find(keys.access_key_id, keys.session_token) is not None

    async def asking(self, name: str, *, is_origin: bool = False) -> tuple[Sandbox, OfferedCredentials]:
        given: list[OfferedCredentials] = []

        async def start(offered: OfferedCredentials) -> Sandbox:
            given.append(offered)
            return cast("Sandbox", Box(name))

        return await self.access.start_asking(FUNCTION, "token", start, is_origin=is_origin), given[0]


async def test_those_of_environment_variables_end_after_twelve_hours_or_with_the_sandbox() -> None:
    on = Stage()
    given: list[Any] = []

    async def start(credentials: SessionCredentials) -> Sandbox:
        given.append(credentials)
        return cast("Sandbox", Box(f"box-{len(given)}"))

    one, other = await on.access.start(FUNCTION, start), await on.access.start(FUNCTION, start)
    keys = on.access.keys_of(one)
    assert keys is not None
    assert keys.end_epoch_seconds == on.clock.now() + 12 * HOUR_SECONDS
    await on.access.end(one)
    await on.access.end(one)
    assert [on.is_valid(credentials) for credentials in given] == [False, True]
    assert on.access.keys_of(one) is None
    await on.clock.advance(12 * HOUR_SECONDS)
    with pytest.raises(Expired):
        on.is_valid(given[1])
    await on.access.end(other)


async def test_what_is_asked_for_is_renewed_before_it_expires_and_valid_until_then() -> None:
    on = Stage()
    sandbox, offered = await on.asking("one")
    keys = on.access.keys_of(sandbox)
    assert keys is not None
    assert keys.end_epoch_seconds is None
    first, seconds = offered.current()
    assert seconds == 6 * HOUR_SECONDS
    await on.clock.advance(6 * HOUR_SECONDS - 20 * 60)
    assert offered.current() == (first, 20 * 60)
    await on.clock.advance(5 * 60 + 1)
    second, seconds = offered.current()
    assert (second != first, seconds) == (True, 6 * HOUR_SECONDS)
    assert on.is_valid(first)
    assert on.is_valid(second)
    assert offered.current()[0] == second
    await on.clock.advance(15 * 60)
    with pytest.raises(Expired):
        on.is_valid(first)
    await on.access.end(sandbox)
    assert not on.is_valid(second)
    assert not on.is_valid(first)


async def test_each_sandbox_has_its_own() -> None:
    on = Stage()
    (_, one), (_, other) = await on.asking("one"), await on.asking("other")
    assert one.current()[0] != other.current()[0]


async def test_who_keeps_those_of_the_snapshots_origin_asks_anew_soon() -> None:
    """Every client of AWS's does when they last for a minute more, or longer than that."""
    on = Stage()
    _, offered = await on.asking("origin", is_origin=True)
    keys, seconds = offered.current()
    assert seconds == 60
    await on.clock.advance(10 * 60)
    assert offered.current() == (keys, 60)
    assert on.is_valid(keys)


async def test_one_that_does_not_start_leaves_no_keys() -> None:
    on = Stage()
    given: list[Any] = []

    async def start(credentials: SessionCredentials) -> Sandbox:
        given.append(credentials)
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 -- the one raised above
        await on.access.start(FUNCTION, start)
    assert not on.is_valid(given[0])


async def test_keys_say_of_which_role_and_version_they_are() -> None:
    """So that they are void when one of these is another: identity.function_sessions."""
    on = Stage()

    async def start(credentials: SessionCredentials) -> Sandbox:
        return cast("Sandbox", Box("box"))

    with_id = ServerAccess(on.sessions, NoDoors(), _OneRole(), on.clock)
    lent = with_id.keys_of(await with_id.start(FUNCTION, start))
    assert lent is not None
    assert lent.newest.role_id == "AROA1"
    assert lent.newest.runner == Runner(FUNCTION.key, FUNCTION.version, FUNCTION.creation_id)


async def test_its_door_closes_when_it_ends() -> None:
    on, doors = Stage(), _Doors()
    access = ServerAccess(on.sessions, doors, NoRoles(), on.clock)
    with socket.socket() as listener:

        async def start(credentials: SessionCredentials) -> Sandbox:
            return cast("Sandbox", Box("box", listener))

        box = await access.start(FUNCTION, start)
        assert (doors.opened, doors.closed) == ([listener], 0)
        await access.end(box)
        await access.end(box)
        assert doors.closed == 1


async def test_keys_that_last_for_less_than_they_are_renewed_before_arent_renewed_at_every_question() -> None:
    on = Stage()
    on.access = ServerAccess(on.sessions, NoDoors(), NoRoles(), on.clock, asked_lifetime_seconds=600)
    _, offered = await on.asking("one")
    first, _ = offered.current()
    await on.clock.advance(300)
    assert offered.current() == (first, 300)
    await on.clock.advance(1)
    assert offered.current()[0] != first


class _OneRole(NoRoles):
    async def role_id(self, account_id: str, role_arn: str) -> str:
        return "AROA1"


class _Doors:
    """Counts; each door is the same."""

    def __init__(self) -> None:
        self.opened: list[socket.socket] = []
        self.closed = 0

    def open(self, listener: socket.socket) -> "_Doors":
        self.opened.append(listener)
        return self

    async def close(self) -> None:
        self.closed += 1
