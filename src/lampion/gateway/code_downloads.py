"""Presigned addresses of deployment packages (GetFunction's Code.Location), and the door that serves them.

The address of an encrypted package is made when its caller was found to be one who may decrypt it.
"""

import re
from contextlib import suppress

from lampion.aws.errors import AccessDeniedException, UnknownOperationException
from lampion.aws.operation import RequestContext
from lampion.clock.clock import Clock
from lampion.code.blobs import BlobDamaged, BlobMissing, Blobs
from lampion.code.sealed_code import SealedCode
from lampion.domain.function import DeploymentPackage
from lampion.domain.key_problems import PACKAGE, KeyUnusable, cannot_decrypt
from lampion.gateway.link_signatures import LinkSignatures
from lampion.http.message import Request, RequestHead, Response

_OPENED = "/opened"
"""Ends the address of a package that is decrypted for who follows it."""
_PATH = re.compile(rf"/_lampion/code/([0-9a-f]{{64}})({_OPENED})?")
_VALID_SECONDS = 600  # Lambda developer guide: the link of GetFunction is valid for 10 minutes


class CodeDownloads:
    """Makes the links (api.functions.CodeLinks) and serves them (gateway.door.Door)."""

    def __init__(self, *, blobs: Blobs, sealed: SealedCode, signatures: LinkSignatures, clock: Clock) -> None:
        self._blobs = blobs
        self._sealed = sealed
        self._signatures = signatures
        self._clock = clock

    def link(self, package: DeploymentPackage, context: RequestContext) -> str:
        """An address under the host that the caller used. For an encrypted package, `check` comes first."""
        path = f"/_lampion/code/{package.sha256}{_OPENED if package.is_encrypted else ''}"
        query = self._signatures.signer.presign("GET", context.host, path, "", _VALID_SECONDS, self._clock.now())
        return f"{context.scheme}://{context.host}{path}?{query}"

    async def check(self, package: DeploymentPackage, context: RequestContext) -> None:
        """Raises KeyUnusable for an encrypted package that the caller may not decrypt."""
        if package.is_encrypted:
            with suppress(BlobMissing, BlobDamaged):  # who follows the link learns of that
                await self._sealed.data_key(package.sha256, context.asker)

    def accept(self, head: RequestHead) -> int:
        if head.method != "GET" or _PATH.fullmatch(head.path) is None:
            raise UnknownOperationException("No such address.")
        head.findings = self._signatures.read(head)
        return 0

    def too_large(self, head: RequestHead) -> Exception:
        return AccessDeniedException("A download has no body.")

    async def serve(self, request: Request, request_id: str) -> Response:
        await self._signatures.verify(request.head.findings, request)
        match = _PATH.fullmatch(request.head.path)
        assert match is not None
        sha256, is_encrypted = match.groups()
        try:
            content = await (self._sealed.read(sha256) if is_encrypted else self._blobs.read(sha256))
        except BlobMissing:
            raise UnknownOperationException("The code of this link is gone.") from None
        except KeyUnusable as unusable:
            raise cannot_decrypt(unusable, PACKAGE) from unusable
        return Response(200, content, {"Content-Type": "application/zip", "x-amzn-RequestId": request_id})
