"""AWS's own runtime client for Python, unmodified from PyPI, works against the Runtime API."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.environments.environ import SessionCredentials, environment_variables
from lampion.environments.environment import Environment
from lampion.environments.narrator import Narrator
from lampion.environments.state import Phase
from lampion.runtime_api.door import RuntimeApiServer
from lampion.sandbox.drivers.process import ProcessDriver
from lampion.sandbox.guarded import Guarded
from lampion.sandbox.spec import Limits, Mount, SandboxSpec
from tests.component.environments.stage import FUNCTION, Lines, invocation, release

SOURCE = """
import logging, os
logging.getLogger().setLevel("INFO")

def handler(event, context):
    if event == "fail":
        raise ValueError("boom")
    logging.info("event %s", event)
    return {
        "event": event,
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "custom": context.client_context.custom if context.client_context else None,
        "in_time": 0 < context.get_remaining_time_in_millis() <= 10_000,
        "trace": os.environ["_X_AMZN_TRACE_ID"],
    }
"""


@asynccontextmanager
async def running(task_root: Path, handler: str = "app.handler") -> AsyncIterator[tuple[Environment, Lines]]:
    """An environment whose runtime is `python -m awslambdaric`, as a plain process."""
    (task_root / "app.py").write_text(SOURCE)
    configuration = replace(FUNCTION.configuration, handler=handler, timeout_seconds=10)
    function = replace(FUNCTION, configuration=configuration)
    clock, log = SystemClock(), Lines()
    driver = Guarded(ProcessDriver(clock), clock)
    spec = SandboxSpec(
        sandbox_id="ric",
        argv=(sys.executable, "-m", "awslambdaric", handler),
        environ=environment_variables(function, log_stream="s", credentials=SessionCredentials("a", "b", "c")),
        working_directory="/var/task",
        mounts=(Mount(task_root, "/var/task"),),
        limits=Limits(memory_mib=512, cpu_cores=1),
    )
    environment = Environment(
        function,
        launch=lambda: driver.start(spec),
        release=release,
        runtime_server=RuntimeApiServer(clock),
        narrator=Narrator(function, stream=log, runtime_version="", runtime_version_arn="", clock=clock),
        clock=clock,
        rng=SystemRng(),
    )
    try:
        await environment.start()
        yield environment, log
    finally:
        await environment.stop()
        await driver.close()


async def test_it_serves_invocations_with_a_whole_context(tmp_path: Path) -> None:
    async with running(tmp_path) as (environment, log):
        for event in ({"n": 1}, {"n": 2}):
            outcome = await environment.invoke(invocation(event, client_context='{"custom": {"a": "b"}}'))
            assert outcome.function_error is None, log.lines
            answer: dict[str, Any] = json.loads(outcome.payload)
            assert answer == {
                "event": event,
                "request_id": invocation().request_id,
                "arn": invocation().invoked_arn,
                "memory": "128",
                "custom": {"a": "b"},
                "in_time": True,
                "trace": "Root=1-0-0",
            }
        logged = [line for line in log.lines if line.startswith("[INFO]\t")]
        assert [line.rstrip("\n").rpartition("\t")[2] for line in logged] == ["event {'n': 1}", "event {'n': 2}"]


async def test_it_reports_errors_and_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path) as (environment, _):
        outcome = await environment.invoke(invocation("fail"))
        assert (outcome.function_error, outcome.error_type) == ("Unhandled", "ValueError")
        assert json.loads(outcome.payload)["errorMessage"] == "boom"
        assert (await environment.invoke(invocation("fine"))).function_error is None


async def test_it_reports_an_init_error(tmp_path: Path) -> None:
    async with running(tmp_path, handler="missing.handler") as (environment, _):
        assert environment.phase is Phase.INIT_FAILED
        outcome = await environment.invoke(invocation())
        assert outcome.error_type == "Runtime.ImportModuleError"
        assert json.loads(outcome.payload)["requestId"] == ""
