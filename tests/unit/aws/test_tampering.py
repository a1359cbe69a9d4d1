"""10,000 requests and presigned addresses, each changed in one place after it was signed: none is taken."""

import random
import string
from typing import Any

import pytest

from lampion.domain.errors import ApiError

from .signed_requests import NOW, Sent, signed_by_botocore, verify

ROUNDS = 10_000
_LETTERS = string.ascii_letters + string.digits
_PATH = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af/invocations"
_HEADERS = {"content-type": "application/json", "x-amz-invocation-type": "Event"}
SIGNED: list[Sent] = [
    signed_by_botocore("POST", _PATH, "Qualifier=live", _HEADERS, b'{"order": 1}', token="token/of+session=="),
    signed_by_botocore("GET", "/2015-03-31/functions/", "MaxItems=10&Marker=a%2Fb", {}, b""),
    signed_by_botocore("GET", _PATH, "Qualifier=live", {}, b"", expires=900),
    signed_by_botocore("GET", "/", "Action=GetCallerIdentity&Version=2011-06-15", {}, b"", expires=60, token="t0ken"),
]
_SIGNED_HEADERS = ("host", "authorization", "x-amz-date", "x-amz-security-token", *_HEADERS)


def places(sent: Sent) -> list[tuple[str, str]]:
    """What of it is covered by the signature."""
    headers = [("headers", name) for name in sent["headers"] if name in _SIGNED_HEADERS]
    own = [(name, "") for name in ("method", "path", "query", "body") if sent[name] and sent[name] != "/"]
    return own + headers


def spoilt(dice: random.Random, text: str) -> str:
    """With one letter or digit replaced by another one, not just by its other case; or with one more, or one less."""
    spots = [at for at, character in enumerate(text) if character in _LETTERS]
    at = dice.choice(spots)
    before, rest = text[:at], text[at + 1 :]
    kind = dice.random()
    if kind < 0.1:
        return before + rest
    if kind < 0.2:
        return before + dice.choice(_LETTERS) + text[at:]
    other = dice.choice([one for one in _LETTERS if one.lower() != text[at].lower()])
    return before + other + rest


def tampered(dice: random.Random, sent: Sent) -> Sent:
    part, name = dice.choice(places(sent))
    changed: dict[str, Any] = {**sent, "headers": dict(sent["headers"])}
    if part == "headers":
        changed["headers"][name] = spoilt(dice, sent["headers"][name])
    elif part == "body":
        changed["body"] = spoilt(dice, sent["body"].decode()).encode()
    else:
        changed[part] = spoilt(dice, sent[part])
    return changed


def test_only_the_untampered_pass() -> None:
    for seed in range(ROUNDS):
        dice = random.Random(seed)
        sent = dice.choice(SIGNED)
        changed = tampered(dice, sent)
        if changed == sent:
            continue
        try:
            verify(changed)
        except ApiError:
            continue
        pytest.fail(f"seed {seed} was taken: {changed}")


@pytest.mark.parametrize("sent", SIGNED)
def test_the_untampered_pass_in_their_time_alone(sent: Sent) -> None:
    verify(sent)
    window = 60 if "X-Amz-Expires=60" in sent["query"] else 900
    verify(sent, now=NOW + window)
    for moment in (NOW + window + 1, NOW - 901):
        with pytest.raises(ApiError):
            verify(sent, now=moment)
