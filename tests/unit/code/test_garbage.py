"""Nothing that a function refers to, or is about to, is ever removed; everything else goes."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import replace

from lampion.code.garbage import Collected, GarbageCollector
from lampion.domain.version import counted, published
from tests.component.store.samples import delete, function
from tests.unit.code.conftest import Rooms
from tests.unit.code.zips import ordinary


def _age(rooms: Rooms) -> None:
    """Make every blob look as old as the epoch."""
    for path in (rooms.root / "blobs").glob("*/*"):
        os.utime(path, (1.0, 1.0))


async def test_unused_code_goes_and_used_code_stays(rooms: Rooms):
    async with rooms.deployments.stored(ordinary(index__py=b"used")) as package:
        await rooms.functions.insert(replace(function(), package=package))
    async with rooms.deployments.stored(ordinary(index__py=b"unused")) as unused:
        pass
    for sha256 in (package.sha256, unused.sha256):
        await rooms.packages.prepare(sha256)
    await rooms.clock.advance(1000)
    _age(rooms)
    assert await rooms.garbage.collect() == Collected(packages=1, blobs=1)
    assert rooms.stored() == rooms.unpacked() == {package.sha256}


async def test_code_that_only_a_version_uses_stays_until_that_is_deleted(rooms: Rooms):
    async with rooms.deployments.stored(ordinary(index__py=b"old")) as old:
        first = replace(function(settled=True), package=old)
        latest = counted(first, revision_id="r2")
        await rooms.functions.insert(latest, published=published(latest, description=None, revision_id="v"))
    async with rooms.deployments.stored(ordinary(index__py=b"new")) as new:
        newer = replace(latest, package=new, revision_id="r3")
        await rooms.functions.replace(newer, expected_revision_id="r2")
    _age(rooms)
    assert await rooms.garbage.collect(grace_seconds=0) == Collected(0, 0)
    assert rooms.stored() == {old.sha256, new.sha256}
    await delete(rooms.resources, latest.key, "1")
    assert await rooms.garbage.collect(grace_seconds=0) == Collected(packages=0, blobs=1)
    assert rooms.stored() == {new.sha256}


async def test_a_package_whose_function_is_not_stored_yet_is_kept(rooms: Rooms):
    async with rooms.deployments.stored(ordinary()) as package:
        _age(rooms)
        assert await rooms.garbage.collect(grace_seconds=0) == Collected(0, 0)
        assert await rooms.blobs.read(package.sha256)
    _age(rooms)
    assert await rooms.garbage.collect(grace_seconds=0) == Collected(packages=0, blobs=1)


async def test_what_two_uploads_hold_is_kept_until_both_let_go(rooms: Rooms):
    with rooms.garbage.hold("a" * 64):
        with rooms.garbage.hold("a" * 64):
            pass
        assert "a" * 64 in rooms.garbage._held
    assert not rooms.garbage._held


async def test_what_running_environments_have_mounted_is_kept(rooms: Rooms):
    sha256 = await rooms.blobs.put(ordinary())
    await rooms.packages.prepare(sha256)
    await rooms.clock.advance(1000)
    _age(rooms)
    mounted = {sha256}
    garbage = GarbageCollector(rooms.functions, rooms.blobs, rooms.packages, rooms.clock, also_in_use=lambda: mounted)
    assert await garbage.collect() == Collected(0, 0)
    mounted.clear()
    assert await garbage.collect() == Collected(1, 1)


async def test_it_runs_at_the_start_and_after_deletions(rooms: Rooms):
    first = await rooms.blobs.put(b"first")
    _age(rooms)
    running = asyncio.create_task(rooms.garbage.run())
    await _until(lambda: first not in rooms.stored())
    await rooms.blobs.put(b"second")
    _age(rooms)
    rooms.deployments.forget(function())
    await _until(lambda: not rooms.stored(), advance=rooms)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def _until(condition: Callable[[], bool], advance: Rooms | None = None) -> None:
    for _ in range(500):
        if condition():
            return
        if advance is not None:
            await advance.clock.advance(5)
        await asyncio.sleep(0.01)
    raise AssertionError("did not come about")
