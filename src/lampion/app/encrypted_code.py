"""Builds what keeps code under keys of its owners: sealed on disk, unpacked in memory."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lampion.app.rooms import Ports
from lampion.code.bytecode import CompilePython
from lampion.code.encrypted_packages import EncryptedPackages
from lampion.code.memory_place import MemoryPlace
from lampion.code.sealed_code import SealedCode
from lampion.config import Settings
from lampion.config.values import FunctionAccess
from lampion.identity.directory import Directory
from lampion.identity.encryption_keys import EncryptionKeys
from lampion.identity.function_keys import FunctionKeys
from lampion.identity.key_access import KeyAccess
from lampion.store.cached_resources import CachedResources


def function_keys(settings: Settings, ports: Ports, resources: CachedResources, keys: EncryptionKeys) -> FunctionKeys:
    return FunctionKeys(
        keys=keys,
        access=KeyAccess(resources),
        directory=Directory(resources, functions_may_all=settings.function_access is FunctionAccess.ALL),
        clock=ports.clock,
        rng=ports.rng,
    )


@asynccontextmanager
async def encrypted_packages(
    settings: Settings, ports: Ports, sealed: SealedCode, compiler: CompilePython
) -> AsyncIterator[EncryptedPackages]:
    """What dead servers left is gone at the start of the block, all of ours at its end."""
    packages = EncryptedPackages(
        sealed, MemoryPlace(_places(settings)), ports.clock, compiler, most_bytes=settings.encrypted_code_bytes
    )
    await packages.open()
    try:
        yield packages
    finally:
        await asyncio.to_thread(packages.close)


def _places(settings: Settings) -> list[Path]:
    """Where a file system in memory is to be looked for."""
    if settings.encrypted_code_directory is not None:
        return [settings.encrypted_code_directory]
    of_session = os.environ.get("XDG_RUNTIME_DIR")
    return [Path("/dev/shm"), *([Path(of_session)] if of_session else []), Path("/run")]  # noqa: S108
