"""The OCI distribution API 1.1, as clients of registries speak it: pull and push (gateway.door.Door)."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import BinaryIO, Final
from urllib.parse import parse_qs, quote

import msgspec

from lampion.aws.errors import RequestEntityTooLargeException
from lampion.code.images.content import SMALL_BYTES, ContentMissing
from lampion.domain.image import is_digest, is_repository_name
from lampion.http.application import Body, BrokenOff
from lampion.http.message import JSON, Request, RequestHead, Response, StreamedResponse
from lampion.identity.actors import Actor
from lampion.registry.access import RegistryAccess
from lampion.registry.actions import OF_MOUNTS, actions_of
from lampion.registry.errors import RegistryError, bad_digest, bad_upload, no_blob, no_manifest
from lampion.registry.permissions import RepositoryPermissions
from lampion.registry.routes import Ask, Route, byte_range, route, upload_start
from lampion.registry.shelves import Shelf, Shelves
from lampion.registry.uploads import Upload, Uploads

_PIECE_BYTES: Final = 256 * 1024
_TAGS_MAX: Final = 1000
_VERSION: Final = ("Docker-Distribution-Api-Version", "registry/2.0")
_STREAMED: Final = frozenset((Ask.BEGIN_UPLOAD, Ask.ADD_TO_UPLOAD, Ask.FINISH_UPLOAD))


class _Call(msgspec.Struct, frozen=True):
    route: Route | None
    error: RegistryError | None = None


class RegistryDoor:
    """All repositories of this server, each account's its own."""

    def __init__(
        self,
        *,
        access: RegistryAccess,
        permissions: RepositoryPermissions,
        shelves: Shelves,
        uploads: Uploads,
        region: str,
    ) -> None:
        self._access = access
        self._permissions = permissions
        self._shelves = shelves
        self._uploads = uploads
        self._region = region

    def accept(self, head: RequestHead) -> int | Body:
        try:
            asked = route(head.method, head.path)
        except RegistryError as error:
            head.findings = _Call(None, error)
            return SMALL_BYTES
        head.findings = _Call(asked)
        if asked.ask in _STREAMED:
            return Body.IN_PIECES
        return SMALL_BYTES if asked.ask is Ask.PUT_MANIFEST else 0

    def too_large(self, head: RequestHead) -> Exception:
        return RequestEntityTooLargeException(f"A manifest has at most {SMALL_BYTES} bytes.")

    async def serve(self, request: Request, request_id: str) -> Response | StreamedResponse:
        call: _Call = request.head.findings
        try:
            if call.error is not None:
                raise call.error
            assert call.route is not None
            account_id, actor = await self._access.caller(request.head)
            shelf = Shelf(account_id, self._region, call.route.repository)
            await self._permissions.check(actor, actions_of(call.route.ask, request.head), shelf, request.head)
            if call.route.ask is Ask.BEGIN_UPLOAD:
                return await self._begin(shelf, request, actor)
            return await self._answer(call.route, shelf, request)
        except RegistryError as error:
            return _refusal(error)
        except BrokenOff:
            return _refusal(bad_upload("it broke off"))

    async def _answer(self, asked: Route, shelf: Shelf, request: Request) -> Response | StreamedResponse:
        match asked.ask:
            case Ask.VERSION:
                return Response(200, b"{}", [("Content-Type", JSON), _VERSION])
            case Ask.GET_BLOB:
                return await self._blob(shelf, asked.reference, request.head)
            case Ask.GET_MANIFEST:
                return await self._manifest(shelf, asked.reference, request.head)
            case Ask.PUT_MANIFEST:
                return await self._put_manifest(shelf, asked.reference, request)
            case Ask.DELETE_MANIFEST:
                await self._shelves.delete_manifest(shelf, asked.reference)
                return Response(202, b"", [_VERSION])
            case Ask.LIST_TAGS:
                return await self._tags(shelf, request.head)
        return await self._go_on(asked, shelf, request)

    # -- blobs --

    async def _blob(self, shelf: Shelf, digest: str, head: RequestHead) -> StreamedResponse:
        size_bytes = await self._shelves.blob_size(shelf, digest)
        asked = None if head.method == "HEAD" else byte_range(head.headers.get("range"), size_bytes)
        first, length = (0, size_bytes) if asked is None else asked
        headers = [
            ("Content-Type", "application/octet-stream"),
            ("Docker-Content-Digest", digest),
            ("Accept-Ranges", "bytes"),
            _VERSION,
        ]
        if asked is not None:
            headers.append(("Content-Range", f"bytes {first}-{first + length - 1}/{size_bytes}"))
        if head.method == "HEAD":
            return StreamedResponse(200, headers, _nothing(), _no_close, size_bytes)
        try:
            file = await asyncio.to_thread(self._shelves.content.open, digest)
        except ContentMissing:
            raise no_blob(digest) from None
        status = 200 if asked is None else 206
        return StreamedResponse(status, headers, _pieces(file, first, length), _no_close, length)

    async def _begin(self, shelf: Shelf, request: Request, actor: Actor) -> Response:
        """Whole in one request, taken over from another repository, or to be brought by requests to come."""
        query = parse_qs(request.head.query)
        await self._shelves.check(shelf)
        digest, mounted, source = (query.get(name, [""])[0] for name in ("digest", "mount", "from"))
        if mounted and await self._mounts(shelf, mounted, source, actor, request.head):
            return _created(shelf, mounted)
        if digest and not is_digest(digest):
            raise bad_digest(f"not a SHA-256 digest: {digest[:256]!r}")
        upload_id = self._uploads.begin(shelf.account_id, shelf.name)
        upload = self._uploads.find(upload_id, shelf.account_id, shelf.name)
        assert request.queue is not None
        await self._uploads.receive(upload_id, upload, request.queue)
        if digest:
            return await self._finish(shelf, upload_id, upload, digest)
        return _accepted(shelf, upload_id, upload)

    async def _mounts(self, shelf: Shelf, digest: str, source: str, actor: Actor, head: RequestHead) -> bool:
        """A blob that can't be taken over is uploaded, as the specification has it."""
        if not is_digest(digest) or not is_repository_name(source):
            return False
        origin = Shelf(shelf.account_id, shelf.region, source)
        try:
            await self._permissions.check(actor, OF_MOUNTS, origin, head)
            await self._shelves.blob_size(origin, digest)
        except RegistryError:
            return False
        self._shelves.note_brought(shelf, digest)
        return True

    async def _go_on(self, asked: Route, shelf: Shelf, request: Request) -> Response:
        await self._shelves.check(shelf)
        upload_id, head = asked.reference, request.head
        upload = self._uploads.find(upload_id, shelf.account_id, shelf.name)
        if asked.ask is Ask.CANCEL_UPLOAD:
            self._uploads.cancel(upload_id, upload)
            return Response(204, b"", [_VERSION])
        if asked.ask is Ask.SHOW_UPLOAD:
            return _accepted(shelf, upload_id, upload, status=204)
        digest = parse_qs(head.query).get("digest", [""])[0]
        if asked.ask is Ask.FINISH_UPLOAD and not is_digest(digest):
            raise bad_digest(f"not a SHA-256 digest: {digest[:256]!r}")
        start = upload_start(head.headers.get("content-range"))
        if start is not None and start != upload.size_bytes:
            raise RegistryError(
                416,
                "BLOB_UPLOAD_INVALID",
                "out of order",
                {"Range": _range(upload), "Location": _place(shelf, upload_id)},
            )
        assert request.queue is not None
        await self._uploads.receive(upload_id, upload, request.queue)
        if asked.ask is Ask.FINISH_UPLOAD:
            return await self._finish(shelf, upload_id, upload, digest)
        return _accepted(shelf, upload_id, upload)

    async def _finish(self, shelf: Shelf, upload_id: str, upload: Upload, digest: str) -> Response:
        await self._uploads.finish(upload_id, upload, digest)
        self._shelves.note_brought(shelf, digest)
        return _created(shelf, digest)

    # -- manifests and tags --

    async def _manifest(self, shelf: Shelf, reference: str, head: RequestHead) -> Response | StreamedResponse:
        found = await self._shelves.manifest(shelf, reference)
        try:
            data = await asyncio.to_thread(self._shelves.content.read_small, found.digest)
        except ContentMissing:
            raise no_manifest(reference) from None
        headers = [("Content-Type", found.media_type), ("Docker-Content-Digest", found.digest), _VERSION]
        if head.method == "HEAD":
            return StreamedResponse(200, headers, _nothing(), _no_close, len(data))
        return Response(200, data, headers)

    async def _put_manifest(self, shelf: Shelf, reference: str, request: Request) -> Response:
        media_type = request.head.headers.get("content-type", "").partition(";")[0].strip()
        digest = await self._shelves.put_manifest(shelf, reference, media_type, request.body)
        location = f"/v2/{shelf.name}/manifests/{digest}"
        return Response(201, b"", [("Location", location), ("Docker-Content-Digest", digest), _VERSION])

    async def _tags(self, shelf: Shelf, head: RequestHead) -> Response:
        query = parse_qs(head.query)
        wanted = query.get("n", [""])[0]
        most = min(int(wanted), _TAGS_MAX) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else _TAGS_MAX
        found = await self._shelves.tags(shelf, after=query.get("last", [""])[0], most=most + 1)
        headers = [("Content-Type", JSON), _VERSION]
        if len(found) > most > 0:
            last = quote(found[most - 1], safe="")
            headers.append(("Link", f'</v2/{shelf.name}/tags/list?last={last}&n={most}>; rel="next"'))
        return Response(200, json.dumps({"name": shelf.name, "tags": found[:most]}).encode(), headers)


def _created(shelf: Shelf, digest: str) -> Response:
    location = f"/v2/{shelf.name}/blobs/{digest}"
    return Response(201, b"", [("Location", location), ("Docker-Content-Digest", digest), _VERSION])


def _accepted(shelf: Shelf, upload_id: str, upload: Upload, *, status: int = 202) -> Response:
    headers = [("Location", _place(shelf, upload_id)), ("Range", _range(upload)), ("Docker-Upload-UUID", upload_id)]
    return Response(status, b"", [*headers, _VERSION])


def _place(shelf: Shelf, upload_id: str) -> str:
    return f"/v2/{shelf.name}/blobs/uploads/{upload_id}"


def _range(upload: Upload) -> str:
    return f"0-{max(0, upload.size_bytes - 1)}"


def _refusal(error: RegistryError) -> Response:
    body = json.dumps({"errors": [{"code": error.code, "message": error.message}]}).encode()
    return Response(error.status, body, [("Content-Type", JSON), *error.headers.items(), _VERSION])


async def _nothing() -> AsyncGenerator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece


def _no_close() -> None:
    """The pieces end by themselves: nobody makes them but who takes them."""


async def _pieces(file: BinaryIO, first: int, length: int) -> AsyncGenerator[bytes]:
    with file:
        await asyncio.to_thread(file.seek, first)
        while length > 0:
            piece = await asyncio.to_thread(file.read, min(_PIECE_BYTES, length))
            if not piece:
                raise BrokenOff
            length -= len(piece)
            yield piece
