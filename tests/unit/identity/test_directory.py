"""Sessions of roles: they have what the role has that is there, and nothing of one of the same name elsewhere."""

import dataclasses

from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.domain.iam.identity import IdentityKind
from lampion.identity.actors import Actor
from lampion.identity.directory import Directory
from lampion.identity.session_keys import SessionKeys
from tests.identities import ACCOUNT, allowing, identity, keep, resources_in_memory

ROLE = identity(IdentityKind.ROLE, "r", allowing("s3:*"), path="/service/", tags={"Team": "blue"})
ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/session"


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
