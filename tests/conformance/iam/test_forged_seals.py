"""Who has the root key of one account can't make what the server seals for another, though he knows how it is made."""

import hmac
import time
from hashlib import sha256
from typing import Any

import pytest

from lampion.aws.sigv4_sign import Signer
from lampion.clock.rng import SystemRng
from lampion.identity.temporary_keys import Standing, TemporaryKeys
from tests.conformance.function_urls.visiting import visit
from tests.conformance.iam.making import with_keys
from tests.conformance.refusals import refusal
from tests.deployment import functions
from tests.live_server import LiveServer

OTHER = "210987654321"


@pytest.mark.parametrize("made_of", [b"temporary keys", b""])
def test_temporary_keys_of_another_account(live_server: LiveServer, made_of: bytes) -> None:
    root = live_server.server.secret_access_key.encode()
    secret = hmac.digest(root, made_of, "sha256") if made_of else root
    now = int(time.time())
    standing = Standing(account_id=OTHER, issued_epoch_seconds=now, expires_epoch_seconds=now + 3600)
    key = TemporaryKeys(secret, SystemRng()).issue(standing)
    client = with_keys(live_server.url, "sts", key.access_key_id, key.secret_access_key, key.session_token)
    assert refusal(client.get_caller_identity)[:2] == (403, "InvalidClientTokenId")
    client.close()


def test_links_to_code(live_server: LiveServer, lambda_client: Any) -> None:
    root = live_server.server.secret_access_key.encode()
    with functions(lambda_client, "sealed") as create:
        name = create("secret = 1\n")
        path = lambda_client.get_function(FunctionName=name)["Code"]["Location"].partition("?")[0]
        path = path.removeprefix(live_server.url)
        signer = Signer("LAMPIONLINK", hmac.digest(root, b"links to code", sha256).hex(), "us-east-1")
        query = signer.presign("GET", live_server.url.removeprefix("http://"), path, "", 600, time.time())
        assert visit(live_server, live_server.url, path=f"{path}?{query}").status == 403
