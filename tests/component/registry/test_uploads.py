"""Uploads: bounded in number, size and time, and gone without a trace."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lampion.clock.rng import SystemRng
from lampion.clock.virtual import VirtualClock
from lampion.code.images.content import ImageContent, digest_of
from lampion.http.application import BrokenOff
from lampion.http.queued_body import QueuedBody
from lampion.registry import uploads as module
from lampion.registry.errors import RegistryError
from lampion.registry.uploads import IDLE_SECONDS, UPLOADS_MAX, Uploads


class Pieces:
    """A body that the test sends (http.message.BodyPieces)."""

    def __init__(self) -> None:
        self.receiver: Any = None
        self.is_paused = self.is_discarded = False

    def receive(self, receiver: Any) -> None:
        self.receiver = receiver

    def pause(self) -> None:
        self.is_paused = True

    def resume(self) -> None:
        self.is_paused = False

    def discard(self) -> None:
        self.is_discarded = True


def body(*pieces: bytes, trailers: Mapping[str, str] | None = None) -> QueuedBody:
    sent = Pieces()
    queue = QueuedBody(sent)
    for piece in pieces:
        sent.receiver.take(piece)
    sent.receiver.finish(trailers or {})
    return queue


@pytest.fixture
def content(tmp_path: Path) -> ImageContent:
    for name in ("content", "staging"):
        (tmp_path / name).mkdir()
    return ImageContent(tmp_path / "content", tmp_path / "staging")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def uploads(content: ImageContent, clock: VirtualClock) -> Iterator[Uploads]:
    made = Uploads(content, clock, SystemRng())
    yield made
    made.close()


def staged(tmp_path: Path) -> int:
    return sum(1 for _ in (tmp_path / "staging").iterdir())


async def test_one_that_nobody_goes_on_with_is_dropped(uploads: Uploads, clock: VirtualClock, tmp_path: Path) -> None:
    idle, used = uploads.begin("1", "a"), uploads.begin("1", "b")
    await clock.advance(IDLE_SECONDS / 2)
    await uploads.receive(used, uploads.find(used, "1", "b"), body(b"x"))
    await clock.advance(IDLE_SECONDS / 2)
    with pytest.raises(RegistryError):
        uploads.find(idle, "1", "a")
    assert uploads.find(used, "1", "b").size_bytes == 1
    assert staged(tmp_path) == 1
    await clock.advance(IDLE_SECONDS)
    assert staged(tmp_path) == 0


async def test_only_so_many_are_under_way(uploads: Uploads, tmp_path: Path) -> None:
    begun = [uploads.begin("1", "a") for _ in range(UPLOADS_MAX)]
    with pytest.raises(RegistryError) as raised:
        uploads.begin("1", "a")
    assert raised.value.status == 429
    uploads.drop(begun[0])
    uploads.begin("1", "a")
    uploads.close()
    assert staged(tmp_path) == 0


async def test_one_that_is_too_large_is_dropped(
    uploads: Uploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOB_BYTES_MAX", 10)
    upload_id = uploads.begin("1", "a")
    await uploads.receive(upload_id, uploads.find(upload_id, "1", "a"), body(b"x" * 10))
    with pytest.raises(RegistryError) as raised:
        await uploads.receive(upload_id, uploads.find(upload_id, "1", "a"), body(b"x"))
    assert (raised.value.status, staged(tmp_path)) == (413, 0)


async def test_two_requests_cannot_bring_parts_at_once(uploads: Uploads) -> None:
    upload_id, sent = uploads.begin("1", "a"), Pieces()
    upload = uploads.find(upload_id, "1", "a")
    slow = asyncio.create_task(uploads.receive(upload_id, upload, QueuedBody(sent)))
    await asyncio.sleep(0)
    with pytest.raises(RegistryError):
        await uploads.receive(upload_id, upload, body(b"x"))
    sent.receiver.take(b"y")
    sent.receiver.finish({})
    await slow
    assert upload.size_bytes == 1


async def test_what_another_request_brings_or_keeps_is_neither_kept_twice_nor_given_up(
    uploads: Uploads, content: ImageContent, tmp_path: Path
) -> None:
    upload_id, sent = uploads.begin("1", "a"), Pieces()
    upload, digest = uploads.find(upload_id, "1", "a"), digest_of(b"y" * 1000)
    bringing = asyncio.create_task(uploads.receive(upload_id, upload, QueuedBody(sent)))
    await asyncio.sleep(0)
    for ended in (uploads.finish(upload_id, upload, digest), asyncio.to_thread(uploads.cancel, upload_id, upload)):
        with pytest.raises(RegistryError, match="another request"):
            await ended
    sent.receiver.take(b"y" * 1000)
    sent.receiver.finish({})
    await bringing
    keeping = [uploads.finish(upload_id, upload, digest) for _ in range(2)]
    kept, refused = await asyncio.gather(*keeping, return_exceptions=True)
    assert kept is None
    assert isinstance(refused, RegistryError)
    assert (content.size(digest), staged(tmp_path)) == (1000, 0)


async def test_a_client_waits_for_the_disk_and_its_end_is_noticed(uploads: Uploads, tmp_path: Path) -> None:
    upload_id, sent = uploads.begin("1", "a"), Pieces()
    queue = QueuedBody(sent)
    for _ in range(3):
        sent.receiver.take(b"x" * 512 * 1024)
    assert _is_paused(sent)
    receiving = asyncio.create_task(uploads.receive(upload_id, uploads.find(upload_id, "1", "a"), queue))
    while _is_paused(sent):
        await asyncio.sleep(0.001)
    sent.receiver.break_off()
    with pytest.raises(BrokenOff):
        await receiving
    assert staged(tmp_path) == 0


def _is_paused(sent: Pieces) -> bool:
    return sent.is_paused
