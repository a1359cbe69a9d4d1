"""A function's variables, from what a caller sent to what is stored, and back: whatever shows a function shows none."""

from dataclasses import replace
from pathlib import Path

import pytest

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import Function
from lampion.domain.key_problems import KeyUnusable
from lampion.identity.function_environments import FunctionEnvironments, is_grant_of
from lampion.store.kms import GRANTS
from tests.component.store.samples import function
from tests.identities import ACCOUNT, Session
from tests.kms_in_memory import KmsInMemory

VARIABLES = {"SECRET": "hidden", "ÜBER": "日本 \u0000 \U0001f999"}
PLAIN = replace(function().configuration, environment=VARIABLES)


@pytest.fixture
def kms(tmp_path: Path) -> KmsInMemory:
    return KmsInMemory(tmp_path)


@pytest.fixture
def environments(kms: KmsInMemory) -> FunctionEnvironments:
    return FunctionEnvironments(kms.function_keys, kms.clock)


async def stored(kms: KmsInMemory, environments: FunctionEnvironments) -> Function:
    sealed = await environments.sealed(function().key, PLAIN, kms.root)
    assert sealed.grant is None
    return replace(function(), configuration=sealed.configuration)


async def test_what_is_stored_comes_back_whole_and_shows_nothing(
    kms: KmsInMemory, environments: FunctionEnvironments
) -> None:
    kept = await stored(kms, environments)
    assert kept.configuration.environment is None
    opened = await environments.opened(kept)
    assert opened == replace(kept, configuration=PLAIN)
    assert await environments.shown(kept, kms.root) == {"Variables": VARIABLES}
    for one in (kept, opened):
        assert "hidden" not in repr(one)
        assert "sealed_environment" not in repr(one)


async def test_variables_of_one_function_are_of_no_use_to_another(
    kms: KmsInMemory, environments: FunctionEnvironments
) -> None:
    kept = await stored(kms, environments)
    moved = replace(function("other"), configuration=kept.configuration)
    with pytest.raises(KeyUnusable):
        await environments.opened(moved)
    shown = await environments.shown(moved, None)
    assert shown is not None
    assert shown["Error"]["ErrorCode"] == "InvalidCiphertextException"


async def test_a_function_without_variables_is_stored_as_it_is(
    kms: KmsInMemory, environments: FunctionEnvironments, tmp_path: Path
) -> None:
    none_or_empty: list[dict[str, str] | None] = [None, {}]
    for variables in none_or_empty:
        bare = replace(function().configuration, environment=variables, kms_key_arn="arn:aws:kms:of:no:key/x")
        assert await environments.sealed(function().key, bare, kms.root) == (bare, None)
        shown = await environments.shown(replace(function(), configuration=bare), kms.root)
        assert shown == (None if variables is None else {"Variables": {}})
    assert list(tmp_path.iterdir()) == []


async def test_a_grant_is_asked_for_when_key_role_or_variables_change(
    kms: KmsInMemory, environments: FunctionEnvironments
) -> None:
    key, other = await kms.key(), await kms.key()
    place = function().key
    first = await environments.sealed(place, replace(PLAIN, kms_key_arn=key.arn), kms.root)
    assert first.grant is not None
    assert (first.grant.key_id, first.grant.function_arn) == (key.key_id, place.arn)
    had = first.configuration
    described = replace(had, description="new")
    assert await environments.sealed(place, described, kms.root, had) == (described, None)
    again = await environments.sealed(
        place, replace(described, environment=VARIABLES, sealed_environment=None), kms.root, had
    )
    assert again.configuration == described
    assert again.grant == first.grant
    role = await environments.sealed(place, replace(had, role=f"{had.role}-2"), kms.root, had)
    assert role.grant is not None
    assert role.configuration.sealed_environment == had.sealed_environment
    moved = await environments.sealed(place, replace(had, kms_key_arn=other.arn), kms.root, had)
    assert moved.grant is not None
    assert moved.grant.key_id == other.key_id
    assert (await environments.shown(replace(function(), configuration=moved.configuration), kms.root)) == {
        "Variables": VARIABLES
    }
    back = await environments.sealed(place, replace(had, kms_key_arn=None), kms.root, had)
    assert back.grant is None


async def test_nobody_takes_variables_from_a_key_that_he_may_not_decrypt_with(
    kms: KmsInMemory, environments: FunctionEnvironments
) -> None:
    key = await kms.key()
    had = (await environments.sealed(function().key, replace(PLAIN, kms_key_arn=key.arn), kms.root)).configuration
    stranger = Session(f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s", f"arn:aws:iam::{ACCOUNT}:role/r").actor
    with pytest.raises(InvalidParameterValueException, match="not authorized to use the KMS key for Decrypt"):
        await environments.sealed(function().key, replace(had, kms_key_arn=None), kms.asker(stranger), had)


async def test_another_key_encrypts_anew_also_what_stays_the_same(
    kms: KmsInMemory, environments: FunctionEnvironments
) -> None:
    """Who moves to another key, for he trusts the old one no more, is left with nothing of it."""
    old, new, place = await kms.key(), await kms.key(), function().key
    had = (await environments.sealed(place, replace(PLAIN, kms_key_arn=old.arn), kms.root)).configuration
    moved = (await environments.sealed(place, replace(had, kms_key_arn=new.arn), kms.root, had)).configuration
    await kms.delete(old)
    assert await environments.shown(replace(function(), configuration=moved), kms.root) == {"Variables": VARIABLES}


async def test_a_function_starts_with_what_its_own_role_may_decrypt(
    kms: KmsInMemory, environments: FunctionEnvironments
) -> None:
    key = await kms.key()
    sealed = await environments.sealed(function().key, replace(PLAIN, kms_key_arn=key.arn), kms.root)
    kept = replace(function(), configuration=sealed.configuration)
    with pytest.raises(KeyUnusable, match="not authorized to perform: kms:Decrypt"):
        await environments.opened(kept)  # the grant isn't stored
    grant = sealed.grant
    assert grant is not None
    await kms.resources.change(lambda stored: stored.put(GRANTS, grant))
    assert (await environments.opened(kept)).configuration.environment == VARIABLES
    other_role = replace(kept, configuration=replace(kept.configuration, role=f"{kept.configuration.role}-2"))
    with pytest.raises(KeyUnusable):
        await environments.opened(other_role)
    assert is_grant_of(grant, kept)
    other_key = replace(kept, configuration=replace(kept.configuration, kms_key_arn=(await kms.key()).arn))
    assert not any(is_grant_of(grant, one) for one in (other_role, other_key))


async def test_what_a_deleted_key_encrypted_can_be_set_anew_with_another(
    kms: KmsInMemory, environments: FunctionEnvironments
) -> None:
    key, place = await kms.key(), function().key
    had = (await environments.sealed(place, replace(PLAIN, kms_key_arn=key.arn), kms.root)).configuration
    await kms.delete(key)
    anew = replace(had, environment={"SECRET": "new"}, sealed_environment=None)
    with pytest.raises(InvalidParameterValueException, match="invalid for CreateGrant"):
        await environments.sealed(place, anew, kms.root, had)
    with pytest.raises(InvalidParameterValueException, match="invalid for Decrypt"):
        await environments.sealed(place, replace(had, kms_key_arn=None), kms.root, had)
    made = await environments.sealed(place, replace(anew, kms_key_arn=None), kms.root, had)
    opened = await environments.opened(replace(function(), configuration=made.configuration))
    assert opened.configuration.environment == {"SECRET": "new"}
