"""One bad request: what is sent, and what may be answered."""

from dataclasses import dataclass, field
from enum import Enum, auto


class Expect(Enum):
    """What the answer must be, beside never a 5xx (but the named 501), never silence, always well-formed."""

    ANYTHING = auto()
    REFUSED = auto()
    """4xx."""
    VIOLATION = auto()
    """ValidationException that names the member."""
    FITS = auto()
    """Anything but a ValidationException that names the member: the value is at the edge and inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request before it is signed. `target` is path and query, percent-encoded; header values may be any text."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`operation` is the one aimed at ("" when none is); `member` the path of the member at fault, as messages name it.

    `code` is the error that must be answered ("" when several may be).
    `tamper` names what is done to the signature (signing.TAMPERINGS). `wire` are bytes sent as they are instead of
    `request`: below the level at which AWS words its errors, so that their form isn't checked.
    """

    label: str
    operation: str = ""
    request: HttpRequest = field(default_factory=lambda: HttpRequest(method="GET", target="/"))
    expect: Expect = Expect.ANYTHING
    member: str = ""
    code: str = ""
    tamper: str = ""
    wire: bytes = b""

    def __str__(self) -> str:
        shown = self.wire[:200] if self.wire else f"{self.request.method} {self.request.target[:200]}"
        return f"{self.label}: {shown!r}"
