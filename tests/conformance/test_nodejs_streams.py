"""Node.js functions made by awslambda.streamifyResponse on a live server, by boto3."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.test_nodejs import RUNTIME
from tests.deployment import Functions, functions

HEAD = {"statusCode": 201, "headers": {"content-type": "text/html"}, "cookies": ["a=b"]}
SOURCE = """
const { pipeline } = require('node:stream/promises');
const { Readable } = require('node:stream');
let count = 0;

const KINDS = {
  slowly: async (out) => {
    for (const word of ['one', 'two', 'three']) {
      out.write(word);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    out.end();
  },
  http: async (out, event) => {
    const stream = awslambda.HttpResponseStream.from(out, event.head);
    stream.write('<p>');
    stream.end('body');
  },
  fail: async (out) => {
    out.write('part');
    throw new RangeError('in the middle');
  },
  exit: async (out) => {
    out.write('part');
    setTimeout(() => process.exit(3), 50);
    await new Promise(() => undefined);
  },
  large: async (out, event) => {
    const block = Buffer.alloc(65536, 'x');
    function* blocks() {
      for (let index = 0; index < event.blocks; index += 1) yield block;
    }
    await pipeline(Readable.from(blocks()), out);
    console.log('RSS', process.memoryUsage().rss, 'drains', out.writableHighWaterMark > 0);
  },
  counts: async (out) => {
    count += 1;
    out.end(String(count));
  },
};

exports.handler = awslambda.streamifyResponse(async (event, out, context) => {
  if (typeof context.getRemainingTimeInMillis() !== 'number') throw new Error('no context');
  await KINDS[event.kind](out, event);
});
"""


@pytest.fixture
def name(lambda_client: Any) -> Iterator[str]:
    with functions(lambda_client, "nodejs-streams") as made:
        yield made({"index.js": SOURCE}, Runtime=RUNTIME, MemorySize=256, Timeout=60)


@pytest.fixture
def deploy(lambda_client: Any) -> Iterator[Functions]:
    with functions(lambda_client, "nodejs-streams") as made:
        yield made


def start(client: Any, name: str, kind: str, **event: Any) -> Any:
    payload = json.dumps({"kind": kind, **event})
    return client.invoke_with_response_stream(FunctionName=name, Payload=payload, LogType="Tail")["EventStream"]


def run(client: Any, name: str, kind: str, **event: Any) -> tuple[bytes, dict[str, str], str]:
    """Payload, InvokeComplete, the end of the log."""
    *chunks, last = start(client, name, kind, **event)
    complete = last["InvokeComplete"]
    return b"".join(chunk["PayloadChunk"]["Payload"] for chunk in chunks), complete, _log(complete)


def _log(complete: dict[str, str]) -> str:
    return base64.b64decode(complete.pop("LogResult")).decode()


def test_the_pieces_come_as_the_handler_writes_them(lambda_client: Any, name: str) -> None:
    seen = [(time.monotonic(), event.get("PayloadChunk")) for event in start(lambda_client, name, "slowly")]
    assert [chunk and chunk["Payload"] for _, chunk in seen] == [b"one", b"two", b"three", None]
    assert seen[2][0] - seen[0][0] > 0.4, "they came all at once"


def test_an_http_head_goes_before_the_body(lambda_client: Any, name: str) -> None:
    payload, complete, _ = run(lambda_client, name, "http", head=HEAD)
    head, _, body = payload.partition(bytes(8))
    assert (json.loads(head), body, complete) == (HEAD, b"<p>body", {})


def test_an_error_in_the_middle(lambda_client: Any, name: str) -> None:
    payload, complete, log = run(lambda_client, name, "fail")
    assert (payload, complete["ErrorCode"]) == (b"part", "RangeError")
    details = json.loads(complete["ErrorDetails"])
    assert details["errorMessage"] == "in the middle"
    assert details["trace"][0] == "RangeError: in the middle"
    assert '\tERROR\tInvoke Error \t{"errorType":"RangeError"' in log
    assert run(lambda_client, name, "counts")[0] == b"1"  # the environment lives on


def test_a_process_that_exits_in_the_middle(lambda_client: Any, name: str) -> None:
    payload, complete, log = run(lambda_client, name, "exit")
    assert (payload, complete) == (b"part", {"ErrorCode": "Runtime.TruncatedResponse"})
    assert "Error Type: Runtime.ExitError" in log


def test_one_environment_serves_one_stream_after_another(lambda_client: Any, name: str) -> None:
    assert [run(lambda_client, name, "counts")[0] for _ in range(5)] == [b"1", b"2", b"3", b"4", b"5"]
    answer = lambda_client.invoke(FunctionName=name, Payload='{"kind": "counts"}')
    assert answer["Payload"].read() == b"6"


def test_a_slow_reader_makes_a_pipeline_wait_and_memory_stays_flat(lambda_client: Any, name: str) -> None:
    events = start(lambda_client, name, "large", blocks=1600)
    received = 0
    complete: dict[str, str] = {}
    for event in events:
        if received < 4:
            time.sleep(0.3)
        if "InvokeComplete" in event:
            complete = event["InvokeComplete"]
        else:
            received += len(event["PayloadChunk"]["Payload"])
    log = _log(complete)
    assert (received, complete) == (1600 * 65536, {})
    rss = int(log.partition("\tRSS ")[2].split()[0])
    assert rss < 200 * 1024 * 1024, "100 MiB were not kept, or not dropped"


def test_an_es_module_streams_too(lambda_client: Any, deploy: Functions) -> None:
    source = "export const handler = awslambda.streamifyResponse(async (event, out) => { out.write('x'); out.end(); });"
    name = deploy({"index.mjs": source}, Runtime=RUNTIME)
    assert run(lambda_client, name, "any")[:2] == (b"x", {})
