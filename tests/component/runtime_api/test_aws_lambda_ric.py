"""AWS's own runtime clients for Node.js, unmodified but for their native HTTP, work against the Runtime API."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from lampion.domain.invocation import Outcome
from lampion.environments.environment import Environment
from lampion.environments.response_stream import ResponseStream
from lampion.environments.state import Phase
from tests.component.environments.stage import Lines, invocation
from tests.component.nodejs_runtime.node_process import every_node, reference_command
from tests.component.runtime_api import official_clients

SOURCE = """
exports.handler = async (event, context) => {
  if (event === "fail") throw new RangeError("boom");
  if (event === "exit") process.exit(3);
  console.info("event %j", event);
  return {
    event,
    request_id: context.awsRequestId,
    arn: context.invokedFunctionArn,
    custom: context.clientContext?.custom ?? null,
    in_time: context.getRemainingTimeInMillis() > 0 && context.getRemainingTimeInMillis() <= 10000,
    trace: process.env._X_AMZN_TRACE_ID ?? context.xRayTraceId ?? globalThis.awslambda?.InvokeStore?.getXRayTraceId?.(),
    tenant: context.tenantId,
  };
};

exports.streaming = awslambda.streamifyResponse(async (event, out) => {
  out.setContentType("text/x-parts");
  for (const part of event) {
    out.write(part);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (event.includes("fail")) throw new RangeError("in the middle");
  out.end();
});
"""


def running(
    major: int, task_root: Path, handler: str = "index.handler", **more: Any
) -> AbstractAsyncContextManager[tuple[Environment, Lines]]:
    """An environment whose runtime is that of `aws-lambda-ric`."""
    (task_root / "index.js").write_text(SOURCE)
    variables = {"AWS_EXECUTION_ENV": f"AWS_Lambda_nodejs{major}.x", "PATH": "/usr/bin:/bin"}
    return official_clients.running(reference_command(major), task_root, handler, variables=variables, **more)


@every_node
async def test_it_serves_invocations_with_a_whole_context(major: int, tmp_path: Path) -> None:
    async with running(major, tmp_path) as (environment, log):
        for event in ({"n": 1}, {"n": 2}):
            asked = invocation(event, client_context='{"custom": {"a": "b"}}', tenant_id="blue")
            outcome = await environment.invoke(asked)
            assert outcome.function_error is None, log.lines
            assert json.loads(outcome.payload) == {
                "event": event,
                "request_id": asked.request_id,
                "arn": asked.invoked_arn,
                "custom": {"a": "b"},
                "in_time": True,
                "trace": "Root=1-0-0",
                "tenant": "blue",
            }
        logged = [line for line in log.lines if "\tINFO\t" in line]
        assert [line.rstrip("\n").rpartition("\t")[2] for line in logged] == ['event {"n":1}', 'event {"n":2}']
        assert all(invocation().request_id in line for line in logged)


@every_node
async def test_it_logs_json_in_frames(major: int, tmp_path: Path) -> None:
    async with running(major, tmp_path, json_log=True) as (environment, log):
        await environment.invoke(invocation({"n": 1}, tenant_id="blue"))
        [told] = [json.loads(line) for line in log.lines if '"message":"event ' in line]
        assert (told["level"], told["requestId"]) == ("INFO", invocation().request_id)
        assert told.get("tenantId", "blue") == "blue", "the client for Node.js 24 leaves it out"


@every_node
async def test_it_reports_errors_and_goes_on(major: int, tmp_path: Path) -> None:
    async with running(major, tmp_path) as (environment, _):
        outcome = await environment.invoke(invocation("fail"))
        assert outcome.function_error == "Unhandled"
        told = json.loads(outcome.payload)
        assert (told["errorType"], told["errorMessage"]) == ("RangeError", "boom")
        assert (await environment.invoke(invocation("fine"))).function_error is None
        outcome = await environment.invoke(invocation("exit"))
        assert json.loads(outcome.payload)["errorType"] == "Runtime.ExitError"


@every_node
@pytest.mark.parametrize(
    ("handler", "error_type"), [("missing.handler", "ImportModuleError"), ("index.absent", "HandlerNotFound")]
)
async def test_it_reports_an_init_error(major: int, handler: str, error_type: str, tmp_path: Path) -> None:
    async with running(major, tmp_path, handler=handler) as (environment, _):
        assert environment.phase is Phase.INIT_FAILED
        outcome = await environment.invoke(invocation())
        assert json.loads(outcome.payload)["errorType"] == f"Runtime.{error_type}"


async def streamed(environment: Environment, parts: list[str]) -> tuple[str, str | None, Outcome]:
    """What came through the stream, its content type, and how the invocation ended."""
    stream = ResponseStream()
    answering = asyncio.create_task(environment.invoke(invocation(parts), stream))
    answering.add_done_callback(lambda _: stream.finish())
    received = b""
    while piece := await stream.read():
        received += piece
    return received.decode(), stream.content_type, await answering


@every_node
async def test_it_streams(major: int, tmp_path: Path) -> None:
    async with running(major, tmp_path, handler="index.streaming") as (environment, _):
        for parts in (["one", "two"], ["three", "fail"], ["four"]):
            received, content_type, outcome = await streamed(environment, parts)
            assert (received, content_type) == ("".join(parts), "text/x-parts")
            assert outcome.function_error == ("Unhandled" if "fail" in parts else None)
