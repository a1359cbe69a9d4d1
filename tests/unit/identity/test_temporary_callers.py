"""What is remembered of temporary keys is as old as nobody could tell."""

import dataclasses
from typing import Any

import pytest

from lampion.clock.rng import SystemRng
from lampion.domain.iam.identity import IdentityKind
from lampion.identity.directory import Directory
from lampion.identity.temporary_callers import TemporaryCallers
from lampion.identity.temporary_keys import Expired, Standing, TemporaryKey, TemporaryKeys
from lampion.store.iam import IDENTITIES, MANAGED_POLICIES
from tests.identities import ACCOUNT, allowing, identity, keep, managed, resources_in_memory

NOW = 1_000
ROLE = identity(IdentityKind.ROLE, "r", allowing("lambda:*"))


class Callers:
    """Of one account, with the role `r`."""

    def __init__(self) -> None:
        self.resources = resources_in_memory()
        self.temporary = TemporaryKeys(b"secret of the server", SystemRng())
        self.callers = TemporaryCallers(self.temporary, Directory(self.resources))

    def key(self, **more: Any) -> TemporaryKey:
        standing = {"role_arn": ROLE.arn, "unique_id": ROLE.unique_id, "session_name": "s", **more}
        return self.temporary.issue(
            Standing(account_id=ACCOUNT, issued_epoch_seconds=NOW, expires_epoch_seconds=NOW + 100, **standing)
        )

    async def find(self, key: TemporaryKey, *, now: float = NOW, token: str | None = None) -> Any:
        return await self.callers.find(key.access_key_id, token or key.session_token, now)


async def test_who_is_remembered_is_found_by_the_whole_token_alone() -> None:
    on = Callers()
    await keep(on.resources, ROLE)
    key, other = on.key(), on.key()
    found = await on.find(key)
    assert (found.secret_access_key, found.actor.caller.role_arn) == (key.secret_access_key, ROLE.arn)
    assert await on.find(key) is found
    assert await on.find(key, token=other.session_token) is None
    assert await on.find(key, token=key.session_token + "x") is None


async def test_a_key_ends_when_it_says_remembered_or_not() -> None:
    on = Callers()
    await keep(on.resources, ROLE)
    key = on.key()
    assert await on.find(key, now=NOW + 99) is not None
    for _ in range(2):
        with pytest.raises(Expired):
            await on.find(key, now=NOW + 100)


async def test_any_change_of_a_role_counts_for_its_sessions_at_once() -> None:
    on = Callers()
    await keep(on.resources, ROLE)
    key = on.key()
    assert len((await on.find(key)).actor.identity) == 1
    await keep(on.resources, dataclasses.replace(ROLE, inline={}))
    assert (await on.find(key)).actor.identity == ()
    await on.resources.change(lambda stored: stored.delete(IDENTITIES, IDENTITIES.place(ROLE)))
    assert await on.find(key) is None
    await keep(on.resources, dataclasses.replace(ROLE, unique_id="another"))
    assert await on.find(key) is None


async def test_any_change_of_a_sessions_own_policies_counts_at_once() -> None:
    on, policy = Callers(), managed("p", allowing("lambda:*"))
    await keep(on.resources, ROLE)
    await on.resources.change(lambda stored: stored.put(MANAGED_POLICIES, policy))
    keys = on.key(policy_arns=(policy.arn,)), on.key(role_arn="", unique_id="", policy_arns=(policy.arn,))
    for key in keys:  # of the role's session, and of the root, who himself never changes
        assert len((await on.find(key)).actor.session) == 1
    await on.resources.change(lambda stored: stored.delete(MANAGED_POLICIES, MANAGED_POLICIES.place(policy)))
    for key in keys:
        assert (await on.find(key)).actor.session == ()


async def test_no_more_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lampion.identity.temporary_callers._CAPACITY", 2)
    on = Callers()
    await keep(on.resources, ROLE)
    for _ in range(5):
        await on.find(on.key())
    assert len(vars(on.callers)["_known"]) <= 2
