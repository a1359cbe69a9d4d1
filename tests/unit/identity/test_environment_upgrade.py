"""Sealing what was stored in plain text begins again where a start broke off, and ends once."""

from dataclasses import replace
from pathlib import Path

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.function import Deployed, Function
from lampion.domain.version import number_of
from lampion.identity.environment_upgrade import seal_plain_environments
from lampion.identity.function_environments import FunctionEnvironments
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.documents import encode
from lampion.store.errors import StoreError
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources
from lampion.store.upgrades import SEAL_ENVIRONMENTS, UPGRADES
from tests.component.store.samples import function
from tests.kms_in_memory import KmsInMemory

PLAIN = {"SECRET": "hidden"}
BEFORE = {"SECRET": "hidden before"}


class Store:
    """With two functions of old, one of which is being updated."""

    def __init__(self, folder: Path) -> None:
        self.memory = MemoryFunctions()
        self.functions = CachedFunctions(self.memory)
        self.resources = CachedResources(MemoryResources(self.memory.tables), self.functions)
        self.kms = KmsInMemory(folder, self.resources)
        self.environments = FunctionEnvironments(self.kms.function_keys, self.kms.clock)
        self.written_anew = 0
        self.is_full = False
        for name in ("one", "other"):
            self.keep(self.plain(name))

    def keep(self, one: Function) -> None:
        """Past the check that nothing plain is stored."""
        self.memory.tables.functions[one.key, number_of(one)] = encode(one)

    def plain(self, name: str) -> Function:
        made = function(name)
        before = replace(made.configuration, environment=BEFORE)
        return replace(
            made,
            configuration=replace(made.configuration, environment=PLAIN),
            before_update=Deployed(before, made.package) if name == "other" else None,
        )

    async def upgrade(self) -> None:
        await seal_plain_environments(self.functions, self.resources, self.environments, self.write_anew)

    async def write_anew(self) -> None:
        self.written_anew += 1
        if self.is_full:
            raise StoreError("no room")

    async def get(self, key: FunctionKey) -> Function:
        found = await self.functions.get(key)
        assert found is not None
        return found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


async def outstanding(store: Store) -> None:
    await store.resources.change(lambda stored: stored.put(UPGRADES, SEAL_ENVIRONMENTS))


async def test_every_function_is_sealed_also_what_it_was_before_an_update(store: Store) -> None:
    await outstanding(store)
    await store.upgrade()
    for name in ("one", "other"):
        sealed = await store.get(function(name).key)
        assert sealed.configuration.environment is None
        assert (await store.environments.opened(sealed)).configuration.environment == PLAIN
        assert replace(sealed, configuration=store.plain(name).configuration, before_update=None) == replace(
            store.plain(name), before_update=None
        )
    assert sealed.before_update is not None
    before = replace(sealed, configuration=sealed.before_update.configuration)
    assert before.configuration.environment is None
    assert (await store.environments.opened(before)).configuration.environment == BEFORE
    assert await store.functions.with_plain_environment() == []
    await store.upgrade()
    assert store.written_anew == 1


async def test_it_goes_on_where_it_broke_off(store: Store) -> None:
    await outstanding(store)
    store.is_full = True
    await store.upgrade()
    assert await store.functions.with_plain_environment() == []
    store.is_full = False
    store.keep(store.plain("one"))  # as if it hadn't got that far
    await store.upgrade()
    assert await store.functions.with_plain_environment() == []
    assert store.written_anew == 2
    await store.upgrade()
    assert store.written_anew == 2


async def test_a_store_that_has_nothing_outstanding_makes_no_key(store: Store, tmp_path: Path) -> None:
    await store.upgrade()
    assert (list(tmp_path.iterdir()), store.written_anew) == ([], 0)


async def test_lambda_is_granted_what_the_function_needs_to_start(store: Store) -> None:
    key = await store.kms.key()
    plain = store.plain("one")
    store.keep(replace(plain, configuration=replace(plain.configuration, kms_key_arn=key.arn)))
    await outstanding(store)
    await store.upgrade()
    found = await store.get(plain.key)
    assert found.configuration.kms_key_arn == key.arn
    assert (await store.environments.opened(found)).configuration.environment == PLAIN


async def test_a_function_whose_key_is_gone_goes_on_to_name_it_and_to_start(store: Store) -> None:
    key = await store.kms.key()
    await store.kms.delete(key)
    plain = store.plain("one")
    store.keep(replace(plain, configuration=replace(plain.configuration, kms_key_arn=key.arn)))
    await outstanding(store)
    await store.upgrade()
    found = await store.get(plain.key)
    assert found.configuration.kms_key_arn == key.arn
    assert (await store.environments.opened(found)).configuration.environment == PLAIN
