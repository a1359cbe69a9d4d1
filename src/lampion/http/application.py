"""What a door implements to be served by this room."""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Protocol

from lampion.http.message import Request, RequestHead, Response


class ClientGone(Exception):
    """Nobody is there any more to take the answer."""


class BrokenOff(Exception):
    """Whoever makes the pieces of an answer can't go on, which is no fault of this server's."""


class Body(Enum):
    """How `accept` wants a body that isn't to be gathered."""

    IN_PIECES = auto()


class AnswerBody(Protocol):
    """The body of an answer that is written in pieces. Ends with exactly one `end` or `abort`."""

    async def write(self, piece: bytes) -> None:
        """Returns when the client has room for it. Raises ClientGone."""

    def end(self) -> None:
        """The answer is complete."""

    def abort(self) -> None:
        """It never will be, which the client learns: the connection ends in the middle of the answer."""


class Exchange(Protocol):
    """One request's way back. Exactly one `respond` or `begin`; later `respond`s are ignored."""

    def respond(self, response: Response) -> None: ...

    def begin(self, head: Response, size_bytes: int | None = None) -> AnswerBody:
        """Answer with `head`, whose body is to follow in pieces: exactly so much, if that is known."""

    def on_disconnect(self, action: Callable[[], object]) -> None:
        """Call `action` if the client goes away before the answer is complete."""


class BodyReceiver(Protocol):
    """Takes the body of a request as it comes. Ends with exactly one `finish` or `break_off`."""

    def take(self, piece: bytes) -> None: ...

    def finish(self, trailers: Mapping[str, str]) -> None:
        """All of it came; names of trailers are lower case."""

    def break_off(self) -> None:
        """The rest will never come: the client is gone or talks nonsense."""


class Application(Protocol):
    """A door behind a listener. Never called for a request that isn't well-formed HTTP."""

    def accept(self, head: RequestHead) -> int | Body | Response:
        """Before the body is read: the most bytes of body that are welcome, or the refusal.

        Body.IN_PIECES: `start` is called at once, with a request that has `pieces` in place of a body.
        """

    def too_large(self, head: RequestHead) -> Response:
        """The answer when the body exceeds what `accept` allowed."""

    def start(self, request: Request, exchange: Exchange) -> None:
        """Begin to serve a whole request; must not block."""
