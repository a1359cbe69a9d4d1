"""Signing with Signature Version 4: requests of our own client commands, and addresses that we hand out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import quote

from lampion.aws.sigv4_canonical import (
    ALGORITHM,
    TERMINATOR,
    basic_iso,
    canonical_query,
    canonical_request,
    query_pairs,
    signature,
)


@dataclass(frozen=True, slots=True)
class Signer:
    """An access key used for one service in one region."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str
    service: str = "lambda"

    def sign(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, now: float
    ) -> dict[str, str]:
        """The two headers to add to the request. `headers` are those to be signed, `host` among them, names lower case.

        `path` and `query` are as they will stand on the wire; `now` is in seconds.
        """
        timestamp = basic_iso(now)
        signed = {**headers, "x-amz-date": timestamp}
        names = sorted(signed)
        head = canonical_request(method, path, canonical_query(query_pairs(query)), signed, names)
        scope = self._scope(timestamp)
        made = signature(self.secret_access_key, scope, timestamp, head, sha256(body).hexdigest())
        credential = f"Credential={self.access_key_id}/{scope}"
        return {
            "X-Amz-Date": timestamp,
            "Authorization": f"{ALGORITHM} {credential}, SignedHeaders={';'.join(names)}, Signature={made}",
        }

    def presign(self, method: str, host: str, path: str, query: str, expires_seconds: int, now: float) -> str:
        """The query of an address that carries its own signature, for an empty body and `expires_seconds` from now."""
        timestamp = basic_iso(now)
        scope = self._scope(timestamp)
        credential = quote(f"{self.access_key_id}/{scope}", safe="")
        parameters = (
            f"X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date={timestamp}"
            f"&X-Amz-Expires={expires_seconds}&X-Amz-SignedHeaders=host"
        )
        whole = f"{query}&{parameters}" if query else parameters
        head = canonical_request(method, path, canonical_query(query_pairs(whole)), {"host": host}, ["host"])
        made = signature(self.secret_access_key, scope, timestamp, head, sha256(b"").hexdigest())
        return f"{whole}&X-Amz-Signature={made}"

    def _scope(self, timestamp: str) -> str:
        return f"{timestamp[:8]}/{self.region}/{self.service}/{TERMINATOR}"
