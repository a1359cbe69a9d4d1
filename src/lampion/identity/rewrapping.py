"""Moving the master key: a new one in a new place, and everything wrapped by the old one wrapped anew, all at once.

One transaction: before it the old key opens everything and the new one nothing, after it the other way round.
"""

from dataclasses import dataclass, replace

from lampion.clock.rng import Rng
from lampion.domain.kms.key import Key
from lampion.identity.encryption_keys import about_material
from lampion.identity.key_places import KeyPlace
from lampion.identity.master_key import NONCE_BYTES, MasterKey, NotOurs, opened, verified
from lampion.store.errors import MasterKeyUnusable
from lampion.store.kms import CHECK_PLACE, CHECKS, KEYS, MasterKeyCheck
from lampion.store.master_key_file import KEY_BYTES
from lampion.store.resources import Resources, Stored, every


@dataclass(frozen=True, slots=True)
class Moved:
    """How many keys of KMS were wrapped anew; `is_there_already`: nothing was to be done."""

    keys: int = 0
    is_there_already: bool = False


async def move(resources: Resources, old: KeyPlace, new: KeyPlace, rng: Rng) -> Moved:
    """From `old` to `new`. Raises MasterKeyUnusable, and then nothing is changed but, perhaps, a file made."""
    check = await resources.read(lambda stored: stored.get(CHECKS, CHECK_PLACE))
    if check is not None and await _is_in(new, check):
        return Moved(is_there_already=True)
    master = None if check is None else await opened(old, check)
    installation = rng.uuid4()
    made = await new.make(installation, rng.token(KEY_BYTES))
    successor = MasterKey(made.key) if master is None else master.successor(made.key)
    about_it = successor.check(new.name, installation, made.sealed_key, rng)

    def change(stored: Stored) -> int:
        keys = _all(stored) if master is not None else []
        for key in keys:
            assert master is not None
            stored.put(KEYS, _rewrapped(key, master, successor, rng))
        stored.put(CHECKS, about_it)
        return len(keys)

    return Moved(await resources.change(change))


async def _is_in(place: KeyPlace, check: MasterKeyCheck) -> bool:
    """Whether the master key is there. A KMS elsewhere is only asked for what it made."""
    if check.place.startswith("kms:") and check.place != place.name:
        return False
    key = await place.read(check)
    try:
        return key is not None and verified(key, check) is not None
    except NotOurs:
        return False


def _all(stored: Stored) -> list[Key]:
    places = stored.accounts_with(KEYS)
    return [key for account_id, region in places for key in every(stored, KEYS, account_id, region)]


def _rewrapped(key: Key, old: MasterKey, new: MasterKey, rng: Rng) -> Key:
    """Raises MasterKeyUnusable for material that the old key doesn't open: it would be lost for good."""
    materials = []
    for material in key.materials:
        about = about_material(key.arn, material.id)
        try:
            secret = old.unwrap(material.wrapped, about)
        except NotOurs:
            raise MasterKeyUnusable(f"it doesn't open material {material.id} of {key.arn}.") from None
        materials.append(replace(material, wrapped=new.wrap(rng.token(NONCE_BYTES), secret, about)))
    return replace(key, materials=tuple(materials))
