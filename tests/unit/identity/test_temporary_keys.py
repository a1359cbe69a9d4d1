"""Temporary keys: what they carry comes back, for their own id, in their time, unchanged, and in no other case."""

import base64
import hmac

import msgspec
import pytest

from lampion.clock.rng import SeededRng
from lampion.identity.key_ids import account_of
from lampion.identity.temporary_keys import Expired, Standing, TemporaryKeys

STANDING = Standing(
    account_id="000000000012",
    unique_id="AROA1",
    role_arn="arn:aws:iam::000000000012:role/r",
    session_name="s",
    issued_epoch_seconds=1_000,
    expires_epoch_seconds=2_000,
    policies=("{}",),
    tags={"team": "ü"},
)
KEYS = TemporaryKeys(b"secret", SeededRng(1))


def test_what_they_carry_comes_back_from_any_server_with_the_same_secret() -> None:
    key = KEYS.issue(STANDING)
    assert (key.access_key_id[:4], len(key.access_key_id), len(key.secret_access_key)) == ("ASIA", 20, 40)
    assert account_of(key.access_key_id) == STANDING.account_id
    again = TemporaryKeys(b"secret", SeededRng(2))
    assert again.open(key.access_key_id, key.session_token, 1_999.9) == (key.secret_access_key, STANDING)


def test_their_time_ends() -> None:
    key = KEYS.issue(STANDING)
    with pytest.raises(Expired):
        KEYS.open(key.access_key_id, key.session_token, 2_000)


def test_no_two_are_alike() -> None:
    first, second = KEYS.issue(STANDING), KEYS.issue(STANDING)
    assert first.access_key_id != second.access_key_id
    assert first.secret_access_key != second.secret_access_key
    assert KEYS.open(first.access_key_id, second.session_token, 1_000) is None


def test_every_single_change_of_a_token_is_noticed() -> None:
    key = KEYS.issue(STANDING)
    raw = base64.b64decode(key.session_token)
    for at in range(len(raw)):
        changed = base64.b64encode(raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :]).decode()
        assert KEYS.open(key.access_key_id, changed, 1_000) is None
    for other in ("", "é", "====", key.session_token[:-4], key.session_token + "AAAA"):
        assert KEYS.open(key.access_key_id, other, 1_000) is None
    assert TemporaryKeys(b"other", SeededRng(1)).open(key.access_key_id, key.session_token, 1_000) is None


def test_neither_secret_nor_token_is_shown() -> None:
    key = KEYS.issue(STANDING)
    assert key.secret_access_key not in repr(key)
    assert key.session_token not in repr(key)


def test_the_secret_of_a_key_stays_the_same_in_every_version_and_is_no_other_digest_of_the_servers() -> None:
    key = KEYS.issue(STANDING)
    digest = hmac.digest(b"secret", b"secret\0" + key.access_key_id.encode(), "sha256")
    assert key.secret_access_key == base64.b64encode(digest).decode()[:40]


def test_a_token_from_before_they_were_compressed_is_read() -> None:
    access_key_id = KEYS.issue(STANDING).access_key_id
    content = msgspec.json.encode(STANDING)
    tag = hmac.digest(b"secret", b"token\0" + access_key_id.encode() + b"\0" + content, "sha256")
    opened = KEYS.open(access_key_id, base64.b64encode(tag + content).decode(), 1_000)
    assert opened is not None
    assert opened[1] == STANDING


@pytest.mark.parametrize("size", [0, 1, 400, 401, 402, 403, 4096])
def test_a_token_is_at_least_as_long_as_is_asked(size: int) -> None:
    key = KEYS.issue(STANDING, token_bytes_min=size)
    usual = len(KEYS.issue(STANDING).session_token)
    assert max(size, usual) <= len(key.session_token) <= max(size + 4, usual)
    assert KEYS.open(key.access_key_id, key.session_token, 1_000) == (key.secret_access_key, STANDING)


def test_what_is_long_and_alike_makes_no_long_token() -> None:
    tags = {f"key-{number}": "x" * 256 for number in range(50)}
    assert len(KEYS.issue(msgspec.structs.replace(STANDING, tags=tags)).session_token) < 2_000
