"""Compressed layers: read piece by piece, whatever is in them."""

import gzip
import hashlib
import importlib.util
import io
import tracemalloc

import pytest

from lampion.code.images import streams
from lampion.code.images.streams import BadLayer, LayerStream

MIB = 1024 * 1024
TEXT = b"".join(b"%d," % number for number in range(200_000))


def read_all(data: bytes, compression: str, most_bytes: int = 64 * MIB) -> bytes:
    stream = LayerStream(io.BytesIO(data), compression, most_bytes)
    parts = []
    while part := stream.read(10_007):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize(
    ("data", "compression"),
    [
        (TEXT, ""),
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]), "gzip"),
        (gzip.compress(TEXT) + b"\0" * 1000, "gzip"),
        (gzip.compress(TEXT, 0), "gzip"),
    ],
    ids=["plain", "gzip", "several members", "padding", "stored"],
)
def test_a_layer_reads_as_what_was_put_in(data: bytes, compression: str) -> None:
    assert read_all(data, compression) == TEXT


def test_the_digest_is_of_all_of_it_also_what_nobody_read() -> None:
    stream = LayerStream(io.BytesIO(gzip.compress(TEXT)), "gzip", 64 * MIB)
    stream.read(10)
    assert stream.finish() == f"sha256:{hashlib.sha256(TEXT).hexdigest()}"
    assert stream.read_bytes == len(TEXT)


@pytest.mark.parametrize(
    "data", [gzip.compress(TEXT)[:-20], b"not gzip at all", gzip.compress(TEXT)[:100] + b"!" * 5000, b""]
)
def test_what_is_no_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(BadLayer):
        read_all(data, "gzip")


def test_a_bomb_costs_neither_memory_nor_more_than_the_limit() -> None:
    bomb = gzip.compress(bytes(64 * MIB))
    tracemalloc.start()
    with pytest.raises(BadLayer, match="10 GB"):
        LayerStream(io.BytesIO(bomb), "gzip", 32 * MIB).finish()
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 8 * MIB


def test_zstd_without_a_module_for_it_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_ZSTD_MODULES", ("no_such_module",))
    with pytest.raises(BadLayer, match=r"backports\.zstd"):
        LayerStream(io.BytesIO(b""), "zstd", MIB)


@pytest.mark.skipif(
    importlib.util.find_spec("compression") is None and importlib.util.find_spec("backports") is None,
    reason="this Python has no zstd, and backports.zstd isn't installed",
)
def test_zstd_is_undone_where_there_is_a_module_for_it() -> None:
    module = importlib.import_module(
        "compression.zstd" if importlib.util.find_spec("compression") else "backports.zstd"
    )
    data = module.compress(TEXT[:1000]) + module.compress(TEXT[1000:])
    assert read_all(data, "zstd") == TEXT
    with pytest.raises(BadLayer):
        read_all(data[:-10], "zstd")
