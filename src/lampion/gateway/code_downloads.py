"""Presigned addresses of deployment packages (GetFunction's Code.Location), and the door that serves them."""

import re

from lampion.aws.errors import AccessDeniedException, UnknownOperationException
from lampion.aws.operation import RequestContext
from lampion.clock.clock import Clock
from lampion.code.blobs import BlobMissing, Blobs
from lampion.domain.function import DeploymentPackage
from lampion.gateway.link_signatures import LinkSignatures
from lampion.http.message import Request, RequestHead, Response

_PATH = re.compile(r"/_lampion/code/([0-9a-f]{64})")
_VALID_SECONDS = 600  # Lambda developer guide: the link of GetFunction is valid for 10 minutes


class CodeDownloads:
    """Makes the links (api.functions.CodeLinks) and serves them (gateway.door.Door)."""

    def __init__(self, *, blobs: Blobs, signatures: LinkSignatures, clock: Clock) -> None:
        self._blobs = blobs
        self._signatures = signatures
        self._clock = clock

    def link(self, package: DeploymentPackage, context: RequestContext) -> str:
        """An address under the host that the caller used."""
        path = f"/_lampion/code/{package.sha256}"
        query = self._signatures.signer.presign("GET", context.host, path, "", _VALID_SECONDS, self._clock.now())
        return f"{context.scheme}://{context.host}{path}?{query}"

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
        try:
            content = await self._blobs.read(match[1])
        except BlobMissing:
            raise UnknownOperationException("The code of this link is gone.") from None
        return Response(200, content, {"Content-Type": "application/zip", "x-amzn-RequestId": request_id})
