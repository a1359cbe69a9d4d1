"""Versions become Active beside $LATEST; those with SnapStart when their snapshot is there, anew after a restart."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function, Reason, State
from lampion.domain.version import publication
from lampion.store.memory import MemoryFunctions
from tests.component.store.samples import delete, function, key
from tests.unit.code.conftest import Rooms, make_rooms
from tests.unit.code.zips import ordinary

BROKEN = Reason("Init failed.", "FunctionError")


class ScriptedSnapshots:
    """Takes snapshots when its gate is open; fails or breaks when told to."""

    def __init__(self) -> None:
        self.asked: list[Function] = []
        self.ready: set[tuple[FunctionKey, str]] = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Reason | None = None
        self.fault: Exception | None = None

    async def prepare(self, function: Function) -> Reason | None:
        self.asked.append(function)
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        if self.failure is None:
            self.ready.add((function.key, function.version))
        return self.failure

    def discard(self, key: FunctionKey, version: str | None) -> None:
        self.ready = {one for one in self.ready if one[0] != key or version not in (None, one[1])}


@pytest.fixture
def snapshots() -> ScriptedSnapshots:
    return ScriptedSnapshots()


@pytest.fixture
def rooms(tmp_path: Path, snapshots: ScriptedSnapshots) -> Rooms:
    return make_rooms(tmp_path, snapshots=snapshots)


@contextlib.asynccontextmanager
async def running(rooms: Rooms) -> AsyncIterator[None]:
    task = asyncio.create_task(rooms.deployments.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def settled(rooms: Rooms, version: str = "1", name: str = "hello") -> Function:
    for _ in range(1000):
        found = await rooms.functions.get(key(name), version)
        if found is not None and found.is_settled:
            return found
        await rooms.clock.advance(0.1)
        await asyncio.sleep(0.002)
    raise AssertionError("never settled")


async def until(condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("never happened")


async def create(rooms: Rooms, name: str = "hello", *, apply_on: str = "None", runtime: str = "python3.12") -> Function:
    """A function that comes with its first version; the version."""
    async with rooms.deployments.stored(ordinary()) as package:
        bare = function(name, revision_id=f"created-{name}")
        configuration = replace(bare.configuration, runtime=runtime, snap_start_apply_on=apply_on)
        made = publication(
            replace(bare, package=package, configuration=configuration),
            None,
            description=None,
            latest_revision_id=f"latest-{name}",
            version_revision_id=f"version-{name}",
        )
        await rooms.functions.insert(made.latest, published=made.version)
    rooms.deployments.settle(made.latest)
    rooms.deployments.settle(made.version)
    return made.version


class Watched(MemoryFunctions):
    """Remembers in which order things were stored as settled."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []

    async def replace(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        await super().replace(function, expected_revision_id=expected_revision_id, published=published)
        self.order.append(function.version)


async def test_who_sees_latest_active_sees_its_version_active(tmp_path: Path, snapshots: ScriptedSnapshots):
    functions = Watched()
    rooms = make_rooms(tmp_path, functions, snapshots=snapshots)
    async with running(rooms):
        await create(rooms)
        await rooms.deployments.until_settled(key())
        states = [await rooms.functions.get(key(), version) for version in ("$LATEST", "1")]
    assert [one and one.state for one in states] == [State.ACTIVE] * 2
    assert functions.order == ["1", "$LATEST"]
    assert snapshots.asked == []


async def test_a_version_that_cannot_run_fails_as_its_function_does(rooms: Rooms):
    async with running(rooms):
        await create(rooms, runtime="python3.14")
        found = await settled(rooms)
    assert found.state is State.FAILED
    assert found.state_reason is not None
    assert found.state_reason.code == "InvalidRuntime"


async def test_a_version_with_snap_start_is_pending_until_its_snapshot_is_there(
    rooms: Rooms, snapshots: ScriptedSnapshots
):
    snapshots.gate.clear()
    async with running(rooms):
        version = await create(rooms, apply_on="PublishedVersions")
        assert (await settled(rooms, "$LATEST")).state is State.ACTIVE  # which waits for no snapshot
        await until(lambda: snapshots.asked == [version])
        assert await rooms.functions.get(key(), "1") == version
        assert rooms.unpacked() == {version.package.sha256}
        snapshots.gate.set()
        assert (await settled(rooms)).state is State.ACTIVE
    assert snapshots.asked == [version]
    assert snapshots.ready == {(key(), "1")}


async def test_slow_snapshots_keep_no_other_function_waiting(rooms: Rooms, snapshots: ScriptedSnapshots):
    snapshots.gate.clear()
    async with running(rooms):
        for number in range(8):
            await create(rooms, f"slow{number}", apply_on="PublishedVersions")
        await create(rooms, "quick")
        assert (await settled(rooms, "1", "quick")).state is State.ACTIVE
        assert snapshots.ready == set()
        snapshots.gate.set()
        for number in range(8):
            assert (await settled(rooms, "1", f"slow{number}")).state is State.ACTIVE


async def test_a_version_whose_init_fails_is_failed(rooms: Rooms, snapshots: ScriptedSnapshots):
    snapshots.failure = BROKEN
    async with running(rooms):
        await create(rooms, apply_on="PublishedVersions")
        found = await settled(rooms)
        assert (found.state, found.state_reason) == (State.FAILED, BROKEN)
        assert (await settled(rooms, "$LATEST")).state is State.ACTIVE


async def test_a_fault_of_ours_costs_the_snapshot_and_not_the_version(rooms: Rooms, snapshots: ScriptedSnapshots):
    snapshots.fault = ZeroDivisionError()
    async with running(rooms):
        await create(rooms, apply_on="PublishedVersions")
        assert (await settled(rooms)).state is State.ACTIVE


async def test_a_restart_finishes_what_was_outstanding_and_takes_the_snapshots_anew(
    rooms: Rooms, snapshots: ScriptedSnapshots
):
    async with running(rooms):
        await create(rooms, "ready", apply_on="PublishedVersions")
        before = await settled(rooms, "1", "ready")
    await create(rooms, "plain")
    await create(rooms, "outstanding", apply_on="PublishedVersions")
    again = ScriptedSnapshots()
    again.gate.clear()
    restarted = make_rooms(rooms.root, rooms.functions, snapshots=again)
    async with running(restarted):
        await until(lambda: len(again.asked) == 2)
        assert await rooms.functions.get(key("ready"), "1") == before  # Active all the while
        again.gate.set()
        for name in ("ready", "plain", "outstanding"):
            assert (await settled(restarted, "1", name)).state is State.ACTIVE
        assert again.ready == {(key("ready"), "1"), (key("outstanding"), "1")}
        await asyncio.sleep(0.02)
    assert sorted(one.key.name for one in again.asked) == ["outstanding", "ready"]
    assert await rooms.functions.get(key("ready"), "1") == before
    assert len(snapshots.asked) == 1


@pytest.mark.parametrize("state", ["failed", "deleted"])
async def test_a_restart_takes_no_snapshot_of_what_does_not_run(rooms: Rooms, snapshots: ScriptedSnapshots, state: str):
    snapshots.failure = BROKEN if state == "failed" else None
    async with running(rooms):
        await create(rooms, apply_on="PublishedVersions")
        await settled(rooms)
    if state == "deleted":
        await delete(rooms.resources, key(), "1")
    again = ScriptedSnapshots()
    restarted = make_rooms(rooms.root, rooms.functions, snapshots=again)
    async with running(restarted):
        await create(restarted, "next", apply_on="PublishedVersions")
        await settled(restarted, "1", "next")
    assert [one.key.name for one in again.asked] == ["next"]


async def test_a_failing_snapshot_after_a_restart_leaves_the_version_active(rooms: Rooms, snapshots: ScriptedSnapshots):
    async with running(rooms):
        await create(rooms, apply_on="PublishedVersions")
        before = await settled(rooms)
    again = ScriptedSnapshots()
    again.failure = BROKEN
    restarted = make_rooms(rooms.root, rooms.functions, snapshots=again)
    async with running(restarted):
        await until(lambda: len(again.asked) == 1)
        await asyncio.sleep(0.02)
    assert await rooms.functions.get(key(), "1") == before


@pytest.mark.parametrize("whole_function", [True, False])
async def test_what_is_deleted_leaves_no_snapshot(rooms: Rooms, snapshots: ScriptedSnapshots, whole_function: bool):
    async with running(rooms):
        version = await create(rooms, apply_on="PublishedVersions")
        await settled(rooms)
        await create(rooms, "other", apply_on="PublishedVersions")
        await settled(rooms, "1", "other")
        if whole_function:
            await delete(rooms.resources, key())
        else:
            await delete(rooms.resources, key(), "1")
        rooms.deployments.forget(replace(version, version="$LATEST" if whole_function else "1"))
    assert snapshots.ready == {(key("other"), "1")}


async def test_what_is_deleted_while_its_snapshot_is_taken_leaves_none(rooms: Rooms, snapshots: ScriptedSnapshots):
    snapshots.gate.clear()
    async with running(rooms):
        version = await create(rooms, apply_on="PublishedVersions")
        await until(lambda: snapshots.asked)
        await delete(rooms.resources, key(), "1")
        rooms.deployments.forget(version)
        snapshots.gate.set()
        await create(rooms, "next", apply_on="PublishedVersions")
        await settled(rooms, "1", "next")
        await until(lambda: snapshots.ready == {(key("next"), "1")})
