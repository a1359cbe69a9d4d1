"""Requests and responses as values. Header names are lower case; values are text as Latin-1 carries it."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from lampion.http.application import BodyReceiver
    from lampion.http.queued_body import QueuedBody

JSON = "application/json"


Headers = dict[str, str] | Sequence[tuple[str, str]] | str
"""Of an answer, sent as spelled; text is lines that are ready to be sent, each with its CRLF."""


class RequestHead(msgspec.Struct):
    """Everything before the body. `path` and `query` are raw, still percent-encoded, as they stood on the wire.

    `headers` keeps repeated headers joined by "," as RFC 9110 section 5.3 allows, cookies by "; " (RFC 9113, 8.2.3);
    `content_length` is None for a chunked body. `findings` is where the application keeps, for `start`, what it
    found out about the request in `accept`.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    content_length: int | None
    client: str = ""
    findings: Any = None

    def __repr__(self) -> str:
        """Query and headers may hold signatures and tokens."""
        return f"RequestHead({self.method!r}, {self.path!r})"


class BodyPieces(Protocol):
    """A body that is still coming; whoever takes it says when it is too much at once."""

    def receive(self, receiver: "BodyReceiver") -> None:
        """Called at once, or the body is thrown away."""

    def pause(self) -> None:
        """Let the client wait. Some pieces that were read already may still come."""

    def resume(self) -> None: ...

    def discard(self) -> None:
        """The request is answered: throw the rest away, up to the listener's bound; the receiver gets no more of it."""


class Request(msgspec.Struct):
    """A whole request, head and body; or a head, and `pieces` of a body that the application takes as it comes.

    `queue` is where the application has them wait.
    """

    head: RequestHead
    body: bytes = b""
    pieces: BodyPieces | None = None
    queue: "QueuedBody | None" = None

    def __repr__(self) -> str:
        return f"Request({self.head!r}, {len(self.body)} bytes)"


class Response(msgspec.Struct, frozen=True):
    """An answer. Content-Length and Connection are the server's own."""

    status: int
    body: bytes = b""
    headers: Headers = ()
    close: bool = False

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.body)} bytes)"


class StreamedResponse(msgspec.Struct, frozen=True):
    """An answer whose body comes in pieces. `close` is called when nobody takes them any more, and ends `pieces`.

    With `size_bytes`, that is known beforehand and told; an answer to HEAD tells it as well, and has no pieces.
    """

    status: int
    headers: Headers
    pieces: AsyncGenerator[bytes]
    close: Callable[[], object]
    size_bytes: int | None = None


def client_of(peer: object) -> str:
    """The address of a peer as sockets tell it; an IPv4 client of a socket for both is told as everywhere else."""
    address = str(peer[0]) if isinstance(peer, tuple) and peer else ""
    return address.removeprefix("::ffff:") if "." in address else address
