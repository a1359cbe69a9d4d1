"""The doors to Lampion's own views, for its command line; signed like everything else, but for the health."""

import msgspec

from lampion.aws.errors import RequestEntityTooLargeException, UnknownOperationException, ValidationException
from lampion.console.view import Asked, View
from lampion.gateway.authentication import Authentication
from lampion.http.message import JSON, Request, RequestHead, Response
from lampion.telemetry.health import Health


class OwnView:
    """One view (gateway.door.Door)."""

    def __init__(self, view: View, *, authentication: Authentication, region: str) -> None:
        self._view = view
        self._authentication = authentication
        self._region = region

    def accept(self, head: RequestHead) -> int:
        if head.method not in self._view.methods or self._view.path.fullmatch(head.path) is None:
            raise UnknownOperationException("No such view.")
        head.findings = self._authentication.read(head)
        return self._view.methods[head.method]

    def too_large(self, head: RequestHead) -> Exception:
        return RequestEntityTooLargeException(f"This view takes {self._view.methods[head.method]} bytes.")

    async def serve(self, request: Request, request_id: str) -> Response:
        principal = await self._authentication.verify(request.head.findings, request)
        head = request.head
        match = self._view.path.fullmatch(head.path)
        assert match is not None
        about = match[1] or ""
        asked = Asked(principal.account_id, self._region, head.method, about, head.query, request.body)
        try:
            page = await self._view.answer(asked)
        except ValueError as error:
            raise ValidationException(str(error)) from None
        return Response(200, page, {"Content-Type": JSON, "x-amzn-RequestId": request_id})


class HealthDoor:
    """GET /_lampion/health, for whoever watches servers: 200, or 503 with the names of what is failing."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def accept(self, head: RequestHead) -> int:
        if head.method != "GET" or head.path != "/_lampion/health":
            raise UnknownOperationException("No such view.")
        return 0

    def too_large(self, head: RequestHead) -> Exception:
        return RequestEntityTooLargeException("This view takes no body.")

    async def serve(self, request: Request, request_id: str) -> Response:
        failing = [problem.name for problem in self._health.problems]
        told = {"status": "failing", "failing": failing} if failing else {"status": "ok"}
        headers = {"Content-Type": JSON, "x-amzn-RequestId": request_id, "Cache-Control": "no-store"}
        return Response(503 if failing else 200, msgspec.json.encode(told), headers)
