"""Authorization tokens: sealed, and read back from whatever a client sends."""

import base64

import msgspec
import pytest

from lampion.identity.temporary_keys import Standing
from lampion.registry.tokens import Bearer, RegistryTokens, authorization

TOKENS = RegistryTokens(b"the secret")
BEARER = Bearer("LKIA1", 1_700_000_000)
STANDING = Standing(
    account_id="123456789012",
    unique_id="AROA",
    role_arn="arn:aws:iam::123456789012:role/r",
    session_name="s",
    issued_epoch_seconds=1,
    expires_epoch_seconds=2,
    policies=("p" * 2048,),
    tags={f"{number:03}{'k' * 125}": "v" * 256 for number in range(50)},
)


@pytest.mark.parametrize("bearer", [BEARER, Bearer("ASIA1", 5, STANDING)], ids=["a key", "a session, at its largest"])
def test_a_token_says_whose_it_is_and_until_when(bearer: Bearer) -> None:
    header = f"basic {authorization(TOKENS.issue(bearer))}"
    assert TOKENS.read(header) == bearer
    assert RegistryTokens(b"another secret").read(header) is None
    assert len(header) < 64_000, "a head has no room for more"


def test_nothing_in_a_token_can_be_changed() -> None:
    raw = base64.urlsafe_b64decode(TOKENS.issue(BEARER))
    for place in range(len(raw)):
        for change in (1, 128):
            changed = raw[:place] + bytes((raw[place] ^ change,)) + raw[place + 1 :]
            assert TOKENS.read(f"Basic {authorization(base64.urlsafe_b64encode(changed).decode())}") is None
    for other in (raw[:-1], raw + b" ", raw[32:], raw[:32], b""):
        assert TOKENS.read(f"Basic {authorization(base64.urlsafe_b64encode(other).decode())}") is None


def test_what_is_longer_than_any_token_isnt_read() -> None:
    long = Bearer("ASIA1", 5, msgspec.structs.replace(STANDING, policies=("p" * 40_000,)))
    assert TOKENS.read(f"Basic {authorization(TOKENS.issue(long))}") is None


def encoded(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    "header",
    [
        *(
            "",
            "Basic",
            "Basic ",
            "Basic !",
            "Bearer abc",
            "Basic abc",
            encoded(b"AWS"),
            encoded(b"AWS:"),
            encoded(b"\xff:x"),
        ),
        encoded(b"AWS:" + base64.urlsafe_b64encode(b"one:two")),
        encoded(b"AWS:" + base64.urlsafe_b64encode(b"id:not-a-number:seal")),
        encoded(b"AWS:" + base64.urlsafe_b64encode("id:1:é".encode())),
        encoded(b"root:" + TOKENS.issue(BEARER).encode()),
        encoded(b"AWS:" + b"A" * 100_000),
    ],
)
def test_what_is_no_token_is_none(header: str) -> None:
    assert TOKENS.read(header) is None
