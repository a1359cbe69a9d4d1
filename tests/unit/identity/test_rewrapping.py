"""Moving the master key: all that it wraps is wrapped by the new one, at once or not at all."""

from itertools import pairwise
from pathlib import Path

import pytest

from lampion.clock.rng import SystemRng
from lampion.clock.virtual import VirtualClock
from lampion.domain.kms.key import Key
from lampion.identity.encryption_keys import EncryptionKeys
from lampion.identity.key_places import FilePlace, KeyPlace, Made, VariablePlace
from lampion.identity.master_key import MasterKeys
from lampion.identity.rewrapping import move
from lampion.store.cached_resources import CachedResources
from lampion.store.errors import MasterKeyUnusable
from lampion.store.kms import CHECK_PLACE, CHECKS, KEYS, MasterKeyCheck
from lampion.store.resources import Stored, every
from tests.identities import resources_in_memory

ACCOUNTS = (("123456789012", "us-east-1"), ("123456789012", "eu-west-1"), ("210987654321", "us-east-1"))


def keys_by(resources: CachedResources, place: KeyPlace) -> EncryptionKeys:
    masters = MasterKeys(place=place, resources=resources, rng=SystemRng())
    return EncryptionKeys(resources=resources, masters=masters, clock=VirtualClock(), rng=SystemRng())


async def made(resources: CachedResources, keys: EncryptionKeys, account_id: str, region: str) -> Key:
    draft = Key(
        account_id=account_id,
        region=region,
        key_id=SystemRng().uuid4(),
        created_epoch_seconds=0,
        policy="{}",
        materials=(),
    )
    key = await keys.with_material(await keys.with_material(draft))
    older = (await keys.with_material(draft)).materials
    key = Key(**{name: getattr(key, name) for name in Key.__slots__} | {"materials": (*older, *key.materials)})
    await resources.change(lambda stored: stored.put(KEYS, key))
    return key


async def all_keys(resources: CachedResources) -> list[Key]:
    def find(stored: Stored) -> list[Key]:
        return [key for where in stored.accounts_with(KEYS) for key in every(stored, KEYS, *where)]

    return await resources.read(find)


async def check_of(resources: CachedResources) -> MasterKeyCheck | None:
    return await resources.get(CHECKS, CHECK_PLACE)


async def test_after_the_move_the_new_key_opens_everything_and_the_old_one_nothing(tmp_path: Path) -> None:
    resources = resources_in_memory()
    old, new = FilePlace(tmp_path / "old"), FilePlace(tmp_path / "new")
    keys = keys_by(resources, old)
    await keys.open()
    blobs = {}
    for where in ACCOUNTS:
        key = await made(resources, keys, *where)
        blobs[key.arn] = (await keys.encrypt(key, b"secret", {"a": "b"})).blob
    before = await all_keys(resources)
    moved = await move(resources, old, new, SystemRng())
    assert (moved.keys, moved.is_there_already) == (3, False)
    after = await all_keys(resources)
    wrapped = {material.wrapped for key in before for material in key.materials}
    assert len(wrapped) == 6
    assert not wrapped & {material.wrapped for key in after for material in key.materials}
    later = keys_by(resources, new)
    await later.open()
    for key in after:
        assert later.decrypt(key, later.read(blobs[key.arn]), {"a": "b"}) == b"secret"
    with pytest.raises(MasterKeyUnusable, match=r"another master key than that of .*/old\. Start with that of file:"):
        await keys_by(resources, old).open()


async def test_ciphertexts_stay_this_servers_over_several_moves(tmp_path: Path) -> None:
    resources = resources_in_memory()
    places: list[KeyPlace] = [FilePlace(tmp_path / str(number)) for number in range(3)]
    keys = keys_by(resources, places[0])
    key = await made(resources, keys, *ACCOUNTS[0])
    blob = (await keys.encrypt(key, b"secret", {})).blob
    for old, new in pairwise(places):
        await move(resources, old, new, SystemRng())
    later = keys_by(resources, places[-1])
    await later.open()
    (fresh,) = await all_keys(resources)
    assert later.decrypt(fresh, later.read(blob), {}) == b"secret"


async def test_the_variable_is_called_by_its_name(tmp_path: Path) -> None:
    resources, old = resources_in_memory(), FilePlace(tmp_path / "old")
    await made(resources, keys_by(resources, old), *ACCOUNTS[0])
    await move(resources, old, VariablePlace(b"v" * 32, "LAMPION_MASTER_KEY"), SystemRng())
    with pytest.raises(MasterKeyUnusable, match=r"Start with that of LAMPION_MASTER_KEY\."):
        await keys_by(resources, old).open()


async def test_a_move_to_where_it_is_does_nothing(tmp_path: Path) -> None:
    resources, place = resources_in_memory(), FilePlace(tmp_path / "key")
    await made(resources, keys_by(resources, place), *ACCOUNTS[0])
    before = (await check_of(resources), await all_keys(resources))
    moved = await move(resources, FilePlace(tmp_path / "nowhere"), place, SystemRng())
    assert (moved.is_there_already, moved.keys) == (True, 0)
    assert (await check_of(resources), await all_keys(resources)) == before


async def test_a_kms_elsewhere_is_never_asked_for_what_another_one_made(tmp_path: Path) -> None:
    """It would refuse, and the move would end with that."""
    resources, old = resources_in_memory(), _Kms("kms:old", b"o" * 32)
    await made(resources, keys_by(resources, old), *ACCOUNTS[0])
    moved = await move(resources, old, _Kms("kms:new", b"n" * 32), SystemRng())
    assert (moved.keys, moved.is_there_already) == (1, False)


class _Kms:
    """Opens what it made itself."""

    is_made_at_start = True

    def __init__(self, name: str, key: bytes) -> None:
        self.name = self.told = name
        self._key = key

    async def read(self, check: MasterKeyCheck | None) -> bytes | None:
        if check is not None and check.place != self.name:
            raise MasterKeyUnusable("a ciphertext that isn't ours")
        return self._key

    async def make(self, installation: str, random: bytes) -> Made:
        return Made(self._key, b"sealed")


async def test_a_move_before_anything_was_wrapped_makes_the_key_there(tmp_path: Path) -> None:
    resources, new = resources_in_memory(), FilePlace(tmp_path / "new")
    assert (await move(resources, FilePlace(tmp_path / "old"), new, SystemRng())).keys == 0
    check = await check_of(resources)
    assert check is not None
    assert check.place == new.name
    assert not (tmp_path / "old").exists()
    await keys_by(resources, new).open()


async def test_a_move_with_the_wrong_old_key_or_damaged_material_changes_nothing(tmp_path: Path) -> None:
    resources = resources_in_memory()
    old, new = VariablePlace(b"o" * 32, "LAMPION_MASTER_KEY"), FilePlace(tmp_path / "new")
    key = await made(resources, keys_by(resources, old), *ACCOUNTS[0])
    before = (await check_of(resources), await all_keys(resources))
    with pytest.raises(MasterKeyUnusable, match="another master key than that of LAMPION_MASTER_KEY"):
        await move(resources, VariablePlace(b"x" * 32, "LAMPION_MASTER_KEY"), new, SystemRng())
    assert not (tmp_path / "new").exists()
    with pytest.raises(MasterKeyUnusable, match="isn't in"):
        await move(resources, FilePlace(tmp_path / "nothing"), new, SystemRng())
    assert (await check_of(resources), await all_keys(resources)) == before
    stranger = await made(resources_in_memory(), keys_by(resources_in_memory(), new), *ACCOUNTS[1])
    await resources.change(lambda stored: stored.put(KEYS, stranger))
    with pytest.raises(MasterKeyUnusable, match=f"doesn't open material .* of {stranger.arn}"):
        await move(resources, old, new, SystemRng())
    assert await check_of(resources) == before[0]
    assert {one.arn: one for one in await all_keys(resources)} == {key.arn: key, stranger.arn: stranger}
