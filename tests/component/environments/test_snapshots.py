"""Where environments come from, over a scripted driver: snapshots are taken, copied, lost, refused and dropped."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lampion.clock.clock import Clock, SystemClock
from lampion.clock.virtual import VirtualClock
from lampion.code.architectures import HOST_ARCHITECTURE
from lampion.domain.errors import KMSDisabledException, SnapStartException, SnapStartTimeoutException
from lampion.domain.key_problems import KeyUnusable
from lampion.domain.kms.errors import DisabledException
from lampion.environments.state import Phase
from lampion.sandbox.driver import Exit
from lampion.sandbox.drivers.fake import FakeDriver
from tests.component.environments.scripted_runtime import API, Runtime, Script, echo, forever, play
from tests.component.environments.snapshot_stage import SnapshotStage, snapshot_stage
from tests.component.environments.stage import invocation, until

ERROR = {"errorMessage": "no", "errorType": "ValueError"}


async def snap_started(runtime: Runtime) -> Exit:
    """A runtime that knows snapshots: its copies echo."""
    if not runtime.process.is_copy and runtime.process.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start":
        assert (await runtime.call("GET", f"{API}/restore/next")).status == 200
        return await forever(runtime)
    return await echo(runtime)


@asynccontextmanager
async def staged(
    script: Script = snap_started, clock: Clock | None = None, **configuration: Any
) -> AsyncIterator[tuple[SnapshotStage, FakeDriver]]:
    clock = clock or SystemClock()
    driver = FakeDriver(play(script), clock, takes_snapshots=True)
    async with snapshot_stage(driver, Path("/"), clock, **configuration) as stage:
        yield stage, driver


async def test_environments_are_copies_of_a_version_that_was_prepared() -> None:
    async with staged() as (stage, driver):
        assert await stage.snapshots.prepare(stage.function) is None
        assert stage.snapshots.has(stage.function)
        assert await stage.answer({"n": 1}) == {"n": 1}
        assert [box.process.is_copy for box in driver.started] == [False, True]
        assert driver.started[1].process.is_cpu_limited


async def test_without_being_prepared_or_able_they_do_an_init() -> None:
    async with staged() as (stage, driver):
        assert not stage.snapshots.has(stage.function)
        assert await stage.answer(1) == 1
        assert driver.started[0].process.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    unable = FakeDriver(play(echo), SystemClock())
    async with snapshot_stage(unable, Path("/")) as stage:
        assert await stage.snapshots.prepare(stage.function) is None
        assert (stage.snapshots.has(stage.function), await stage.answer(1)) == (False, 1)


async def test_while_its_key_is_of_no_use_a_version_has_no_snapshot_and_none_is_copied() -> None:
    disabled = KeyUnusable("Decrypt", DisabledException("the key is disabled."))
    async with staged() as (stage, driver):
        stage.variables.refusal = disabled
        reason = await stage.snapshots.prepare(stage.function)
        assert reason is not None
        assert reason.code == "DisabledKMSKey"
        assert "because the KMS key used is disabled." in reason.text
        assert not stage.snapshots.has(stage.function)
        stage.variables.refusal = None
        assert await stage.snapshots.prepare(stage.function) is None
        stage.variables.refusal = disabled
        environment = stage.snapshots.environment(stage.function)
        with pytest.raises(KMSDisabledException):
            await environment.start()
        await environment.stop()
        assert environment.phase is Phase.GONE
        assert len(driver.started) == 1
        stage.variables.refusal = None
        assert await stage.answer(1) == 1


async def test_none_is_copied_while_the_key_of_the_code_is_of_no_use() -> None:
    async with staged() as (stage, _):
        assert await stage.snapshots.prepare(stage.function) is None
        stage.trees.refusal = KeyUnusable("Decrypt", DisabledException("the key is disabled."))
        with pytest.raises(KMSDisabledException, match="unable to decrypt the deployment package because"):
            await stage.answer(1)
        stage.trees.refusal = None
        assert await stage.answer(1) == 1


async def test_the_code_of_a_snapshot_is_in_use_from_before_it_is_taken_until_it_is_discarded() -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slow(runtime: Runtime) -> Exit:
        asked.set()
        await answered.wait()
        return await snap_started(runtime)

    async with staged(slow) as (stage, _):
        assert stage.snapshots.packages_in_use() == frozenset()
        preparing = asyncio.create_task(stage.snapshots.prepare(stage.function))
        await asked.wait()
        assert stage.snapshots.packages_in_use() == {stage.function.package.sha256}
        answered.set()
        await preparing
        assert stage.snapshots.packages_in_use() == {stage.function.package.sha256}
        stage.snapshots.discard(stage.function.key, None)
        assert stage.snapshots.packages_in_use() == frozenset()


async def test_a_refusal_is_logged_on_either_side_and_costs_only_time(caplog: pytest.LogCaptureFixture) -> None:
    async with staged() as (stage, driver):
        driver.snapshot_refusal = "Init left threads running"
        assert await stage.snapshots.prepare(stage.function) is None
        assert not stage.snapshots.has(stage.function)
        assert await stage.answer(1) == 1
        told = "LAMPION SnapStart is off for this version: Init left threads running. Its environments do a full Init."
        assert stage.streams.opened[0].lines[-1] == told
        assert "Init left threads running" in caplog.text


async def test_a_runtime_that_asks_for_no_snapshot_gets_none() -> None:
    async with staged(echo) as (stage, _):
        assert await stage.snapshots.prepare(stage.function) is None
        assert "doesn't ask" in stage.streams.opened[0].lines[-1]
        assert await stage.answer(1) == 1


@pytest.mark.skipif(HOST_ARCHITECTURE == "arm64", reason="arm64 is emulated elsewhere only")
async def test_an_emulated_runtime_gets_none_and_nothing_is_started_for_it() -> None:
    async with staged(echo) as (stage, driver):
        arm64 = replace(stage.function, configuration=replace(stage.function.configuration, architectures=("arm64",)))
        assert await stage.snapshots.prepare(arm64) is None
        assert "its runtime is emulated: it is for arm64" in stage.streams.opened[0].lines[-1]
        assert driver.started == []
        assert not stage.snapshots.has(arm64)


async def test_init_that_fails_ends_or_lasts_too_long_is_a_reason() -> None:
    async def fail(runtime: Runtime) -> Exit:
        await runtime.fail_init("Runtime.BeforeSnapshotError", ERROR)
        return Exit(64)

    async def end(runtime: Runtime) -> Exit:
        return Exit(3)

    for script, words in ((fail, json.dumps(ERROR)), (end, "exit status 3")):
        async with staged(script) as (stage, _):
            failure = await stage.snapshots.prepare(stage.function)
            assert failure is not None
            assert failure.code == "FunctionError.RuntimeInitError"
            assert words in failure.text
    clock = VirtualClock()
    async with staged(forever, clock) as (stage, driver):
        preparing = asyncio.create_task(stage.snapshots.prepare(stage.function))
        await until(lambda: len(driver.started) == 1)
        await asyncio.sleep(0.05)
        await clock.advance(130)
        failure = await preparing
        assert failure is not None
        assert failure.code == "FunctionError.InitTimeout"
        assert stage.streams.opened[0].lines[-1].endswith("Phase: init\tStatus: timeout")


async def test_a_copy_that_reports_an_error_or_ends_fails_the_invoker_and_is_gone() -> None:
    async def report(runtime: Runtime) -> Exit:
        if not runtime.process.is_copy:
            return await snap_started(runtime)
        answer = await runtime.call(
            "POST", f"{API}/restore/error", b"{}", Lambda_Runtime_Function_Error_Type="Runtime.AfterRestoreError"
        )
        assert answer.status == 202
        return Exit(65)

    async def end(runtime: Runtime) -> Exit:
        return await snap_started(runtime) if not runtime.process.is_copy else Exit(1)

    for script, error in ((report, "Runtime.AfterRestoreError"), (end, "Runtime.ExitError")):
        async with staged(script) as (stage, _):
            await stage.snapshots.prepare(stage.function)
            environment = stage.snapshots.environment(stage.function)
            with pytest.raises(SnapStartException):
                await environment.start()
            assert environment.phase is Phase.GONE
            assert stage.streams.opened[-1].lines[-1].endswith(f"\tStatus: error\tError Type: {error}")


async def test_restoring_has_ten_seconds() -> None:
    async def hang(runtime: Runtime) -> Exit:
        return await (forever(runtime) if runtime.process.is_copy else snap_started(runtime))

    clock = VirtualClock()
    async with staged(hang, clock) as (stage, driver):
        await stage.snapshots.prepare(stage.function)
        environment = stage.snapshots.environment(stage.function)
        starting = asyncio.create_task(environment.start())
        await until(lambda: len(driver.started) == 2)
        await asyncio.sleep(0.05)
        await clock.advance(10)
        with pytest.raises(
            SnapStartTimeoutException, match=r"couldn't restore the snapshot within the timeout limit\.$"
        ):
            await starting
        report = stage.streams.opened[-1].lines[-1]
        assert report == "RESTORE_REPORT Restore Duration: 10000.00 ms\tStatus: timeout"


async def test_a_snapshot_that_goes_between_choice_and_start_costs_an_init() -> None:
    async with staged() as (stage, driver):
        await stage.snapshots.prepare(stage.function)
        environment = stage.snapshots.environment(stage.function)
        assert repr(environment).endswith("Restore>")
        driver.snapshots[0].is_usable = False
        await environment.start()
        assert environment.phase is Phase.IDLE
        assert stage.streams.opened[-1].first_words() == ["INIT_START"]
        await environment.stop()


async def test_a_lost_snapshot_is_taken_anew_but_not_for_ever() -> None:
    async with staged() as (stage, driver):
        await stage.snapshots.prepare(stage.function)
        for number in range(3):
            driver.snapshots[number].is_usable = False
            assert await stage.answer(number) == number
            await until(lambda: stage.snapshots.has(stage.function))
        driver.snapshots[3].is_usable = False
        assert await stage.answer(4) == 4
        await asyncio.sleep(0.05)
        assert (stage.snapshots.has(stage.function), len(driver.snapshots)) == (False, 4)


async def test_what_is_discarded_or_replaced_is_closed() -> None:
    async with staged() as (stage, driver):
        await stage.snapshots.prepare(stage.function)
        await stage.snapshots.prepare(stage.function)
        await until(lambda: not driver.snapshots[0].is_usable)
        assert stage.snapshots.has(stage.function)
        stage.snapshots.discard(stage.function.key, "8")
        assert stage.snapshots.has(stage.function)
        stage.snapshots.discard(stage.function.key, None)
        assert not stage.snapshots.has(stage.function)
        await until(lambda: not driver.snapshots[1].is_usable)


async def test_a_version_that_is_discarded_while_it_is_prepared_keeps_nothing() -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slow(runtime: Runtime) -> Exit:
        asked.set()
        await answered.wait()
        return await snap_started(runtime)

    async with staged(slow) as (stage, driver):
        preparing = asyncio.create_task(stage.snapshots.prepare(stage.function))
        await asked.wait()
        stage.snapshots.discard(stage.function.key, "7")
        answered.set()
        assert await preparing is None
        assert not stage.snapshots.has(stage.function)
        assert not driver.snapshots[0].is_usable


async def test_another_function_of_the_same_name_and_version_has_no_part_in_it() -> None:
    async with staged() as (stage, _):
        await stage.snapshots.prepare(stage.function)
        other = replace(stage.function, package=replace(stage.function.package, sha256="other"))
        assert not stage.snapshots.has(other)
        assert stage.snapshots.environment(other).phase is Phase.INIT


async def test_the_report_bills_hooks_and_runtime_but_not_the_copying() -> None:
    async with staged() as (stage, _):
        await stage.snapshots.prepare(stage.function)
        async with stage.environment() as environment:
            await environment.invoke(invocation(1))
        (report,) = (line for line in stage.streams.opened[-1].lines if line.startswith("REPORT"))
        fields = dict(part.split(": ") for part in report.split("\t") if ": " in part)
    restored, billed = (
        float(fields[name].removesuffix(" ms")) for name in ("Restore Duration", "Billed Restore Duration")
    )
    assert 0 < billed <= restored + 1
    duration = float(fields["Duration"].removesuffix(" ms"))
    assert float(fields["Billed Duration"].removesuffix(" ms")) == pytest.approx(duration + billed, abs=1)


async def test_restore_calls_out_of_order_are_refused() -> None:
    statuses: list[int] = []

    async def script(runtime: Runtime) -> Exit:
        calls = (("GET", f"{API}/restore/next"), ("POST", f"{API}/restore/error"), ("GET", "/2021-04-23/credentials"))
        statuses.extend([(await runtime.call(*call)).status for call in calls])
        return await echo(runtime)

    async with staged(script) as (stage, _):
        assert await stage.answer(1) == 1
    assert statuses == [403, 403, 404]


async def test_credentials_are_given_to_who_knows_the_token() -> None:
    async with staged() as (stage, driver):
        await stage.snapshots.prepare(stage.function)
        async with stage.environment():
            process = driver.started[-1].process
            token = process.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
            runtime = await Runtime.connect(process)
            good = await runtime.call("GET", "/2021-04-23/credentials", Authorization=token)
            bad = await runtime.call("GET", "/2021-04-23/credentials", Authorization=token[:-1])
            runtime.close()
    assert (good.status, bad.status) == (200, 404)
    assert set(json.loads(good.body)) == {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}
