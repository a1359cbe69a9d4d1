"""Session keys look like AWS's, are valid with their token until they expire or are revoked, and stay out of sight."""

import re

import pytest

from lampion.clock.clock import SystemClock
from lampion.clock.rng import SeededRng, SystemRng
from lampion.clock.virtual import VirtualClock
from lampion.identity.session_keys import SessionKey, SessionKeys
from lampion.identity.temporary_keys import Expired

ROLE = "arn:aws:iam::123456789012:role/service-role/lambda-role"


def issued(keys: SessionKeys) -> SessionKey:
    return keys.issue(account_id="123456789012", role=ROLE, session_name="fn")


def test_a_key_has_the_form_of_aws_and_names_its_role_and_function() -> None:
    key = issued(SessionKeys(SystemRng(), SystemClock()))
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", key.access_key_id)
    assert re.fullmatch(r"[A-Za-z0-9/+]{40}", key.secret_access_key)
    assert len(key.session_token) == 128
    assert key.arn == "arn:aws:sts::123456789012:assumed-role/lambda-role/fn"
    assert key.role_arn == ROLE


def test_the_caller_s_id_is_the_role_s_and_the_session_s() -> None:
    keys = SessionKeys(SystemRng(), SystemClock())
    assert re.fullmatch(r"AROA[A-Z2-7]{17}:fn", issued(keys).user_id)
    assert issued(keys).user_id == issued(keys).user_id
    other = keys.issue(account_id="123456789012", role=f"{ROLE}-2", session_name="fn")
    assert other.user_id != issued(keys).user_id


def test_a_key_is_valid_with_its_own_token_until_it_is_revoked() -> None:
    keys = SessionKeys(SeededRng(1), SystemClock())
    one, other = issued(keys), issued(keys)
    assert keys.find(one.access_key_id, one.session_token) is one
    for token in (other.session_token, "", one.session_token[:-1], "ü", "\udcff"):
        assert keys.find(one.access_key_id, token) is None
    keys.revoke(one)
    keys.revoke(one)
    assert keys.find(one.access_key_id, one.session_token) is None
    assert keys.find(other.access_key_id, other.session_token) is other


async def test_it_expires_after_twelve_hours_unless_another_time_was_said() -> None:
    clock = VirtualClock()
    keys = SessionKeys(SeededRng(3), clock)
    usual = issued(keys)
    short = keys.issue(account_id="123456789012", role=ROLE, session_name="fn", lifetime_seconds=60)
    await clock.advance(60)
    with pytest.raises(Expired):
        keys.find(short.access_key_id, short.session_token)
    assert keys.find(short.access_key_id, "another") is None
    assert (keys.named(short.access_key_id), keys.named(usual.access_key_id)) == (None, usual)
    await clock.advance(12 * 3600 - 61)
    assert keys.find(usual.access_key_id, usual.session_token) is usual
    await clock.advance(1)
    with pytest.raises(Expired):
        keys.find(usual.access_key_id, usual.session_token)
    keys.revoke(usual)
    assert keys.find(usual.access_key_id, usual.session_token) is None


def test_neither_secret_nor_token_is_shown() -> None:
    key = issued(SessionKeys(SeededRng(2), SystemClock()))
    assert key.secret_access_key not in repr(key)
    assert key.session_token not in repr(key)
