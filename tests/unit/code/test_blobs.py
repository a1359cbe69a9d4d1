"""Blobs: named by their content, durable when told so, never given out damaged."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from lampion.code.blobs import BlobDamaged, BlobMissing
from tests.unit.code.conftest import Rooms

DATA = b"zip" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()


async def test_a_blob_comes_back_by_its_hash(rooms: Rooms):
    assert await rooms.blobs.put(DATA) == SHA256
    assert await rooms.blobs.read(SHA256) == DATA
    assert (rooms.root / "blobs" / SHA256[:2] / SHA256).stat().st_mode & 0o077 == 0
    assert rooms.leftovers() == []


async def test_an_unknown_blob_is_named(rooms: Rooms):
    with pytest.raises(BlobMissing, match=SHA256):
        await rooms.blobs.read(SHA256)


async def test_its_beginning_alone_can_be_read(rooms: Rooms):
    await rooms.blobs.put(DATA)
    assert rooms.blobs.beginning_now(SHA256, 10) == DATA[:10]
    assert rooms.blobs.beginning_now(SHA256, len(DATA) + 1) == DATA
    with pytest.raises(BlobMissing):
        rooms.blobs.beginning_now("0" * 64, 10)


async def test_20_callers_that_put_the_same_store_it_once(rooms: Rooms):
    assert set(await asyncio.gather(*(rooms.blobs.put(DATA) for _ in range(20)))) == {SHA256}
    assert rooms.stored() == {SHA256}
    assert rooms.leftovers() == []


@pytest.mark.parametrize("damage", [b"", DATA[:-1], b"X" + DATA[1:], DATA + b"more"])
async def test_a_damaged_blob_is_never_given_out(rooms: Rooms, damage: bytes):
    await rooms.blobs.put(DATA)
    (rooms.root / "blobs" / SHA256[:2] / SHA256).write_bytes(damage)
    with pytest.raises(BlobDamaged):
        await rooms.blobs.read(SHA256)


async def test_a_truncated_blob_is_mended_by_putting_it_again(rooms: Rooms):
    await rooms.blobs.put(DATA)
    (rooms.root / "blobs" / SHA256[:2] / SHA256).write_bytes(DATA[:10])
    await rooms.blobs.put(DATA)
    assert await rooms.blobs.read(SHA256) == DATA


async def test_file_and_directories_are_synced_before_put_returns(rooms: Rooms, monkeypatch: pytest.MonkeyPatch):
    synced: list[str] = []

    def note(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

    monkeypatch.setattr(os, "fsync", note)
    for _ in range(2):
        synced.clear()
        await rooms.blobs.put(DATA)
        assert synced[-2:] == [str(rooms.root / "blobs" / SHA256[:2]), str(rooms.root / "blobs")]
    await rooms.blobs.put(b"other")
    assert synced[-3].startswith(str(rooms.root / "tmp" / "blob-"))


async def test_a_failed_put_leaves_nothing(rooms: Rooms, monkeypatch: pytest.MonkeyPatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        await rooms.blobs.put(DATA)
    assert rooms.stored() == set()
    assert rooms.leftovers() == []


async def test_sweep_removes_what_is_old_and_not_live(rooms: Rooms):
    old, live, young = [await rooms.blobs.put(data) for data in (b"old", b"live", b"young")]
    for sha256, age in ((old, 1000.0), (live, 1000.0), (young, 3000.0)):
        os.utime(rooms.root / "blobs" / sha256[:2] / sha256, (age, age))
    assert await rooms.blobs.sweep({live}, older_than_epoch_seconds=2000.0) == 1
    assert rooms.stored() == {live, young}


async def test_putting_a_blob_again_makes_it_young(rooms: Rooms):
    await rooms.blobs.put(DATA)
    os.utime(rooms.root / "blobs" / SHA256[:2] / SHA256, (1000.0, 1000.0))
    await rooms.blobs.put(DATA)
    assert await rooms.blobs.sweep(frozenset(), older_than_epoch_seconds=2000.0) == 0


async def test_delete_is_idempotent(rooms: Rooms):
    await rooms.blobs.put(DATA)
    await rooms.blobs.delete(SHA256)
    await rooms.blobs.delete(SHA256)
    assert rooms.stored() == set()
