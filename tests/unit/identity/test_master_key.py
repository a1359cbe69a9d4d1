"""The master key: where it is found, when it is made, and what is refused."""

import asyncio
import base64
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from lampion.clock.rng import SystemRng
from lampion.identity.key_places import FilePlace, VariablePlace
from lampion.identity.master_key import MasterKey, MasterKeys, NotOurs, verified
from lampion.store.cached_resources import CachedResources
from lampion.store.errors import MasterKeyUnusable, StoreError
from lampion.store.master_key_file import decoded_master_key, make_master_key, read_master_key
from tests.identities import resources_in_memory

KEY = bytes(range(32))


def masters(resources: CachedResources, file: Path, given: bytes | None = None) -> MasterKeys:
    return MasterKeys(
        place=VariablePlace(given, "LAMPION_MASTER_KEY") if given else FilePlace(file),
        resources=resources,
        rng=SystemRng(),
    )


async def test_it_is_made_at_its_first_use_and_found_again(tmp_path: Path) -> None:
    resources, file = resources_in_memory(), tmp_path / "key"
    first = masters(resources, file)
    await first.open()
    assert (file.exists(), first.at_hand()) == (False, None)
    one, other = await asyncio.gather(first.get(), first.get())
    assert one is other is first.at_hand()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
    again = masters(resources, file)
    await again.open()
    master = again.at_hand()
    assert master is not None
    assert master.unwrap(one.wrap(b"n" * 12, b"secret", b"about"), b"about") == b"secret"


async def test_a_file_that_is_there_already_is_used(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(base64.b64encode(KEY))
    file.chmod(0o600)
    made = await masters(resources_in_memory(), file).get()
    assert MasterKey(KEY).unwrap(made.wrap(b"n" * 12, b"secret", b""), b"") == b"secret"


async def test_a_given_key_is_taken_and_no_file_is_looked_at(tmp_path: Path) -> None:
    resources, file = resources_in_memory(), tmp_path / "key"
    file.write_bytes(b"nonsense")
    given = masters(resources, file, KEY)
    await given.open()
    await given.get()
    with pytest.raises(MasterKeyUnusable, match="another master key than that of LAMPION_MASTER_KEY"):
        await masters(resources, file, b"x" * 32).open()
    await masters(resources, file, KEY).open()


async def test_a_store_that_knows_another_one_refuses_this_or_none(tmp_path: Path) -> None:
    resources, file = resources_in_memory(), tmp_path / "key"
    await masters(resources, file).get()
    right = file.read_bytes()
    file.write_bytes(base64.b64encode(KEY))
    with pytest.raises(MasterKeyUnusable, match="another master key"):
        await masters(resources, file).open()
    file.unlink()
    with pytest.raises(MasterKeyUnusable, match="isn't in"):
        await masters(resources, file).open()
    assert not file.exists()
    file.write_bytes(right)
    file.chmod(0o600)
    await masters(resources, file).open()


async def test_a_store_from_before_there_were_seals_knows_its_key_too() -> None:
    check = MasterKey(KEY).check("env", "i", b"", SystemRng())
    unsealed = replace(check, seal=b"")
    assert verified(KEY, unsealed).tag(b"header") == MasterKey(KEY).tag(b"header")
    for known in (check, unsealed):
        with pytest.raises(NotOurs):
            verified(b"x" * 32, known)


async def test_one_that_cant_be_used_is_told_at_the_start_also_where_nothing_was_wrapped_yet(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"nonsense")
    file.chmod(0o600)
    with pytest.raises(MasterKeyUnusable, match="holds no master key"):
        await masters(resources_in_memory(), file).open()


async def test_nothing_is_wrapped_by_a_key_that_the_store_doesnt_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = resources_in_memory()
    keys = masters(resources, tmp_path / "key")

    async def fail(change: object) -> None:
        raise StoreError("full")

    with monkeypatch.context() as disk:
        disk.setattr(resources, "change", fail)
        with pytest.raises(StoreError):
            await keys.get()
        assert keys.at_hand() is None
    assert await keys.get() is keys.at_hand()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_one_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "key"
    file.write_bytes(base64.b64encode(KEY))
    file.chmod(mode)
    with pytest.raises(MasterKeyUnusable, match="chmod 600"):
        read_master_key(file)


@pytest.mark.parametrize(
    "text", [b"", b"nonsense", base64.b64encode(KEY[:31]), base64.b64encode(KEY + b"x"), KEY, b"\xff"]
)
def test_what_is_no_master_key(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(text)
    file.chmod(0o600)
    with pytest.raises(MasterKeyUnusable, match="holds no master key") as caught:
        read_master_key(file)
    assert text == b"" or repr(text)[2:-1] not in str(caught.value)
    assert decoded_master_key(text) is None


def test_a_key_is_read_with_the_end_of_its_line(tmp_path: Path) -> None:
    assert decoded_master_key(base64.b64encode(KEY) + b"\n") == KEY
    assert read_master_key(tmp_path / "absent") is None


async def test_where_it_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyUnusable, match="there is no directory"):  # at the start, long before its first use
        await masters(resources_in_memory(), tmp_path / "absent" / "key").open()
    with pytest.raises(MasterKeyUnusable, match="can't be made"):
        await masters(resources_in_memory(), tmp_path / "absent" / "key").get()
    (tmp_path / "directory").mkdir(mode=0o700)
    with pytest.raises(MasterKeyUnusable, match="can't be read"):
        await masters(resources_in_memory(), tmp_path / "directory").get()


def test_what_is_wrapped_for_one_purpose_is_nothing_for_another() -> None:
    master = MasterKey(KEY)
    wrapped = master.wrap(b"n" * 12, b"secret", b"one")
    for about, changed in ((b"other", wrapped), (b"one", wrapped[:-1]), (b"one", b""), (b"one", wrapped[1:])):
        with pytest.raises(NotOurs):
            master.unwrap(changed, about)


def test_one_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "key"
    assert make_master_key(file, KEY) == KEY
    assert make_master_key(file, b"x" * 32) == KEY
    assert list(tmp_path.iterdir()) == [file]
