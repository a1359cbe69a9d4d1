"""What a door behind the gateway looks like."""

from typing import Protocol, runtime_checkable

from lampion.domain.errors import ApiError
from lampion.http.application import Body
from lampion.http.message import Request, RequestHead, Response, StreamedResponse


class Door(Protocol):
    """Serves the requests that the gateway sends its way. Raises domain.errors.ApiError for AWS's error answers."""

    def accept(self, head: RequestHead) -> int | Body:
        """Before the body is read: the most bytes of it that are welcome. May keep `head.findings`.

        Body.IN_PIECES: the request's `queue` is what comes of it.
        """

    def too_large(self, head: RequestHead) -> Exception:
        """The error for a body beyond that."""

    async def serve(self, request: Request, request_id: str) -> Response | StreamedResponse:
        """The answer, or the beginning of one whose body comes in pieces."""


@runtime_checkable
class RefusesInOwnForm(Protocol):
    """A door whose errors have another form than those of Lambda's API."""

    def refusal(self, error: ApiError, request_id: str) -> Response: ...
