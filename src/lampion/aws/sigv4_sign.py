"""Signing with Signature Version 4: our own requests to AWS services, and addresses that we hand out."""

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
    """An access key used for one service in one region; `session_token` belongs to temporary keys."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str
    service: str = "lambda"
    session_token: str | None = field(default=None, repr=False)

    def sign(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, now: float
    ) -> dict[str, str]:
        """The headers to add to the request. `headers` are those to be signed, `host` among them, names lower case.

        `path` and `query` are as they will stand on the wire; `now` is in seconds. S3 wants the body's hash too.
        """
        timestamp, payload_hash = basic_iso(now), sha256(body).hexdigest()
        added = {"X-Amz-Date": timestamp}
        if self.session_token is not None:
            added["X-Amz-Security-Token"] = self.session_token
        if self._is_for_s3:
            added["X-Amz-Content-SHA256"] = payload_hash
        signed = {**headers, **{name.lower(): value for name, value in added.items()}}
        names = sorted(signed)
        query = canonical_query(query_pairs(query))
        head = canonical_request(method, path, query, signed, names, verbatim_path=self._is_for_s3)
        scope = self._scope(timestamp)
        made = signature(self.secret_access_key, scope, timestamp, head, payload_hash)
        credential = f"Credential={self.access_key_id}/{scope}"
        added["Authorization"] = f"{ALGORITHM} {credential}, SignedHeaders={';'.join(names)}, Signature={made}"
        return added

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

    @property
    def _is_for_s3(self) -> bool:
        return self.service == "s3"

    def _scope(self, timestamp: str) -> str:
        return f"{timestamp[:8]}/{self.region}/{self.service}/{TERMINATOR}"
