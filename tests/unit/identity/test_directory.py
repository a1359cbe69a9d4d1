"""Sessions of roles: they have what the role has that is there, and nothing of one of the same name elsewhere."""

import dataclasses

from lampion.domain.iam.identity import IdentityKind
from lampion.identity.directory import Directory
from tests.identities import ACCOUNT, allowing, identity, keep, resources_in_memory

ROLE = identity(IdentityKind.ROLE, "r", allowing("s3:*"), path="/service/", tags={"Team": "blue"})
ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/session"


async def test_a_session_has_the_policies_the_tags_and_the_id_of_its_role() -> None:
    resources = resources_in_memory()
    directory = Directory(resources)
    await keep(resources, ROLE)
    actor = await directory.session(ROLE.arn, ARN, "AROASTANDIN:session")
    assert len(actor.identity) == 1
    assert actor.user_id == f"{ROLE.unique_id}:session"
    assert actor.known["aws:userid"] == (f"{ROLE.unique_id}:session",)
    assert actor.known["aws:principaltag/team"] == ("blue",)
    assert actor.known["aws:principalarn"] == (ROLE.arn,)
    assert (actor.caller.arn, actor.caller.role_arn) == (ARN, ROLE.arn)


async def test_a_role_of_that_name_with_another_path_is_another() -> None:
    resources = resources_in_memory()
    directory = Directory(resources)
    await keep(resources, ROLE)
    actor = await directory.session(f"arn:aws:iam::{ACCOUNT}:role/r", ARN, "AROASTANDIN:session")
    assert (actor.identity, actor.user_id) == ((), "AROASTANDIN:session")
    assert "aws:principaltag/team" not in actor.known
    await keep(resources, dataclasses.replace(ROLE, path="/"))
    assert (await directory.session(f"arn:aws:iam::{ACCOUNT}:role/r", ARN, "x:session")).identity != ()
