"""Opens everything that survives a restart, and closes it in the opposite order."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import lampion
from lampion.app.encrypted_code import function_keys, opened_packages
from lampion.app.master_key import key_place
from lampion.app.rooms import Ports, Stores
from lampion.code.blobs import Blobs
from lampion.code.images.content import ImageContent
from lampion.code.images.store import Images
from lampion.code.runtime_trees import RuntimeTrees
from lampion.config import Settings
from lampion.environments.compiling import SandboxCompiler
from lampion.function_logs.files import FileLogs
from lampion.identity.access_keys import AccessKeyring
from lampion.identity.encryption_keys import EncryptionKeys
from lampion.identity.master_key import MasterKeys
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.data_directory import DataDirectory, open_data_directory
from lampion.store.server_secret import server_secret
from lampion.store.sqlite.access_keys import SqliteAccessKeys
from lampion.store.sqlite.database import Database, open_database
from lampion.store.sqlite.entries import SqliteEntries
from lampion.store.sqlite.functions import SqliteFunctions
from lampion.store.sqlite.migrations import known_migrations
from lampion.store.sqlite.queue_contents import SqliteQueueContents
from lampion.store.sqlite.resources import SqliteResources
from lampion.store.sqlite.watch import watched

_RUNTIMES: Final = Path(lampion.__file__).parent / "runtimes"


@asynccontextmanager
async def opened_stores(settings: Settings, ports: Ports) -> AsyncIterator[Stores]:
    """Held by this server alone for the duration of the block. Raises StoreError."""
    async with AsyncExitStack() as stack:
        directory = open_data_directory(settings.data)
        stack.callback(directory.close)
        database = await stack.enter_async_context(_database(directory.database, "store", ports))
        queues = await stack.enter_async_context(_database(directory.queues, "queues", ports, "queue_migrations"))
        keys = AccessKeyring(SqliteAccessKeys(database), ports.rng)
        blobs = Blobs(directory.blobs, directory.tmp)
        compiler = SandboxCompiler(ports.driver, ports.clock, ports.rng)
        functions = CachedFunctions(SqliteFunctions(database))
        resources = CachedResources(SqliteResources(database), functions)
        encryption_keys = await _encryption_keys(settings, ports, resources)
        keys_of_functions = function_keys(settings, ports, resources, encryption_keys)
        opening_packages = opened_packages(settings, ports, directory, blobs, keys_of_functions)
        sealed, encrypted, packages = await stack.enter_async_context(opening_packages)
        await keys.root(settings.account_id)  # made at the first start: `lampion env` shows it
        yield Stores(
            directory=directory,
            functions=functions,
            resources=resources,
            entries=SqliteEntries(queues),
            queue_contents=SqliteQueueContents(queues),
            keys=keys,
            server_secret=await server_secret(resources, ports.rng),
            encryption_keys=encryption_keys,
            function_keys=keys_of_functions,
            blobs=blobs,
            sealed=sealed,
            encrypted=encrypted,
            packages=packages,
            images=_images(directory, ports),
            runtime_trees=RuntimeTrees(
                _RUNTIMES, directory.sdks, directory.runtimes, directory.tmp, ports.clock, compiler, compiler
            ),
            logs=await stack.enter_async_context(_logs(directory, settings)),
            write_anew=database.write_anew,
        )


def _logs(directory: DataDirectory, settings: Settings) -> AbstractAsyncContextManager[FileLogs]:
    return FileLogs.open(directory.logs, segment_bytes=settings.log_segment_bytes, group_bytes=settings.log_group_bytes)


def _images(directory: DataDirectory, ports: Ports) -> Images:
    content = ImageContent(directory.image_content, directory.tmp)
    return Images(content, directory.images, directory.tmp, ports.clock)


async def _encryption_keys(settings: Settings, ports: Ports, resources: CachedResources) -> EncryptionKeys:
    """Raises MasterKeyUnusable."""
    async with key_place(settings, ports.clock) as place:
        masters = MasterKeys(place=place, resources=resources, rng=ports.rng)
        keys = EncryptionKeys(resources=resources, masters=masters, clock=ports.agenda, rng=ports.rng)
        await keys.open()
        return keys


@asynccontextmanager
async def _database(path: Path, name: str, ports: Ports, migrations: str = "migrations") -> AsyncIterator[Database]:
    """`name` is what its problems are reported as."""
    database = await open_database(path, migrations=known_migrations(migrations))
    try:
        async with watched(database, name, ports.health, ports.clock):
            yield database
    finally:
        await database.close()
