"""Takes BER apart (ITU-T X.690), definite and indefinite lengths. Knows no types; trusts no number in its input."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_DEPTH_MAX: Final = 32
_CONSTRUCTED: Final = 0x20
_LONG_TAG: Final = 0x1F
_INDEFINITE: Final = 0x80
_LENGTH_BYTES_MAX: Final = 4
_END: Final = b"\0\0"


class BadBer(Exception):
    """Not BER, or cut off, or nested too deeply. The message is for our own log only."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: `tag` is its identifier octet, `content` what is between header and end, still encoded."""

    tag: int
    content: bytes

    def members(self) -> list["Element"]:
        """What a constructed element is made of. Raises BadBer."""
        if not self.tag & _CONSTRUCTED:
            raise BadBer("a primitive element has no members")
        return list(_elements(self.content))


def only_element(encoded: bytes) -> Element:
    """The element that `encoded` is, without anything after it. Raises BadBer."""
    found = list(_elements(encoded))
    if len(found) != 1:
        raise BadBer(f"{len(found)} elements instead of one")
    return found[0]


def _elements(encoded: bytes) -> Iterator[Element]:
    at = 0
    while at < len(encoded):
        element, at = _element(encoded, at, 0)
        yield element


def _element(encoded: bytes, at: int, depth: int) -> tuple[Element, int]:
    """The element that begins at `at`, and where it ends."""
    if depth > _DEPTH_MAX:
        raise BadBer("nested too deeply")
    if at + 2 > len(encoded):
        raise BadBer("cut off")
    tag, first = encoded[at], encoded[at + 1]
    if tag & _LONG_TAG == _LONG_TAG:
        raise BadBer("a tag of several bytes")
    start = at + 2
    if first == _INDEFINITE:
        return _until_end(encoded, tag, start, depth)
    size_bytes = first
    if first > _INDEFINITE:
        length_end = start + (first - _INDEFINITE)
        if length_end - start > _LENGTH_BYTES_MAX or length_end > len(encoded):
            raise BadBer("length of a length")
        size_bytes, start = int.from_bytes(encoded[start:length_end]), length_end
    if start + size_bytes > len(encoded):
        raise BadBer("cut off")
    return Element(tag, encoded[start : start + size_bytes]), start + size_bytes


def _until_end(encoded: bytes, tag: int, start: int, depth: int) -> tuple[Element, int]:
    if not tag & _CONSTRUCTED:
        raise BadBer("a primitive element without a length")
    at = start
    while encoded[at : at + 2] != _END:
        _, at = _element(encoded, at, depth + 1)
    return Element(tag, encoded[start:at]), at + 2
