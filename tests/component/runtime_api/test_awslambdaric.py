"""AWS's own runtime client for Python, unmodified from PyPI, works against the Runtime API."""

import asyncio
import json
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from lampion.environments.endings import Answer
from lampion.environments.environment import Environment
from lampion.environments.state import Phase
from tests.component.environments.stage import Lines, invocation
from tests.component.runtime_api import official_clients

SOURCE = """
import logging, os
logging.getLogger().setLevel("INFO")

def handler(event, context):
    if event == "fail":
        raise ValueError("boom")
    if event == "unserialisable":
        return object()
    if event == "exit":
        os._exit(3)
    logging.info("event %s", event)
    return {
        "event": event,
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "custom": context.client_context.custom if context.client_context else None,
        "in_time": 0 < context.get_remaining_time_in_millis() <= 10_000,
        "trace": os.environ["_X_AMZN_TRACE_ID"],
        "tenant": context.tenant_id,
        "w3c": context.w3c(),
    }
"""
SNAP_STARTED = """
from snapshot_restore_py import register_after_restore, register_before_snapshot

@register_before_snapshot
def before_snapshot():
    open(MARK, "a").write("before ")
    if FAILS:
        raise ValueError("not today")

@register_after_restore
def after_restore():
    open(MARK, "a").write("after ")

def handler(event, context):
    pass
"""


def running(
    task_root: Path, handler: str = "app.handler", *, source: str = SOURCE, **more: Any
) -> AbstractAsyncContextManager[tuple[Environment, Lines]]:
    """An environment whose runtime is `python -m awslambdaric`."""
    (task_root / "app.py").write_text(source)
    return official_clients.running((sys.executable, "-m", "awslambdaric", handler), task_root, handler, **more)


async def test_it_serves_invocations_with_a_whole_context(tmp_path: Path) -> None:
    async with running(tmp_path) as (environment, log):
        for event in ({"n": 1}, {"n": 2}):
            client_context = '{"custom": {"a": "b"}, "w3c": {"traceparent": "00-1-2-01", "other": "x"}}'
            outcome = await environment.invoke(invocation(event, client_context=client_context, tenant_id="blue"))
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
                "tenant": "blue",
                "w3c": {"traceparent": "00-1-2-01"},
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


async def test_it_logs_json_in_frames_with_tenant_and_request(tmp_path: Path) -> None:
    async with running(tmp_path, json_log=True) as (environment, log):
        await environment.invoke(invocation({"n": 1}, tenant_id="blue"))
        [told] = [json.loads(line) for line in log.lines if '"event {' in line]
        assert (told["level"], told["tenantId"], told["requestId"]) == ("INFO", "blue", invocation().request_id)


@pytest.mark.parametrize(
    ("event", "error_type"), [("unserialisable", "Runtime.MarshalError"), ("exit", "Runtime.ExitError")]
)
async def test_what_cannot_be_answered_fails_as_on_aws(tmp_path: Path, event: str, error_type: str) -> None:
    async with running(tmp_path) as (environment, _):
        outcome = await environment.invoke(invocation(event))
        assert json.loads(outcome.payload)["errorType"] == error_type


@pytest.mark.parametrize("fails", [False, True])
async def test_it_runs_its_hook_and_then_waits_for_the_snapshot(tmp_path: Path, fails: bool) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "app.py").write_text(SNAP_STARTED.replace("MARK", repr(str(mark))).replace("FAILS", str(fails)))
    argv = (sys.executable, "-m", "awslambdaric", "app.handler")
    async with official_clients.prepared_for_a_snapshot(argv, tmp_path, "app.handler") as session:
        ending = await asyncio.wait_for(session.initialized, 20)
        assert mark.read_text() == "before "
        if fails:
            assert isinstance(ending, Answer)
            assert ending.error_type == "Runtime.BeforeSnapshotError"
        else:
            assert ending is None
