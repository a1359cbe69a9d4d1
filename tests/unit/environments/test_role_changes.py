"""Which changes have environments looked after: those of identities, and no others."""

import asyncio
from contextlib import suppress

import pytest

from lampion.environments.role_changes import RoleChanges
from lampion.store.cached_resources import Change
from lampion.store.iam import GLOBAL, IDENTITIES
from tests.identities import ACCOUNT


@pytest.mark.parametrize(
    ("change", "looked_after"),
    [
        (Change(ACCOUNT, GLOBAL, frozenset((IDENTITIES.name,))), [ACCOUNT]),
        (Change(ACCOUNT, GLOBAL, None), [ACCOUNT]),
        (Change(ACCOUNT, GLOBAL, frozenset(("policy",))), []),
        (Change(ACCOUNT, "eu-west-1", None), []),  # a function has gone
    ],
)
async def test_only_changes_of_identities_count(change: Change, looked_after: list[str]) -> None:
    renewed: list[str] = []

    async def renew(account_id: str) -> None:
        renewed.append(account_id)

    changes = RoleChanges(renew)
    running = asyncio.create_task(changes.run())
    changes.note(change)
    for _ in range(5):
        await asyncio.sleep(0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert renewed == looked_after
