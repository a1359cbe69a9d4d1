"""The door to Lampion's own read-only views, for its command line; signed like everything else."""

import re

from lampion.aws.errors import AccessDeniedException, UnknownOperationException, ValidationException
from lampion.console.logs import LogsView
from lampion.gateway.authentication import Authentication
from lampion.http.message import JSON, Request, RequestHead, Response

_LOGS = re.compile(r"/_lampion/logs/([^/]{1,200})")


class OwnViews:
    """GET /_lampion/logs/<function> (gateway.door.Door)."""

    def __init__(self, *, logs: LogsView, authentication: Authentication, region: str) -> None:
        self._logs = logs
        self._authentication = authentication
        self._region = region

    def accept(self, head: RequestHead) -> int:
        if head.method != "GET" or _LOGS.fullmatch(head.path) is None:
            raise UnknownOperationException("No such view.")
        head.findings = self._authentication.read(head)
        return 0

    def too_large(self, head: RequestHead) -> Exception:
        return AccessDeniedException("A view has no body.")

    async def serve(self, request: Request, request_id: str) -> Response:
        principal = await self._authentication.verify(request.head.findings, request)
        match = _LOGS.fullmatch(request.head.path)
        assert match is not None
        try:
            page = await self._logs.read(principal.account_id, self._region, match[1], request.head.query)
        except ValueError as error:
            raise ValidationException(f"after, since and wait are numbers: {error}") from None
        return Response(200, page, {"Content-Type": JSON, "x-amzn-RequestId": request_id})
