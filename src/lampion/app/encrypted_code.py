"""Builds what keeps code: sealed on disk and unpacked in memory where it is under keys of its owners."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lampion.app.rooms import Ports
from lampion.code.blobs import Blobs
from lampion.code.encrypted_packages import EncryptedPackages
from lampion.code.memory_place import MemoryPlace
from lampion.code.packages import Packages
from lampion.code.sealed_code import SealedCode
from lampion.config import Settings
from lampion.config.values import FunctionAccess
from lampion.environments.compiling import SandboxCompiler
from lampion.identity.directory import Directory
from lampion.identity.encryption_keys import EncryptionKeys
from lampion.identity.function_keys import FunctionKeys
from lampion.identity.key_access import KeyAccess
from lampion.store.cached_resources import CachedResources
from lampion.store.data_directory import DataDirectory


def function_keys(settings: Settings, ports: Ports, resources: CachedResources, keys: EncryptionKeys) -> FunctionKeys:
    return FunctionKeys(
        keys=keys,
        access=KeyAccess(resources),
        directory=Directory(resources, functions_may_all=settings.function_access is FunctionAccess.ALL),
        clock=ports.clock,
        rng=ports.rng,
    )


@asynccontextmanager
async def opened_packages(
    settings: Settings, ports: Ports, directory: DataDirectory, blobs: Blobs, keys: FunctionKeys
) -> AsyncIterator[tuple[SealedCode, EncryptedPackages, Packages]]:
    """What dead servers left in memory or half-made is gone at the start of the block, all of ours in memory at its
    end.
    """
    compiler = SandboxCompiler(ports.driver, ports.clock, ports.rng)
    sealed = SealedCode(blobs, keys, ports.rng)
    place, most_bytes = _place(settings), settings.encrypted_code_bytes
    encrypted = EncryptedPackages(sealed, place, ports.clock, compiler, most_bytes=most_bytes)
    packages = Packages(blobs, directory.packages, directory.tmp, ports.clock, compiler, encrypted)
    await encrypted.open()
    await packages.open()
    try:
        yield sealed, encrypted, packages
    finally:
        await asyncio.to_thread(encrypted.close)


def _place(settings: Settings) -> MemoryPlace:
    """In the directory that is named, or where there mostly is a file system in memory."""
    of_session = os.environ.get("XDG_RUNTIME_DIR")
    usual = [Path("/dev/shm"), *([Path(of_session)] if of_session else []), Path("/run")]  # noqa: S108
    named = settings.encrypted_code_directory
    return MemoryPlace(usual) if named is None else MemoryPlace([named], usual)
