"""What a door behind the gateway looks like."""

from collections.abc import Callable
from typing import Protocol

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


def refusal_in_own_form(door: Door) -> Callable[[ApiError, str], Response] | None:
    """How a door says no whose errors have another form than those of Lambda's API; None for all others.

    Asked for by its name: isinstance with a runtime Protocol took a fifth of every refusal's time.
    """
    return getattr(door, "refusal", None)
