"""What a door implements to be served by this room."""

from collections.abc import Callable
from typing import Protocol

from lampion.http.message import Request, RequestHead, Response


class Exchange(Protocol):
    """One request's way back. Exactly one `respond`; later ones, and those after a disconnect, are ignored."""

    def respond(self, response: Response) -> None: ...

    def on_disconnect(self, action: Callable[[], object]) -> None:
        """Call `action` if the client goes away before the answer."""


class Application(Protocol):
    """A door behind a listener. Never called for a request that isn't well-formed HTTP."""

    def accept(self, head: RequestHead) -> int | Response:
        """Before the body is read: the most bytes of body that are welcome, or the refusal."""

    def too_large(self, head: RequestHead) -> Response:
        """The answer when the body exceeds what `accept` allowed."""

    def start(self, request: Request, exchange: Exchange) -> None:
        """Begin to serve a whole request; must not block."""
