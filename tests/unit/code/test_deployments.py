"""Pending becomes Active and InProgress becomes Successful, or says why not, whatever happens on the way."""

import asyncio
import base64
import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from lampion.code.interpreters import Interpreter
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import Function, LastUpdateStatus, State
from lampion.store.errors import StoreError
from lampion.store.memory import MemoryFunctions
from tests.component.store.samples import delete, function, key
from tests.unit.code.conftest import Rooms, make_rooms
from tests.unit.code.zips import file, make, ordinary


@contextlib.asynccontextmanager
async def _running(rooms: Rooms) -> AsyncIterator[None]:
    task = asyncio.create_task(rooms.deployments.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _settled(rooms: Rooms, name: str = "hello") -> Function:
    for _ in range(1000):
        found = await rooms.functions.get(key(name))
        if found is not None and found.is_settled:
            return found
        await rooms.clock.advance(0.1)
        await asyncio.sleep(0.005)
    raise AssertionError("never settled")


async def _create(rooms: Rooms, name: str = "hello", *, code: bytes = b"x", runtime: str = "python3.12") -> Function:
    async with rooms.deployments.stored(ordinary(index__py=code)) as package:
        created = function(name, revision_id=f"created-{name}")
        created = replace(created, package=package, configuration=replace(created.configuration, runtime=runtime))
        await rooms.functions.insert(created)
    rooms.deployments.settle(created)
    return created


async def test_the_package_is_what_aws_shows_of_it(rooms: Rooms):
    zipped = ordinary()
    digest = hashlib.sha256(zipped)
    async with rooms.deployments.stored(zipped) as package:
        assert (package.sha256, package.size_bytes) == (digest.hexdigest(), len(zipped))
        assert package.code_sha256 == base64.b64encode(digest.digest()).decode()
        assert package.unzipped_bytes == len(b"def handler(event, context):\n    return event\n")
        assert await rooms.blobs.read(package.sha256) == zipped


async def test_a_bad_zip_is_refused_before_anything_is_stored(rooms: Rooms):
    with pytest.raises(InvalidParameterValueException, match="Could not unzip"):
        async with rooms.deployments.stored(make(file("../evil"))):
            pass
    assert rooms.stored() == set()


async def test_a_new_function_becomes_active_with_a_new_revision(rooms: Rooms):
    async with _running(rooms):
        created = await _create(rooms)
        found = await _settled(rooms)
    assert (found.state, found.state_reason) == (State.ACTIVE, None)
    assert (found.last_update_status, found.last_update_reason) == (LastUpdateStatus.SUCCESSFUL, None)
    assert found.revision_id != created.revision_id
    assert found.last_modified_epoch_ms == created.last_modified_epoch_ms
    assert rooms.unpacked() == {created.package.sha256}


async def test_an_update_becomes_successful(rooms: Rooms):
    async with _running(rooms):
        await _create(rooms)
        active = await _settled(rooms)
        async with rooms.deployments.stored(ordinary(index__py=b"new")) as package:
            updated = active.changed(package=package, revision_id="update", now_epoch_ms=2)
            await rooms.functions.replace(updated, expected_revision_id=active.revision_id)
        rooms.deployments.settle(updated)
        found = await _settled(rooms)
    assert (found.state, found.last_update_status) == (State.ACTIVE, LastUpdateStatus.SUCCESSFUL)
    assert found.package == package
    assert package.sha256 in rooms.unpacked()


async def test_a_runtime_without_interpreter_fails_the_function_and_says_so(rooms: Rooms):
    async with _running(rooms):
        await _create(rooms, runtime="python3.14")
        found = await _settled(rooms)
    assert found.state is State.FAILED
    assert found.state_reason is not None
    assert found.state_reason.code == "InvalidRuntime"
    assert found.state_reason.text.startswith("No interpreter for python3.14")
    assert found.last_update_status is LastUpdateStatus.FAILED


async def test_a_failed_update_leaves_the_function_active(rooms: Rooms):
    async with _running(rooms):
        await _create(rooms)
        active = await _settled(rooms)
        configuration = replace(active.configuration, runtime="python3.14")
        updated = active.changed(configuration=configuration, revision_id="update", now_epoch_ms=2)
        await rooms.functions.replace(updated, expected_revision_id=active.revision_id)
        rooms.deployments.settle(updated)
        found = await _settled(rooms)
    assert (found.state, found.last_update_status) == (State.ACTIVE, LastUpdateStatus.FAILED)
    assert found.last_update_reason is not None
    assert found.last_update_reason.code == "InvalidRuntime"
    assert (found.configuration, found.package) == (active.configuration, active.package)


async def test_a_restart_undoes_an_update_that_fails(rooms: Rooms):
    async with _running(rooms):
        await _create(rooms)
        active = await _settled(rooms)
    configuration = replace(active.configuration, runtime="python3.14")
    async with rooms.deployments.stored(ordinary(index__py=b"new")) as package:
        updated = active.changed(configuration=configuration, package=package, revision_id="update", now_epoch_ms=2)
        await rooms.functions.replace(updated, expected_revision_id=active.revision_id)
    again = make_rooms(rooms.root, rooms.functions)
    async with _running(again):
        found = await _settled(again)
    assert (found.state, found.last_update_status) == (State.ACTIVE, LastUpdateStatus.FAILED)
    assert (found.configuration, found.package) == (active.configuration, active.package)


async def test_a_lost_or_damaged_package_fails_the_function(rooms: Rooms):
    async with _running(rooms):
        created = await _create(rooms, "first")
        await _settled(rooms, "first")
        await rooms.packages.discard(created.package.sha256)
        (rooms.root / "blobs" / created.package.sha256[:2] / created.package.sha256).write_bytes(b"damaged")
        await rooms.functions.insert(replace(function("second"), package=created.package))
        await rooms.functions.insert(function("third"))
        rooms.deployments.settle(function("second"))
        rooms.deployments.settle(function("third"))
        for name in ("second", "third"):
            found = await _settled(rooms, name)
            assert found.state is State.FAILED
            assert found.state_reason is not None
            assert found.state_reason.code == "InternalError"


async def test_a_restart_continues_what_was_outstanding(rooms: Rooms):
    created = await _create(rooms)  # nobody runs: as if the server died right after its answer
    again = make_rooms(rooms.root, rooms.functions)
    async with _running(again):
        found = await _settled(again)
    assert found.state is State.ACTIVE
    assert again.unpacked() == {created.package.sha256}


async def test_being_told_twice_or_of_nothing_does_no_harm(rooms: Rooms):
    async with _running(rooms):
        created = await _create(rooms)
        rooms.deployments.settle(created)
        rooms.deployments.settle(function("never-existed"))
        first = await _settled(rooms)
        rooms.deployments.settle(created)
        await asyncio.sleep(0.05)
        assert await rooms.functions.get(created.key) == first


async def test_who_waits_for_a_function_sees_it_settled(rooms: Rooms):
    await rooms.deployments.until_settled(key("nothing-outstanding"))
    async with _running(rooms):
        for number in range(20):
            created = await _create(rooms, f"f{number}")
            if number % 2:
                await asyncio.sleep(0)
                rooms.deployments.settle(created)
            await rooms.deployments.until_settled(created.key)
            found = await rooms.functions.get(created.key)
            assert found is not None
            assert found.is_settled


async def test_who_waits_for_an_update_that_came_during_the_work_sees_that_settled(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
):
    real, gate = rooms.packages.prepare, asyncio.Event()

    async def slowly(sha256: str, interpreter: Interpreter) -> Path:
        await gate.wait()
        return await real(sha256, interpreter)

    monkeypatch.setattr(rooms.packages, "prepare", slowly)
    async with _running(rooms):
        created = await _create(rooms)
        await asyncio.sleep(0.01)
        updated = created.changed(revision_id="update", now_epoch_ms=2)
        await rooms.functions.replace(updated, expected_revision_id=created.revision_id)
        rooms.deployments.settle(created)
        waiting = asyncio.create_task(rooms.deployments.until_settled(created.key))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        gate.set()
        await waiting
        found = await rooms.functions.get(created.key)
        assert found is not None
        assert found.is_settled


class Interrupting(MemoryFunctions):
    """Lets somebody change the function between the job's look and its write."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[object] = []

    async def replace(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        if self.meanwhile:
            await self.meanwhile.pop()  # type: ignore[misc]
        await super().replace(function, expected_revision_id=expected_revision_id, published=published)


async def test_an_update_that_overtakes_the_job_wins(tmp_path: Path):
    functions = Interrupting()
    rooms = make_rooms(tmp_path, functions)
    created = await _create(rooms)
    newer = created.changed(
        configuration=replace(created.configuration, description="newer"), revision_id="newer", now_epoch_ms=2
    )
    functions.meanwhile = [MemoryFunctions.replace(functions, newer, expected_revision_id=created.revision_id)]
    async with _running(rooms):
        found = await _settled(rooms)
    assert found.configuration.description == "newer"
    assert found.state is State.ACTIVE


async def test_a_function_deleted_under_the_job_stays_deleted(tmp_path: Path):
    functions = Interrupting()
    rooms = make_rooms(tmp_path, functions)
    created = await _create(rooms)
    functions.meanwhile = [delete(rooms.resources, created.key)]
    async with _running(rooms):
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert await rooms.functions.get(created.key) is None
        await _create(rooms, "next")
        assert (await _settled(rooms, "next")).state is State.ACTIVE


async def test_many_functions_settle_whatever_the_others_do(rooms: Rooms):
    async with _running(rooms):
        for number in range(30):
            runtime = "python3.14" if number % 3 == 0 else "python3.12"
            await _create(rooms, f"f{number}", code=str(number % 5).encode(), runtime=runtime)
        states = [(await _settled(rooms, f"f{number}")).state for number in range(30)]
    assert states == [State.FAILED if number % 3 == 0 else State.ACTIVE for number in range(30)]
    assert len(rooms.unpacked()) == 5


class Failing(MemoryFunctions):
    """Has no disk for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 3

    async def replace(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        self.failures -= 1
        if self.failures >= 0:
            raise StoreError("disk I/O error")
        await super().replace(function, expected_revision_id=expected_revision_id, published=published)


async def test_a_store_in_trouble_is_tried_again(tmp_path: Path):
    rooms = make_rooms(tmp_path, Failing())
    async with _running(rooms):
        await _create(rooms)
        assert (await _settled(rooms)).state is State.ACTIVE


async def test_a_full_disk_is_tried_again_and_then_named(rooms: Rooms, monkeypatch: pytest.MonkeyPatch):
    tries: list[str] = []

    async def full(sha256: str, interpreter: Interpreter) -> Path:
        tries.append(sha256)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rooms.packages, "prepare", full)
    async with _running(rooms):
        await _create(rooms)
        found = await _settled(rooms)
    assert len(tries) == 4
    assert found.state_reason is not None
    assert found.state_reason.code == "InternalError"
    assert "No space left on device" in found.state_reason.text


async def test_a_fault_of_ours_in_one_function_does_not_stop_the_others(rooms: Rooms, monkeypatch: pytest.MonkeyPatch):
    real = rooms.packages.prepare
    bad = await _create(rooms, "bad", code=b"bad")

    async def sometimes(sha256: str, interpreter: Interpreter) -> Path:
        if sha256 == bad.package.sha256:
            raise ZeroDivisionError
        return await real(sha256, interpreter)

    monkeypatch.setattr(rooms.packages, "prepare", sometimes)
    async with _running(rooms):
        await _create(rooms, "good", code=b"good")
        assert (await _settled(rooms, "good")).state is State.ACTIVE
