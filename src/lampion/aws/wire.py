"""What leaves by the wire: status, headers, body."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """An HTTP answer. Header names are spelled as AWS spells them."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
