"""Authorization tokens: sealed, and read back from whatever a client sends."""

import base64

import pytest

from lampion.registry.tokens import Token, authorization, issue, read_authorization

SECRET = "the secret"


def test_a_token_says_whose_it_is_and_until_when() -> None:
    token = read_authorization(f"Basic {authorization(issue('LKIA1', SECRET, 1_700_000_000))}")
    assert token is not None
    assert (token.access_key_id, token.expires_epoch_seconds) == ("LKIA1", 1_700_000_000)
    assert token.is_sealed_with(SECRET)
    assert not token.is_sealed_with("another secret")


def test_nothing_in_a_token_can_be_changed() -> None:
    token = read_authorization(f"basic {authorization(issue('LKIA1', SECRET, 1_700_000_000))}")
    assert token is not None
    assert not Token("LKIA2", token.expires_epoch_seconds, token.seal).is_sealed_with(SECRET)
    assert not Token("LKIA1", token.expires_epoch_seconds + 1, token.seal).is_sealed_with(SECRET)
    assert not Token("LKIA1", token.expires_epoch_seconds, "0" * 64).is_sealed_with(SECRET)
    assert not Token("LKIA1", token.expires_epoch_seconds, "").is_sealed_with(SECRET)


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
        encoded(b"root:" + base64.urlsafe_b64encode(b"id:1:seal")),
        encoded(b"AWS:" + b"A" * 100_000),
    ],
)
def test_what_is_no_token_is_none(header: str) -> None:
    assert read_authorization(header) is None
