"""Keys of functions count for as long as the function is there in its role, and the role is the one of then."""

from dataclasses import replace
from typing import Any

import pytest

from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.domain.arn import FunctionKey
from lampion.domain.function import Deployed, DeploymentPackage, Function, FunctionConfiguration, LoggingConfig, State
from lampion.domain.iam.identity import IdentityKind
from lampion.identity.directory import Directory
from lampion.identity.function_sessions import FunctionSessions
from lampion.identity.session_keys import Runner, SessionKey, SessionKeys
from lampion.store.cached_resources import CachedResources
from tests.identities import ACCOUNT, allowing, identity, keep, resources_in_memory

ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
FUNCTION = Function(
    key=FunctionKey(ACCOUNT, "us-east-1", "f"),
    configuration=FunctionConfiguration(role=ROLE, logging=LoggingConfig("/g")),
    package=DeploymentPackage("ab", "cd", 1),
    revision_id="1",
    last_modified_epoch_ms=0,
    state=State.ACTIVE,
    creation_id="first",
)


class Stored:
    """One function, as it is now."""

    def __init__(self, function: Function | None) -> None:
        self.function = function

    async def get(self, key: FunctionKey, version: str) -> Function | None:
        return self.function if (key, version) == (FUNCTION.key, FUNCTION.version) else None


def in_role(role: str) -> FunctionConfiguration:
    return replace(FUNCTION.configuration, role=role)


def key(**changes: Any) -> SessionKey:
    runner = Runner(FUNCTION.key, FUNCTION.version, FUNCTION.creation_id)
    keys = SessionKeys(SystemRng(), SystemClock())
    return keys.issue(**{"account_id": ACCOUNT, "role": ROLE, "session_name": "f", "runner": runner, **changes})


@pytest.mark.parametrize(
    ("now", "counts"),
    [
        (FUNCTION, True),
        (None, False),
        (replace(FUNCTION, creation_id="second"), False),
        (replace(FUNCTION, configuration=in_role(f"{ROLE}-2")), False),
        (
            replace(
                FUNCTION,
                configuration=in_role(f"{ROLE}-2"),
                before_update=Deployed(FUNCTION.configuration, FUNCTION.package),
            ),
            True,
        ),
    ],
    ids=["as it was", "deleted", "made anew", "another role", "about to have another role"],
)
async def test_by_the_function(now: Function | None, counts: bool) -> None:
    sessions = FunctionSessions(Stored(now), Directory(resources_in_memory()))
    assert await sessions.counts(key()) is counts
    assert (await sessions.actor(key()) is not None) is counts


async def test_another_version_is_another_runner() -> None:
    sessions = FunctionSessions(Stored(FUNCTION), Directory(resources_in_memory()))
    assert not await sessions.counts(key(runner=Runner(FUNCTION.key, "7", FUNCTION.creation_id)))


async def test_a_role_that_is_deleted_or_made_anew_is_not_that_of_then() -> None:
    resources = resources_in_memory()
    sessions = FunctionSessions(Stored(FUNCTION), Directory(resources))
    assert await sessions.role_id(ACCOUNT, ROLE) == ""
    await keep(resources, identity(IdentityKind.ROLE, "r", allowing("*")))
    then = key(role_id=await sessions.role_id(ACCOUNT, ROLE))
    assert then.role_id
    assert await sessions.role_id(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/elsewhere/r") == ""
    actor = await sessions.actor(then)
    assert actor is not None
    assert actor.user_id == f"{then.role_id}:f"
    await made_anew(resources)
    assert not await sessions.counts(then)
    assert await sessions.counts(key()), "made when no role was there: for whichever comes"


async def made_anew(resources: CachedResources) -> None:
    await keep(resources, identity(IdentityKind.ROLE, "r", allowing("*"), unique_id="ANOTHER"))
