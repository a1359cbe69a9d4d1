"""Every implementation of the store's concepts, for the contract suite."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lampion.store.access_keys import AccessKeys
from lampion.store.cached_functions import CachedFunctions
from lampion.store.functions import Functions
from lampion.store.memory import MemoryAccessKeys, MemoryFunctions
from lampion.store.sqlite.access_keys import SqliteAccessKeys
from lampion.store.sqlite.database import Database, open_database
from lampion.store.sqlite.functions import SqliteFunctions


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(tmp_path / "lampion.db")
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "sqlite", "cached"])
async def functions(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Functions]:
    if request.param == "memory":
        yield MemoryFunctions()
        return
    opened = await open_database(tmp_path / "lampion.db")
    stored = SqliteFunctions(opened)
    yield stored if request.param == "sqlite" else CachedFunctions(stored, capacity=20)
    await opened.close()


@pytest.fixture(params=["memory", "sqlite"])
async def access_keys(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AccessKeys]:
    if request.param == "memory":
        yield MemoryAccessKeys()
        return
    opened = await open_database(tmp_path / "lampion.db")
    yield SqliteAccessKeys(opened)
    await opened.close()
