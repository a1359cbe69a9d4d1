"""Layers on disk: merged once for each list, compiled for /opt, prepared with their function, kept as long as used."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from lampion.code.blobs import BlobMissing
from lampion.code.garbage import Collected
from lampion.code.zip_format import BadZip
from lampion.domain.function import AttachedLayer, DeploymentPackage, Function, State, layer_code
from lampion.domain.layer import LayerKey, LayerVersion
from lampion.store.layers import LAYER_VERSIONS, layer_version_place
from tests.component.store.samples import ACCOUNT, REGION, delete, function
from tests.unit.code.conftest import PYTHON, Rooms, make_rooms
from tests.unit.code.test_deployments import _running
from tests.unit.code.test_garbage import _age
from tests.unit.code.zips import file, link, make, ordinary

LIB = LayerKey(ACCOUNT, REGION, "lib")


async def stored(rooms: Rooms, zipped: bytes) -> AttachedLayer:
    sha256 = await rooms.blobs.put(zipped)
    return AttachedLayer(arn=f"{LIB.arn}:1", package=DeploymentPackage(sha256, "=", len(zipped), 1))


async def test_layers_are_merged_in_their_order_and_once_for_many_callers(rooms: Rooms):
    lower = await stored(rooms, make(file("both", b"lower"), file("d/lower", b"lower")))
    upper = await stored(rooms, make(file("both", b"upper"), file("d/upper", b"upper")))
    paths = await asyncio.gather(*(rooms.packages.prepare_layers([lower, upper]) for _ in range(9)))
    assert len(set(paths)) == 1
    assert {path.relative_to(paths[0]).as_posix() for path in paths[0].rglob("*")} == {
        "both",
        "d",
        "d/lower",
        "d/upper",
    }
    assert (paths[0] / "both").read_bytes() == b"upper"
    other_way = await rooms.packages.prepare_layers([upper, lower])
    assert (other_way / "both").read_bytes() == b"lower"
    assert rooms.leftovers() == []


async def test_a_link_of_one_layer_leads_no_other_out(rooms: Rooms):
    lower = await stored(rooms, make(file("there/x", b"lower"), link("l", "there")))
    upper = await stored(rooms, make(file("l/x", b"upper")))
    path = await rooms.packages.prepare_layers([lower, upper])
    assert ((path / "there/x").read_bytes(), (path / "l/x").read_bytes()) == (b"lower", b"upper")
    assert not (path / "l").is_symlink()


async def test_nothing_of_them_can_be_written_by_others(rooms: Rooms):
    layers = [await stored(rooms, make(file(f"d/{name}"), file("both"))) for name in ("one", "two")]
    path = await rooms.packages.prepare_layers(layers)
    assert all(entry.stat().st_mode & 0o022 == 0 for entry in [path, *path.rglob("*")])
    assert path.stat().st_mode & 0o777 == 0o755


async def test_a_layer_is_no_package_even_with_the_same_content(rooms: Rooms):
    layer = await stored(rooms, ordinary(index__py=b"x = 1\n"))
    package = await rooms.packages.prepare(layer.package.sha256, PYTHON)
    merged = await rooms.packages.prepare_layers([layer], PYTHON)
    assert package != merged
    assert (merged / "__pycache__/index.cpython-312.pyc").read_bytes().endswith(b"of x = 1\n")
    assert [root for _, _, root in rooms.compiler.trees] == ["/var/task", "/opt"]
    plain = await rooms.packages.prepare_layers([layer], replace(PYTHON, runtime="nodejs22.x"))
    assert [path.name for path in plain.iterdir()] == ["index.py"]


async def test_a_layer_that_cannot_be_unpacked_leaves_nothing(rooms: Rooms):
    good, bad = await stored(rooms, ordinary()), await stored(rooms, make(file("../evil")))
    with pytest.raises(BadZip):
        await rooms.packages.prepare_layers([good, bad])
    missing = replace(good, package=replace(good.package, sha256="0" * 64))
    with pytest.raises(BlobMissing):
        await rooms.packages.prepare_layers([good, missing])
    assert rooms.unpacked() == set()
    assert rooms.leftovers() == []


async def test_a_damaged_tree_is_made_again(rooms: Rooms):
    layers = [await stored(rooms, make(file(name, b"text"))) for name in ("one", "two")]
    path = await rooms.packages.prepare_layers(layers)
    (path / "two").write_bytes(b"changed")
    again = make_rooms(rooms.root)
    path = await again.packages.prepare_layers(layers)
    assert (path / "two").read_bytes() == b"text"


async def _with_layers(rooms: Rooms, *layers: AttachedLayer) -> Function:
    async with rooms.deployments.stored(ordinary()) as package:
        created = replace(function(), package=package)
        created = replace(created, configuration=replace(created.configuration, layers=layers))
        await rooms.functions.insert(created)
    rooms.deployments.settle(created)
    return created


async def test_a_function_is_active_when_its_layers_are_there(rooms: Rooms):
    created = await _with_layers(rooms, await stored(rooms, make(file("one"))), await stored(rooms, make(file("two"))))
    async with _running(rooms):
        await rooms.deployments.until_settled(created.key)
    found = await rooms.functions.get(created.key)
    assert found is not None
    assert found.state is State.ACTIVE
    assert rooms.unpacked() == {created.package.sha256, layer_code(created.configuration.layers)[-1]}


async def test_a_function_whose_layer_is_lost_fails(rooms: Rooms):
    layer = await stored(rooms, make(file("one")))
    await rooms.blobs.delete(layer.package.sha256)
    created = await _with_layers(rooms, layer)
    async with _running(rooms):
        await rooms.deployments.until_settled(created.key)
    found = await rooms.functions.get(created.key)
    assert found is not None
    assert found.state is State.FAILED


async def _keep(rooms: Rooms, version: LayerVersion) -> None:
    await rooms.resources.change(lambda stored: stored.put(LAYER_VERSIONS, version))


async def _delete(rooms: Rooms, number: int) -> None:
    place = layer_version_place(LIB, number)
    await rooms.resources.change(lambda stored: stored.delete(LAYER_VERSIONS, place))


async def test_a_deleted_layer_stays_as_long_as_a_function_has_it(rooms: Rooms):
    layer = await stored(rooms, make(file("one")))
    await _keep(rooms, LayerVersion(key=LIB, number=1, package=layer.package, created_epoch_ms=0))
    created = await _with_layers(rooms, layer)
    await rooms.packages.prepare(created.package.sha256)
    await rooms.packages.prepare_layers([layer])
    await _delete(rooms, 1)
    await rooms.clock.advance(1000)
    _age(rooms)
    assert await rooms.garbage.collect() == Collected(0, 0)
    assert rooms.stored() == {created.package.sha256, layer.package.sha256}
    await delete(rooms.resources, created.key)
    assert await rooms.garbage.collect() == Collected(packages=2, blobs=2)
    assert rooms.stored() == set()


async def test_a_layer_nobody_has_goes_with_the_last_version_of_that_content(rooms: Rooms):
    layer = await stored(rooms, make(file("one")))
    for number in (1, 2):
        await _keep(rooms, LayerVersion(key=LIB, number=number, package=layer.package, created_epoch_ms=0))
    left = []
    for number in (1, 2):
        await _delete(rooms, number)
        _age(rooms)
        await rooms.garbage.collect(grace_seconds=0)
        left.append(rooms.stored())
    assert left == [{layer.package.sha256}, set()]


async def test_deleting_a_layer_has_its_code_collected_before_long(rooms: Rooms):
    collecting = asyncio.create_task(rooms.garbage.run())
    await asyncio.sleep(0.05)
    sha256 = await rooms.blobs.put(b"of a layer")
    _age(rooms)
    package = DeploymentPackage(sha256, "=", 1, 1)
    rooms.deployments.forget_layer(LayerVersion(key=LIB, number=1, package=package, created_epoch_ms=0))
    for _ in range(500):
        if not rooms.stored():
            break
        await rooms.clock.advance(5)
        await asyncio.sleep(0.01)
    assert rooms.stored() == set()
    collecting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await collecting


async def test_the_size_of_a_package_stored_without_it_is_read_from_its_zip(rooms: Rooms):
    async with rooms.deployments.stored(ordinary(a=b"12345", b=b"678")) as package:
        assert package.unzipped_bytes == 8
        assert await rooms.deployments.measured(package) is package
        assert await rooms.deployments.measured(replace(package, unzipped_bytes=0)) == package
    lost = replace(package, sha256="0" * 64, unzipped_bytes=0)
    assert await rooms.deployments.measured(lost) == lost
