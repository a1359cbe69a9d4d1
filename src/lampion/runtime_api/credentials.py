"""/2021-04-23/credentials: the keys of a function that was restored from a snapshot, as AWS's SDKs ask for them."""

import hmac
from datetime import UTC, datetime

import msgspec

from lampion.clock.clock import Clock
from lampion.environments.session import RuntimeSession
from lampion.http.message import JSON, Request, Response
from lampion.runtime_api.answers import refusal


def credentials(session: RuntimeSession, request: Request, clock: Clock) -> Response:
    offered = session.credentials
    token = request.head.headers.get("authorization", "")
    if offered is None or not hmac.compare_digest(token.encode(), offered.authorization_token.encode()):
        return refusal(404, "InvalidAuthToken", "There are no credentials for this token.")
    keys, lifetime_seconds = offered.current()
    expiration = datetime.fromtimestamp(clock.now() + lifetime_seconds, UTC)
    body = {
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key,
        "Token": keys.session_token,
        "Expiration": f"{expiration:%Y-%m-%dT%H:%M:%SZ}",
    }
    return Response(200, msgspec.json.encode(body), {"Content-Type": JSON})
