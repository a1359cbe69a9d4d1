"""Every implementation of the store's concepts, for the contract suite."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lampion.store.access_keys import AccessKeys
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.functions import Functions
from lampion.store.memory import MemoryAccessKeys, MemoryFunctions
from lampion.store.memory_resources import MemoryResources, MemoryTables
from lampion.store.resources import Resources
from lampion.store.sqlite.access_keys import SqliteAccessKeys
from lampion.store.sqlite.database import Database, open_database
from lampion.store.sqlite.functions import SqliteFunctions
from lampion.store.sqlite.resources import SqliteResources


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(tmp_path / "lampion.db")
    yield opened
    await opened.close()


@dataclass(frozen=True, slots=True)
class Stores:
    """Two views of the same functions."""

    functions: Functions
    resources: Resources


@pytest.fixture(params=["memory", "sqlite", "cached"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    if request.param == "memory":
        tables = MemoryTables()
        yield Stores(MemoryFunctions(tables), MemoryResources(tables))
        return
    opened = await open_database(tmp_path / "lampion.db")
    functions, resources = SqliteFunctions(opened), SqliteResources(opened)
    if request.param == "sqlite":
        yield Stores(functions, resources)
    else:
        cached = CachedFunctions(functions, capacity=20)
        yield Stores(cached, CachedResources(resources, cached, capacity=5))
    await opened.close()


@pytest.fixture
def functions(stores: Stores) -> Functions:
    return stores.functions


@pytest.fixture
def resources(stores: Stores) -> Resources:
    return stores.resources


@pytest.fixture(params=["memory", "sqlite"])
async def access_keys(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AccessKeys]:
    if request.param == "memory":
        yield MemoryAccessKeys()
        return
    opened = await open_database(tmp_path / "lampion.db")
    yield SqliteAccessKeys(opened)
    await opened.close()
