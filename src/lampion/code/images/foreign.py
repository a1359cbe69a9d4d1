"""Images of other registries, brought by skopeo: which of them may be used, what they have, and all of an image.

skopeo knows their logins and quirks; what it brings is verified like everything else that is stored.
"""

import asyncio
import logging
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final, Protocol

from lampion.aws.errors import AccessDeniedException
from lampion.code.images.content import ContentDamaged, ContentMissing, DigestMismatch, ImageContent
from lampion.code.images.manifests import BadManifest, Manifest, parse_manifest
from lampion.code.images.unpack import UNPACKED_BYTES
from lampion.domain.errors import ApiError, ServiceException
from lampion.domain.function import DeploymentPackage
from lampion.domain.image import ImageReference, does_not_exist, not_supported, parse_image_uri

_ASK_SECONDS: Final = 30.0
_PULL_SECONDS: Final = 1800.0
_PIECE_BYTES: Final = 1024 * 1024
_MISSING: Final = re.compile(rb"manifest unknown|name unknown|not found|404|repository name not known", re.IGNORECASE)
_DENIED: Final = re.compile(rb"unauthori[sz]ed|authentication required|denied|forbidden|40[13]", re.IGNORECASE)
_LOGGED: Final = re.compile(r'\bmsg="((?:[^"\\]|\\.)*)"')
"""In a line of skopeo's log."""
_NO_ACCESS: Final = "Lambda does not have permission to access the ECR image. Check the ECR permissions."

_LOG = logging.getLogger(__name__)
_numbers = count()


class ToolResult(Protocol):
    """What a tool wrote, and how it ended."""

    @property
    def stdout(self) -> bytes: ...

    @property
    def stderr(self) -> bytes: ...

    @property
    def code(self) -> int: ...


class Skopeo(Protocol):
    """Runs skopeo."""

    async def run(self, arguments: Sequence[str], timeout_seconds: float) -> ToolResult:
        """Until it has ended. Raises TimeoutError when that takes too long, OSError when it isn't installed."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Registries by host, and whether each speaks TLS; `logins` is a file as `skopeo login` writes it."""

    registries: Mapping[str, bool] = field(default_factory=dict)
    logins: Path | None = None


class ForeignRegistries:
    """What the settings allow to be taken from elsewhere."""

    def __init__(self, content: ImageContent, staging: Path, skopeo: Skopeo, allowed: Allowed) -> None:
        self._content = content
        self._staging = staging
        self._skopeo = skopeo
        self._allowed = allowed

    def serves(self, host: str) -> bool:
        return host in self._allowed.registries

    async def manifest(self, reference: ImageReference) -> bytes:
        """What it answers for that name. Raises InvalidParameterValueException, AccessDeniedException or
        ServiceException."""
        uri = _uri(reference)
        arguments = ["inspect", "--raw", *self._options(reference.host, "--tls-verify"), f"docker://{uri}"]
        return (await self._run(arguments, uri, _ASK_SECONDS)).stdout

    async def pull(self, package: DeploymentPackage) -> None:
        """Have all of the image stored. Raises KeyError when it isn't from elsewhere, ApiError, OSError."""
        reference = parse_image_uri(package.image_uri or "")
        if not self.serves(reference.host):
            raise KeyError(package.image_uri)
        uri = reference.resolved(package.image_digest)
        await asyncio.to_thread(self._check_size, package.image_digest, uri)
        place = self._staging / f"pulled-{next(_numbers)}"
        options = self._options(reference.host, "--src-tls-verify")
        try:
            await self._run(["copy", "--quiet", *options, f"docker://{uri}", f"dir:{place}"], uri, _PULL_SECONDS)
            await asyncio.to_thread(self._take, place, package.image_digest, uri)
        finally:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)

    def _options(self, host: str, tls_option: str) -> list[str]:
        options = [] if self._allowed.registries[host] else [f"{tls_option}=false"]
        if self._allowed.logins is not None:
            options += ["--authfile", str(self._allowed.logins)]
        return options

    async def _run(self, arguments: list[str], uri: str, timeout_seconds: float) -> ToolResult:
        try:
            result = await self._skopeo.run(arguments, timeout_seconds)
        except TimeoutError:
            raise ServiceException(
                f"{uri} can't be taken from its registry: that isn't done after {timeout_seconds:g} s."
            ) from None
        except OSError as error:
            raise ServiceException(
                f"{uri} can't be taken from its registry, for which this server needs skopeo: {error}. "
                "Install it with: apt-get install skopeo"
            ) from None
        if result.code != 0:
            raise _refusal(result.stderr, uri)
        return result

    def _take(self, place: Path, digest: str, uri: str) -> None:
        """From skopeo's "dir" layout: manifest.json, and each part in a file named by its digest."""
        manifest = _checked((place / "manifest.json").read_bytes(), uri)
        try:
            for part in manifest.references:
                self._take_file(place / part.digest.removeprefix("sha256:"), part.digest)
            self._take_file(place / "manifest.json", digest)
        except (DigestMismatch, FileNotFoundError) as error:
            _LOG.warning("what came of %s isn't it: %r", uri, error)
            raise ServiceException(f"What came of {uri} isn't what its digest says.") from None

    def _check_size(self, digest: str, uri: str) -> None:
        """By the manifest that is stored since the image was named: before anything large comes."""
        with suppress(ContentMissing, ContentDamaged):
            _checked(self._content.read_small(digest), uri)

    def _take_file(self, path: Path, digest: str) -> None:
        if self._content.size(digest, renew=True) is not None:
            return
        incoming = self._content.begin()
        try:
            with path.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    incoming.take(piece)
            incoming.finish(digest)
        finally:
            incoming.close()


def _checked(manifest: bytes, uri: str) -> Manifest:
    """Raises InvalidParameterValueException for none, and for one of an image that is too large."""
    try:
        read = parse_manifest(manifest)
    except BadManifest:
        raise not_supported(uri) from None
    if sum(part.size for part in read.references) > UNPACKED_BYTES:
        raise not_supported(uri)
    return read


def _uri(reference: ImageReference) -> str:
    separator = "@" if reference.digest else ":"
    return f"{reference.host}/{reference.repository}{separator}{reference.by}"


def _refusal(stderr: bytes, uri: str) -> ApiError:
    if _MISSING.search(stderr):
        return does_not_exist(uri)
    if _DENIED.search(stderr):
        return AccessDeniedException(_NO_ACCESS)
    last = stderr.decode(errors="replace").strip().rpartition("\n")[2]
    told = _LOGGED.search(last)
    reason = last if told is None else re.sub(r"\\(.)", r"\1", told[1])
    return ServiceException(f"{uri} can't be taken from its registry: {reason[:500]}")
