"""Blobs on their way in, between the requests that bring them. Bounded in number, size and time; nothing of one that is
given up, broken off or too slow stays.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from lampion.clock.clock import Clock, Timer
from lampion.clock.rng import Rng
from lampion.code.images.content import DigestMismatch, ImageContent, Incoming
from lampion.http.queued_body import QueuedBody
from lampion.registry.errors import RegistryError, bad_digest, bad_upload, no_upload, too_large

BLOB_BYTES_MAX: Final = 10 * 1024 * 1024 * 1024
UPLOADS_MAX: Final = 256
IDLE_SECONDS: Final = 600.0


@dataclass(slots=True, eq=False)
class Upload:
    """One blob that comes to a repository. `is_busy` while a request brings some of it."""

    account_id: str
    repository: str
    incoming: Incoming
    used_at: float
    is_busy: bool = field(default=False)

    @property
    def size_bytes(self) -> int:
        return self.incoming.size_bytes


class Uploads:
    """All that are under way in this server; a restart forgets them, and their clients begin again."""

    def __init__(self, content: ImageContent, clock: Clock, rng: Rng) -> None:
        self._content = content
        self._clock = clock
        self._rng = rng
        self._uploads: dict[str, Upload] = {}
        self._timer: Timer | None = None

    def begin(self, account_id: str, repository: str) -> str:
        """A new one; its id. Raises RegistryError, OSError."""
        self._drop_idle()
        if len(self._uploads) >= UPLOADS_MAX:
            raise RegistryError(429, "TOOMANYREQUESTS", "too many uploads are under way")
        upload_id = self._rng.uuid4()
        self._uploads[upload_id] = Upload(account_id, repository, self._content.begin(), self._clock.monotonic())
        self._watch()
        return upload_id

    def find(self, upload_id: str, account_id: str, repository: str) -> Upload:
        """Raises RegistryError."""
        upload = self._uploads.get(upload_id)
        if upload is None or (upload.account_id, upload.repository) != (account_id, repository):
            raise no_upload()
        return upload

    def drop(self, upload_id: str) -> None:
        """Nothing of it stays, unless it was kept. Idempotent."""
        upload = self._uploads.pop(upload_id, None)
        if upload is not None:
            upload.incoming.close()

    async def receive(self, upload_id: str, upload: Upload, body: QueuedBody) -> None:
        """Add what `body` brings. Raises RegistryError, OSError, and BrokenOff; then it is dropped."""
        with self._in_use(upload):
            try:
                async for batch in body.batches():
                    if upload.size_bytes + sum(map(len, batch)) > BLOB_BYTES_MAX:
                        raise too_large(BLOB_BYTES_MAX)
                    await upload.incoming.take_all(batch)
                    upload.used_at = self._clock.monotonic()
            except BaseException:
                self.drop(upload_id)
                raise

    async def finish(self, upload_id: str, upload: Upload, digest: str) -> None:
        """Keep it under its digest; nothing of it is under way after that. Raises RegistryError, OSError."""
        with self._in_use(upload):
            try:
                await asyncio.to_thread(upload.incoming.finish, digest)
            except DigestMismatch:
                raise bad_digest() from None
            finally:
                self.drop(upload_id)

    def cancel(self, upload_id: str, upload: Upload) -> None:
        """Its client gives it up. Raises RegistryError while another request brings some of it."""
        with self._in_use(upload):
            self.drop(upload_id)

    @contextmanager
    def _in_use(self, upload: Upload) -> Iterator[None]:
        if upload.is_busy:
            raise bad_upload("another request brings a part of it at this moment")
        upload.is_busy = True
        try:
            yield
        finally:
            upload.is_busy = False

    def _drop_idle(self) -> None:
        before = self._clock.monotonic() - IDLE_SECONDS
        for upload_id, upload in list(self._uploads.items()):
            if not upload.is_busy and upload.used_at <= before:
                self.drop(upload_id)

    def _watch(self) -> None:
        if self._timer is None and self._uploads:
            self._timer = self._clock.call_later(IDLE_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        self._drop_idle()
        self._watch()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for upload_id in list(self._uploads):
            self.drop(upload_id)
