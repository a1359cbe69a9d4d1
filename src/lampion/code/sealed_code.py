"""Deployment packages under keys of their owners (SourceKMSKeyArn): sealed before they are stored, opened in memory.

Each has a data key of its own, which the owner's key of KMS seals. No zip of theirs touches the disk unsealed.
"""

import asyncio
import hashlib
from dataclasses import dataclass, replace
from typing import Final

from lampion.clock.rng import Rng
from lampion.code.blobs import BlobDamaged, Blobs
from lampion.code.sealed_zip import (
    DATA_KEY_BYTES,
    HEAD_BYTES_MAX,
    NONCE_BYTES,
    Head,
    SealBroken,
    open_zip,
    read_head,
    seal_zip,
)
from lampion.domain.arn import FunctionKey
from lampion.domain.function import DeploymentPackage
from lampion.domain.key_problems import KeyProblem, KeyUnusable
from lampion.identity.function_keys import FunctionKeys, Owner, function_context
from lampion.identity.key_access import Asked
from lampion.identity.request_facts import Asker

_NOT_OPENED: Final = "InvalidCiphertextException"


@dataclass(frozen=True, slots=True)
class Sealing:
    """That a package is to be sealed: for which function, with which key, on whose word. None is Lambda's own."""

    function: FunctionKey
    key_arn: str
    asker: Asker | None


class SealedCode:
    """Those among `blobs`, by the names of their ciphertexts."""

    def __init__(self, blobs: Blobs, keys: FunctionKeys, rng: Rng) -> None:
        self._blobs = blobs
        self._keys = keys
        self._rng = rng

    async def seal(
        self, package: DeploymentPackage, zipped: bytes, sealing: Sealing
    ) -> tuple[DeploymentPackage, bytes]:
        """`package`, that of `zipped`, as it is when sealed, and what may be stored of it. Raises KeyUnusable."""
        function, asker = sealing.function, sealing.asker
        owner = Owner(function.account_id, function.region)
        data_key, nonce = self._rng.token(DATA_KEY_BYTES), self._rng.token(NONCE_BYTES)
        context = function_context(function.arn)
        await self._keys.usable(sealing.key_arn, "GenerateDataKey", Asked(context=context), asker, owner)
        sealed_key = await self._keys.seal(sealing.key_arn, data_key, context, None, owner)
        head = Head(function.arn, sealed_key)
        sha256, sealed = await asyncio.to_thread(_sealed, zipped, head, data_key, nonce)
        return replace(package, sha256=sha256, source_kms_key_arn=sealing.key_arn), sealed

    async def data_key(self, sha256: str, asker: Asker | None = None) -> bytes:
        """What opens this package, if `asker` may have it opened now; None is Lambda itself.

        It can be had without reading the package. Raises BlobMissing, BlobDamaged, KeyUnusable.
        """
        beginning = await asyncio.to_thread(self._blobs.beginning_now, sha256, HEAD_BYTES_MAX)
        try:
            head = read_head(beginning)
            return await self._keys.open(head.sealed_key, function_context(head.function_arn), asker)
        except SealBroken:
            raise BlobDamaged(sha256) from None
        except KeyUnusable as unusable:
            if unusable.said.code == _NOT_OPENED:
                raise BlobDamaged(sha256) from None
            if unusable.problem is KeyProblem.NOT_FOUND:
                await self._blobs.read(sha256)  # it may be for a damaged head that another key is looked for
            raise

    async def read(self, sha256: str, asker: Asker | None = None) -> bytes:
        """The zip. Raises what `data_key` does."""
        data_key = await self.data_key(sha256, asker)
        return await asyncio.to_thread(self.read_now, sha256, data_key)

    def read_now(self, sha256: str, data_key: bytes) -> bytes:
        """The zip, blocking. Raises BlobMissing, BlobDamaged."""
        try:
            return open_zip(self._blobs.read_now(sha256), data_key)
        except SealBroken:
            raise BlobDamaged(sha256) from None


def _sealed(zipped: bytes, head: Head, data_key: bytes, nonce: bytes) -> tuple[str, bytes]:
    """With its name: what is in it can't be told from that."""
    sealed = seal_zip(zipped, head, data_key, nonce)
    return hashlib.sha256(sealed).hexdigest(), sealed
