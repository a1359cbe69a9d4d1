"""Bodies that were right, or wrong in some way of the model, with a few bytes of them changed."""

from dataclasses import replace
from random import Random

from tests.conformance.bad_requests.case import HttpRequest

_TOKENS = (
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b'"',
    b"\\",
    b"\\u",
    b"null",
    b"-",
    b"1e9",
    b"\0",
    b"\xff",
    b"\xc3",
    b" ",
)


def scribbled(request: HttpRequest, rng: Random) -> HttpRequest:
    """Up to three places of the body cut out, written over, repeated or filled with what means something in JSON."""
    body = request.body
    for _ in range(rng.randint(1, 3)):
        start = rng.randint(0, len(body))
        end = min(len(body), start + rng.randint(0, 8))
        put = rng.choice((b"", rng.choice(_TOKENS), rng.randbytes(end - start), body[start:end] * 2))
        body = body[:start] + put + body[end:]
    return replace(request, body=body)
