"""Reading zips: no entry ever gives more than it announced, in pieces of bounded size."""

import pytest

from lampion.code.zip_format import BadZip, contents, entries, find_directory
from tests.unit.code.zips import Part, deflate, file, make


def _pieces(part: Part) -> tuple[list[bytes], bool]:
    """What the only entry yields, and whether it was refused in the end."""
    zipped = make(part)
    (entry,) = entries(zipped, find_directory(zipped))
    pieces: list[bytes] = []
    try:
        pieces.extend(contents(zipped, entry))
    except BadZip:
        return pieces, True
    return pieces, False


@pytest.mark.parametrize("method", [0, 8])
def test_pieces_are_small_and_together_the_data(method: int):
    data = bytes(range(256)) * 4000
    pieces, refused = _pieces(file("a", data, method=method))
    assert not refused
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= 64 * 1024


@pytest.mark.parametrize(
    "part",
    [
        file("a", b"", packed=deflate(bytes(50_000_000)), size=100_000),
        file("a", b"", packed=bytes(50_000_000), method=0, size=100_000),
    ],
    ids=["deflated", "stored"],
)
def test_what_announces_little_gives_no_more_than_that(part: Part):
    pieces, refused = _pieces(part)
    assert refused
    assert sum(map(len, pieces)) <= 100_000


def test_entries_are_read_one_by_one():
    good, bad = file("good"), file("bad", method=99)
    zipped = make(good, bad)
    reading = entries(zipped, find_directory(zipped))
    assert next(reading).name == b"good"
    with pytest.raises(BadZip):
        next(reading)
