"""Presigned addresses of deployment packages (GetFunction's Code.Location), and the door that serves them.

The address of an encrypted package bears a token as well, made when its caller was found to be one who may decrypt it:
a signature alone, of whoever may read here, isn't enough.
"""

import hmac
import re
from contextlib import suppress

from lampion.aws.errors import AccessDeniedException, UnknownOperationException
from lampion.aws.operation import RequestContext
from lampion.aws.sigv4_sign import Signer
from lampion.clock.clock import Clock
from lampion.code.blobs import BlobDamaged, BlobMissing, Blobs
from lampion.code.sealed_code import SealedCode
from lampion.domain.function import DeploymentPackage
from lampion.domain.key_problems import PACKAGE, KeyUnusable, cannot_decrypt
from lampion.gateway.authentication import Authentication
from lampion.http.message import Request, RequestHead, Response

_PATH = re.compile(r"/_lampion/code/(?P<sha256>[0-9a-f]{64})(?:/(?P<until>\d{1,12})/(?P<token>[0-9a-f]{64}))?")
_VALID_SECONDS = 600  # Lambda developer guide: the link of GetFunction is valid for 10 minutes


class CodeDownloads:
    """Makes the links (api.functions.CodeLinks) and serves them (gateway.door.Door)."""

    def __init__(
        self,
        *,
        blobs: Blobs,
        sealed: SealedCode,
        signer: Signer,
        secret: bytes,
        authentication: Authentication,
        clock: Clock,
    ) -> None:
        """`secret` makes the tokens of encrypted packages, and nothing else."""
        self._blobs = blobs
        self._sealed = sealed
        self._signer = signer
        self._secret = secret
        self._authentication = authentication
        self._clock = clock

    def link(self, package: DeploymentPackage, context: RequestContext) -> str:
        """An address under the host that the caller used. For an encrypted package, `check` comes first."""
        now = self._clock.now()
        path = f"/_lampion/code/{package.sha256}"
        if package.is_encrypted:
            until = int(now + _VALID_SECONDS)
            path = f"{path}/{until}/{self._token(package.sha256, until)}"
        query = self._signer.presign("GET", context.host, path, "", _VALID_SECONDS, now)
        return f"{context.scheme}://{context.host}{path}?{query}"

    async def check(self, package: DeploymentPackage, context: RequestContext) -> None:
        """Raises KeyUnusable for an encrypted package that the caller may not decrypt."""
        if package.is_encrypted:
            with suppress(BlobMissing, BlobDamaged):  # who follows the link learns of that
                await self._sealed.data_key(package.sha256, context.asker)

    def accept(self, head: RequestHead) -> int:
        if head.method != "GET" or _PATH.fullmatch(head.path) is None:
            raise UnknownOperationException("No such address.")
        head.findings = self._authentication.read(head)
        return 0

    def too_large(self, head: RequestHead) -> Exception:
        return AccessDeniedException("A download has no body.")

    async def serve(self, request: Request, request_id: str) -> Response:
        await self._authentication.verify(request.head.findings, request)
        match = _PATH.fullmatch(request.head.path)
        assert match is not None
        try:
            content = await self._content(match)
        except BlobMissing:
            raise UnknownOperationException("The code of this link is gone.") from None
        except KeyUnusable as unusable:
            raise cannot_decrypt(unusable, PACKAGE) from unusable
        return Response(200, content, {"Content-Type": "application/zip", "x-amzn-RequestId": request_id})

    async def _content(self, match: re.Match[str]) -> bytes:
        if match["token"] is None:
            return await self._blobs.read(match["sha256"])  # of an encrypted package, this is the ciphertext
        until = int(match["until"])
        is_ours = hmac.compare_digest(match["token"], self._token(match["sha256"], until))
        if not is_ours or until < self._clock.now():
            raise AccessDeniedException("This link doesn't give access to the code, or doesn't any more.")
        return await self._sealed.read(match["sha256"])

    def _token(self, sha256: str, until_epoch_seconds: int) -> str:
        return hmac.digest(self._secret, f"{sha256} {until_epoch_seconds}".encode(), "sha256").hex()
