import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampion.aws.pagination import Markers
from lampion.domain.errors import InvalidParameterValueException

MARKERS = Markers(b"a secret of 16 bytes or more")


@given(st.text())
def test_a_marker_gives_its_position_back(position: str):
    marker = MARKERS.seal("ListFunctions", position)
    assert MARKERS.open("ListFunctions", marker) == position
    assert marker.replace("-", "").replace("_", "").isalnum()


def test_a_marker_belongs_to_its_operation_and_to_its_server():
    marker = MARKERS.seal("ListFunctions", "f")
    with pytest.raises(InvalidParameterValueException):
        MARKERS.open("ListAliases", marker)
    with pytest.raises(InvalidParameterValueException):
        Markers(b"another secret, also long enough").open("ListFunctions", marker)


@given(st.text())
def test_what_nobody_sealed_does_not_open(marker: str):
    with pytest.raises(InvalidParameterValueException):
        MARKERS.open("ListFunctions", marker)


@given(st.integers(min_value=0, max_value=30), st.characters(codec="ascii", categories=("L", "N")))
def test_a_changed_marker_does_not_open(at: int, character: str):
    marker = MARKERS.seal("ListFunctions", "position-1")
    changed = marker[:at] + character + marker[at + 1 :]
    if changed != marker:
        with pytest.raises(InvalidParameterValueException):
            MARKERS.open("ListFunctions", changed)


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        Markers(b"short")


@given(st.lists(st.text(min_size=1), unique=True), st.integers(1, 60))
def test_pages_walk_through_a_list_once_and_end(items: list[str], size: int):
    rest, walked = sorted(items), list[str]()
    members: dict[str, int | str] = {"MaxItems": size}
    while True:
        asked = MARKERS.asked("ListFunctions", members, most=50)
        found = [item for item in rest if asked.after is None or item > asked.after][: asked.wanted]
        page = asked.page(found, lambda item: item)
        assert len(page.shown) <= min(size, 50)
        walked += page.shown
        if page.next_marker is None:
            break
        members = {"MaxItems": size, "Marker": page.next_marker}
    assert walked == rest


def test_a_page_is_as_long_as_the_operation_allows_when_nobody_says():
    assert MARKERS.asked("ListFunctions", {}).limit == 50
    assert MARKERS.asked("ListFunctions", {}, most=100).limit == 100
