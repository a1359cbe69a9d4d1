"""Links that this server hands out: signed with a secret that is of no other use, and known from all other requests."""

import pytest

from lampion.aws.errors import AccessDeniedException, InvalidSignatureException
from lampion.aws.sigv4_sign import Signer
from lampion.clock.virtual import VirtualClock
from lampion.gateway.link_signatures import LinkSignatures
from lampion.http.message import Request, RequestHead

REGION, SECRET = "us-east-1", "the server's own"


class Links:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.signatures = LinkSignatures(SECRET, region=REGION, clock=self.clock)

    async def take(self, signer: Signer) -> None:
        query = signer.presign("GET", "here", "/_lampion/code/x", "", 600, self.clock.now())
        head = RequestHead("GET", "/_lampion/code/x", query, {"host": "here"}, 0)
        await self.signatures.verify(self.signatures.read(head), Request(head, b""))


async def test_a_link_is_taken() -> None:
    on = Links()
    await on.take(on.signatures.signer)


async def test_who_signs_with_a_key_of_his_own_is_told_what_leads_to_code() -> None:
    with pytest.raises(AccessDeniedException, match="Only the links"):
        await Links().take(Signer("AKIAIOSFODNN7EXAMPLE", SECRET, REGION))


async def test_the_secret_of_links_is_made_of_the_servers_and_isnt_it() -> None:
    on = Links()
    assert SECRET not in on.signatures.signer.secret_access_key
    with pytest.raises(InvalidSignatureException):
        await on.take(Signer(on.signatures.signer.access_key_id, SECRET, REGION))
