"""Whose registry a token opens, and for how long."""

import pytest

from lampion.clock.rng import SystemRng
from lampion.clock.virtual import VirtualClock
from lampion.http.message import RequestHead
from lampion.identity.access_keys import AccessKeyring
from lampion.registry.access import TokenAccess
from lampion.registry.errors import RegistryError
from lampion.registry.tokens import LIFETIME_SECONDS, authorization, issue
from lampion.store.access_keys import AccessKey
from lampion.store.memory import MemoryAccessKeys

ACCOUNT = "123456789012"


async def stage(clock: VirtualClock) -> tuple[TokenAccess, AccessKey]:
    keys = AccessKeyring(MemoryAccessKeys(), SystemRng())
    return TokenAccess(keys=keys, clock=clock, region="us-east-1", scheme="http"), await keys.root(ACCOUNT)


def asked(password: str, host: str = "127.0.0.1:9000") -> RequestHead:
    headers = {"authorization": f"Basic {authorization(password)}", "host": host}
    return RequestHead("GET", "/v2/", "", headers, 0)


async def refusal(access: TokenAccess, head: RequestHead) -> tuple[int, str]:
    with pytest.raises(RegistryError) as raised:
        await access.account(head)
    return raised.value.status, raised.value.code


async def test_a_token_opens_its_accounts_registry_until_it_runs_out() -> None:
    clock = VirtualClock()
    access, key = await stage(clock)
    password = issue(key.access_key_id, key.secret_access_key, int(clock.now()) + LIFETIME_SECONDS)
    assert await access.account(asked(password)) == ACCOUNT
    await clock.advance(LIFETIME_SECONDS - 1)
    assert await access.account(asked(password)) == ACCOUNT
    await clock.advance(1)
    assert await refusal(access, asked(password)) == (403, "DENIED")


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
    clock = VirtualClock()
    access, key = await stage(clock)
    head = asked(issue(key.access_key_id, key.secret_access_key, int(clock.now()) + 60), host)
    if is_own:
        assert await access.account(head) == ACCOUNT
    else:
        assert await refusal(access, head) == (403, "DENIED")


async def test_no_key_and_a_wrong_seal_open_nothing() -> None:
    clock = VirtualClock()
    access, key = await stage(clock)
    later = int(clock.now()) + 60
    for password in (issue(key.access_key_id, "wrong", later), issue("LKIANOBODY", key.secret_access_key, later)):
        assert await refusal(access, asked(password)) == (401, "UNAUTHORIZED")
