"""What leaves by the wire: status, headers, body."""

import msgspec


class WireAnswer(msgspec.Struct, frozen=True):
    """An HTTP answer. Header names are spelled as AWS spells them."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
