"""SnapStart of functions with extensions: no snapshot, but Init is tried, and its failure is the version's."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lampion.clock.clock import SystemClock
from lampion.domain import limits
from lampion.domain.function import AttachedLayer, DeploymentPackage, Reason
from lampion.sandbox.driver import Exit
from lampion.sandbox.drivers.fake import FakeDriver
from tests.component.environments.scripted_extension import Extension, obedient, play_extensions
from tests.component.environments.scripted_runtime import API, Runtime, echo, forever, play
from tests.component.environments.snapshot_stage import SnapshotStage, snapshot_stage


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EXTERNAL_SHUTDOWN_SECONDS", 0.2)
    monkeypatch.setattr(limits, "RUNTIME_SHUTDOWN_SECONDS", 0.1)


@asynccontextmanager
async def staged(
    opt: Path, names: Sequence[str], script: Any = obedient, runtime: Any = echo
) -> AsyncIterator[tuple[SnapshotStage, FakeDriver]]:
    (opt / "extensions").mkdir()
    for name in names:
        (opt / "extensions" / name).write_text("")
    clock = SystemClock()
    companion = play_extensions(**dict.fromkeys(names, script))
    driver = FakeDriver(play(runtime), clock, takes_snapshots=True, companion=companion)
    layer = AttachedLayer(
        arn="arn:aws:lambda:us-east-1:123456789012:layer:x:1", package=DeploymentPackage("ab", "cd", 1)
    )
    async with snapshot_stage(driver, Path("/"), clock, opt=opt, layers=(layer,)) as stage:
        yield stage, driver


async def test_no_snapshot_is_taken_and_environments_do_an_init(tmp_path: Path) -> None:
    async with staged(tmp_path, ["x"]) as (stage, driver):
        assert await stage.snapshots.prepare(stage.function) is None
        assert not stage.snapshots.has(stage.function)
        assert "no snapshot holds several programs" in stage.streams.opened[0].lines[-1]
        assert await stage.answer(1) == 1
        assert [box.process.is_copy for box in driver.started] == [False, False]


async def test_an_extension_that_fails_is_a_reason(tmp_path: Path) -> None:
    async def fails(extension: Extension) -> Exit:
        return Exit(1)

    async with staged(tmp_path, ["x"], fails) as (stage, _):
        reason = await stage.snapshots.prepare(stage.function)
        assert isinstance(reason, Reason)
        assert reason.code == "FunctionError.ExtensionInitError"
        assert "Extension.Crash" in reason.text


async def test_too_many_are_a_reason(tmp_path: Path) -> None:
    async with staged(tmp_path, [f"e{number}" for number in range(11)]) as (stage, driver):
        reason = await stage.snapshots.prepare(stage.function)
        assert isinstance(reason, Reason)
        assert reason.code == "FunctionError.TooManyExtensions"
        assert driver.started == []


async def test_an_internal_extension_is_in_the_way_of_a_snapshot_too(tmp_path: Path) -> None:
    async def with_extension(runtime: Runtime) -> Exit:
        if runtime.process.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] != "snap-start":
            return await echo(runtime)
        await Extension(runtime, "inside").register([])
        await runtime.call("GET", f"{API}/restore/next")
        return await forever(runtime)

    async with staged(tmp_path, [], runtime=with_extension) as (stage, _):
        assert await stage.snapshots.prepare(stage.function) is None
        assert not stage.snapshots.has(stage.function)
        assert "it has extensions" in stage.streams.opened[0].lines[-1]
