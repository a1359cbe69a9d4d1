"""Endpoints, ranges and pieces of uploads, as the distribution specification writes them."""

import pytest

from lampion.registry.errors import RegistryError
from lampion.registry.routes import Ask, Route, byte_range, route, upload_start

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v2/", Route(Ask.VERSION)),
        ("GET", "/v2", Route(Ask.VERSION)),
        ("HEAD", f"/v2/a/b/c/blobs/{DIGEST}", Route(Ask.GET_BLOB, "a/b/c", DIGEST)),
        ("GET", f"/v2/a/blobs/{DIGEST.replace(':', '%3A')}", Route(Ask.GET_BLOB, "a", DIGEST)),
        ("POST", "/v2/a/blobs/uploads/", Route(Ask.BEGIN_UPLOAD, "a")),
        ("POST", "/v2/a/blobs/uploads", Route(Ask.BEGIN_UPLOAD, "a")),
        ("PATCH", "/v2/a/blobs/uploads/x-1", Route(Ask.ADD_TO_UPLOAD, "a", "x-1")),
        ("PUT", "/v2/a/blobs/uploads/x-1", Route(Ask.FINISH_UPLOAD, "a", "x-1")),
        ("GET", "/v2/a/blobs/uploads/x-1", Route(Ask.SHOW_UPLOAD, "a", "x-1")),
        ("DELETE", "/v2/a/blobs/uploads/x-1", Route(Ask.CANCEL_UPLOAD, "a", "x-1")),
        ("PUT", "/v2/a/b/manifests/v1", Route(Ask.PUT_MANIFEST, "a/b", "v1")),
        ("GET", f"/v2/a/manifests/{DIGEST}", Route(Ask.GET_MANIFEST, "a", DIGEST)),
        ("GET", "/v2/blobs/manifests/tags/list", Route(Ask.LIST_TAGS, "blobs/manifests")),
    ],
)
def test_every_endpoint_is_found(method: str, path: str, expected: Route) -> None:
    assert route(method, path) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=5-", (5, 5)),
        ("bytes=-3", (7, 3)),
        ("bytes=-30", (0, 10)),
        ("bytes=8-100", (8, 2)),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,3-4", None),
        ("characters=0-1", None),
    ],
)
def test_a_range_is_one_of_bytes(header: str | None, expected: tuple[int, int] | None) -> None:
    assert byte_range(header, 10) == expected


@pytest.mark.parametrize(
    ("header", "size_bytes"), [("bytes=10-", 10), ("bytes=99-100", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_a_range_behind_the_end_is_refused(header: str, size_bytes: int) -> None:
    with pytest.raises(RegistryError) as raised:
        byte_range(header, size_bytes)
    assert (raised.value.status, raised.value.headers) == (416, {"Content-Range": f"bytes */{size_bytes}"})


def test_a_piece_says_where_it_begins() -> None:
    assert [upload_start(header) for header in (None, "0-5", "bytes 7-9/*", "bytes=3-4")] == [None, 0, 7, 3]
    with pytest.raises(RegistryError):
        upload_start("from the start")
