"""Whose registry a token opens, and for how long: as its bearer is at each use."""

from dataclasses import replace

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.domain.iam.access_key import INACTIVE, UserKey
from lampion.domain.iam.identity import IdentityKind
from lampion.http.message import RequestHead
from lampion.identity.callers import CallerKind
from lampion.identity.temporary_keys import Standing
from lampion.registry.access import TokenAccess
from lampion.registry.errors import RegistryError
from lampion.registry.tokens import LIFETIME_SECONDS, Bearer, RegistryTokens, authorization
from lampion.store.iam import IDENTITIES, USER_KEYS, identity_place
from tests.identities import ACCOUNT, allowing, identity, keep, key_of, keys_in, resources_in_memory


class Stage:
    """A registry's entrance, and who can have a token for it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.resources = resources_in_memory()
        self.keys = keys_in(self.resources)
        self.tokens = RegistryTokens(b"secret")
        self.access = TokenAccess(
            tokens=self.tokens, keys=self.keys, clock=self.clock, region="us-east-1", scheme="http"
        )

    def head(self, key_id: str, standing: Standing | None = None, host: str = "127.0.0.1:9000") -> RequestHead:
        password = self.tokens.issue(Bearer(key_id, int(self.clock.now()) + LIFETIME_SECONDS, standing))
        headers = {"authorization": f"Basic {authorization(password)}", "host": host}
        return RequestHead("GET", "/v2/", "", headers, 0)

    async def root(self) -> str:
        return (await self.keys.roots.root(ACCOUNT)).access_key_id

    async def refusal(self, head: RequestHead) -> tuple[int, str]:
        with pytest.raises(RegistryError) as raised:
            await self.access.caller(head)
        return raised.value.status, raised.value.code


async def test_a_token_opens_its_accounts_registry_until_it_runs_out() -> None:
    on = Stage()
    head = on.head(await on.root())
    account_id, actor = await on.access.caller(head)
    assert (account_id, actor.caller.kind) == (ACCOUNT, CallerKind.ROOT)
    await on.clock.advance(LIFETIME_SECONDS - 1)
    assert (await on.access.caller(head))[0] == ACCOUNT
    await on.clock.advance(1)
    assert await on.refusal(head) == (403, "DENIED")


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        (f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com", True),
        (f"{ACCOUNT}.dkr.ecr.us-east-1.localhost:9000", True),
        ("anything.example", True),
        (f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com", False),
        ("210987654321.dkr.ecr.us-east-1.amazonaws.com", False),
    ],
)
async def test_a_host_that_names_another_registry_is_not_opened(host: str, is_own: bool) -> None:
    on = Stage()
    head = on.head(await on.root(), host=host)
    if is_own:
        assert (await on.access.caller(head))[0] == ACCOUNT
    else:
        assert await on.refusal(head) == (403, "DENIED")


async def test_no_key_opens_nothing() -> None:
    on = Stage()
    assert await on.refusal(on.head("LKIANOBODY")) == (401, "UNAUTHORIZED")
    assert await on.refusal(RequestHead("GET", "/v2/", "", {"host": "h"}, 0)) == (401, "UNAUTHORIZED")


async def test_a_users_token_ends_with_the_user_or_the_key() -> None:
    on = Stage()
    user = identity(IdentityKind.USER, "u", allowing("ecr:*"))
    await keep(on.resources, user)
    key = await key_of(on.resources, user)
    head = on.head(key.access_key_id)
    account_id, actor = await on.access.caller(head)
    assert (account_id, actor.caller.arn) == (ACCOUNT, user.arn)
    await put_key(on, replace(key, status=INACTIVE))
    assert await on.refusal(head) == (401, "UNAUTHORIZED")
    await put_key(on, key)
    assert (await on.access.caller(head))[0] == ACCOUNT
    await on.resources.change(lambda stored: stored.delete(IDENTITIES, identity_place(ACCOUNT, IdentityKind.USER, "u")))
    assert await on.refusal(head) == (401, "UNAUTHORIZED")


async def test_a_sessions_token_stands_for_the_session_until_its_role_is_another() -> None:
    on = Stage()
    role = identity(IdentityKind.ROLE, "r", allowing("*"))
    await keep(on.resources, role)
    standing = Standing(
        account_id=ACCOUNT,
        unique_id=role.unique_id,
        role_arn=role.arn,
        session_name="s",
        issued_epoch_seconds=1,
        expires_epoch_seconds=2,
        policies=(allowing("ecr:BatchGetImage"),),
    )
    head = on.head("ASIA1", standing)
    _, actor = await on.access.caller(head)
    assert actor.caller.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
    assert actor.session is not None, "what bounds the session bounds its token"
    await keep(on.resources, identity(IdentityKind.ROLE, "r", allowing("*"), unique_id="ANOTHER"))
    assert await on.refusal(head) == (401, "UNAUTHORIZED")


async def test_a_functions_token_ends_with_its_keys() -> None:
    on = Stage()
    key = on.keys.sessions.issue(account_id=ACCOUNT, role=f"arn:aws:iam::{ACCOUNT}:role/r", session_name="f")
    head = on.head(key.access_key_id)
    assert (await on.access.caller(head))[1].caller.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/r/f"
    on.keys.sessions.revoke(key)
    assert await on.refusal(head) == (401, "UNAUTHORIZED")


async def put_key(on: Stage, key: UserKey) -> None:
    await on.resources.change(lambda stored: stored.put(USER_KEYS, key))
