"""Signatures of the links that this server hands out: made with a secret that no caller has, so that nobody else makes
one, be he the root of an account; and good for that one address alone, for as long as it says.
"""

import hmac
from hashlib import sha256
from typing import Final

from lampion.aws.errors import AccessDeniedException
from lampion.aws.sigv4 import Claim, Verifier, check
from lampion.aws.sigv4_sign import Signer
from lampion.clock.clock import Clock
from lampion.http.message import Request, RequestHead

_KEY_ID: Final = "LAMPIONLINK"


class LinkSignatures:
    """Signs and checks. Whoever has a link may use it: it was given to who might have what it leads to."""

    def __init__(self, server_secret: str, *, region: str, clock: Clock) -> None:
        """`server_secret` is this server's own; the links' is made of it."""
        secret = hmac.digest(server_secret.encode(), b"links to code", sha256).hex()
        self.signer: Final = Signer(_KEY_ID, secret, region)
        self._verifier = Verifier(region)
        self._clock = clock

    def read(self, head: RequestHead) -> Claim:
        """Raises AWS's error for what can't be a link of this server."""
        claim = self._verifier.read_credential(head.method, head.path, head.query, head.headers, self._clock.now())
        if claim.access_key_id != _KEY_ID:
            raise AccessDeniedException("Only the links that GetFunction and GetLayerVersion tell lead to code.")
        return claim

    async def verify(self, claim: Claim, request: Request) -> None:
        """Raises InvalidSignatureException."""
        check(claim, self.signer.secret_access_key, request.body)
