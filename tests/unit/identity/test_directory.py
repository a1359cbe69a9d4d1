"""Sessions of roles: they have what the role has that is there, and nothing of one of the same name elsewhere."""

import dataclasses
from typing import Any

import pytest

from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.domain.iam.identity import IdentityKind
from lampion.identity.actors import Actor
from lampion.identity.directory import Directory
from lampion.identity.session_keys import SessionKeys
from lampion.identity.temporary_keys import Standing
from lampion.store.cached_resources import CachedResources
from tests.identities import ACCOUNT, allowing, identity, keep, resources_in_memory

ROLE = identity(IdentityKind.ROLE, "r", allowing("s3:*"), path="/service/", tags={"Team": "blue"})
ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/session"
STANDING = Standing(
    account_id=ACCOUNT,
    unique_id=ROLE.unique_id,
    role_arn=ROLE.arn,
    session_name="session",
    issued_epoch_seconds=1,
    expires_epoch_seconds=2,
)


def loses_its_policies_while_it_is_read(monkeypatch: pytest.MonkeyPatch, resources: CachedResources) -> None:
    read = resources.read

    async def read_slowly(reading: Any) -> Any:
        found = await read(reading)
        monkeypatch.setattr(resources, "read", read)
        await keep(resources, dataclasses.replace(ROLE, inline={}))
        return found

    monkeypatch.setattr(resources, "read", read_slowly)


async def session_of(directory: Directory, role_arn: str) -> Actor:
    key = SessionKeys(SystemRng(), SystemClock()).issue(account_id=ACCOUNT, role=role_arn, session_name="session")
    return await directory.session(key)


async def test_a_session_has_the_policies_the_tags_and_the_id_of_its_role() -> None:
    resources = resources_in_memory()
    await keep(resources, ROLE)
    actor = await session_of(Directory(resources), ROLE.arn)
    assert len(actor.identity) == 1
    assert actor.user_id == f"{ROLE.unique_id}:session"
    assert actor.known["aws:userid"] == (f"{ROLE.unique_id}:session",)
    assert actor.known["aws:principaltag/team"] == ("blue",)
    assert actor.known["aws:principalarn"] == (ROLE.arn,)
    assert actor.known["aws:multifactorauthpresent"] == ("false",)
    assert (actor.caller.arn, actor.caller.role_arn) == (ARN, ROLE.arn)


async def test_a_role_of_that_name_with_another_path_is_another() -> None:
    resources, role_arn = resources_in_memory(), f"arn:aws:iam::{ACCOUNT}:role/r"
    directory = Directory(resources)
    await keep(resources, ROLE)
    actor = await session_of(directory, role_arn)
    assert actor.identity == ()
    assert not actor.user_id.startswith(ROLE.unique_id)
    assert "aws:principaltag/team" not in actor.known
    await keep(resources, dataclasses.replace(ROLE, path="/"))
    assert (await session_of(directory, role_arn)).identity != ()


async def test_what_changed_while_it_was_read_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    resources = resources_in_memory()
    directory = Directory(resources)
    await keep(resources, ROLE)
    loses_its_policies_while_it_is_read(monkeypatch, resources)
    early = await directory.role(ACCOUNT, "r")
    assert early is not None
    assert (len(early.identity), early.epoch.is_over) == (1, True)
    now = await directory.role(ACCOUNT, "r")
    assert now is not None
    assert (now.identity, now.epoch.is_over) == ((), False)


async def test_whom_a_temporary_key_stands_for_is_as_old_as_the_first_that_was_read_of_him(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resources = resources_in_memory()
    directory = Directory(resources)
    await keep(resources, ROLE)
    loses_its_policies_while_it_is_read(monkeypatch, resources)
    early = await directory.standing(STANDING)
    assert early is not None
    assert (len(early.identity), early.epoch.is_over) == (1, True)  # so that nobody remembers it


async def test_the_session_of_a_role_that_was_made_anew_is_nobodys() -> None:
    resources = resources_in_memory()
    directory = Directory(resources)
    await keep(resources, dataclasses.replace(ROLE, unique_id="ID-OF-ANOTHER"))
    assert await directory.standing(STANDING) is None
