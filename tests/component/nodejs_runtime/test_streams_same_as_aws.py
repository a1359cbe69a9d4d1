"""Handlers that stream, under our runtime and under AWS's own clients: what is posted, logged, and how it ends."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.component.nodejs_runtime.node_process import both, crash, every_node, normalised, run_source, write_files
from tests.component.python_runtime.fake_runtime_api import Event, Post
from tests.component.python_runtime.runtime_process import Ran

ERROR_TYPE, ERROR_BODY = "lambda-runtime-function-error-type", "lambda-runtime-function-error-body"
HEADERS = ("lambda-runtime-function-response-mode", "content-type", "transfer-encoding", "trailer")

BODIES: Mapping[str, str] = {
    "writes and ends": "out.write('one'); out.write('two'); out.end();",
    "ends with a piece": "out.write('one'); out.end('two');",
    "only ends": "out.end();",
    "only ends with a piece": "out.end('all');",
    "ends with encoding and callback": "out.write('x'); out.end('two', 'utf8', () => console.log('ended'));",
    "ends with a callback": "out.write('x'); await new Promise((r) => out.end(r)); console.log('ended');",
    "bytes": "out.write(Buffer.from([0, 255])); out.write(new Uint8Array([1, 2])); out.end();",
    "text in an encoding": "out.write('ff00', 'hex'); out.end();",
    "objects as JSON": "out.write({a: 1}); out.write([2]); out.write(3); out.write(true); out.end();",
    "other views of bytes": "out.write(new Uint16Array([1, 2])); out.end();",
    "null": "out.write(null); out.end();",
    "nothing": "out.write(undefined); out.end();",
    "empty text": "out.write(''); out.end();",
    "a callback of write": "await new Promise((r) => out.write('x', 'utf8', r)); console.log('written'); out.end();",
    "content type": "out.setContentType('text/plain'); out.write('x'); out.end();",
    "content type too late": "out.write('x'); out.setContentType('text/plain'); out.end();",
    "content type that is none": "out.setContentType('a\\nb'); out.end();",
    "an HTTP head": "const head = {statusCode: 201, headers: {a: 'b'}, cookies: ['c=d']};"
    " out = awslambda.HttpResponseStream.from(out, head); out.write('body'); out.end();",
    "an HTTP head without a body": "out = awslambda.HttpResponseStream.from(out, {statusCode: 204}); out.end();",
    "an HTTP head and only an end": "awslambda.HttpResponseStream.from(out, {a: 200}).end('body');",
    "an HTTP head too late": "out.write('x'); awslambda.HttpResponseStream.from(out, {}); out.end();",
    "pipeline": "await require('stream/promises').pipeline(require('stream').Readable.from(['a', 'b', 'c']), out);",
    "pipeline through": "await require('stream/promises').pipeline("
    "require('stream').Readable.from(['a'.repeat(100)]), require('zlib').createGzip(), out);",
    "pipe": "require('stream').Readable.from(['a', 'b']).pipe(out); await new Promise((r) => out.on('finish', r));",
    "events": "for (const e of ['finish', 'close', 'drain']) out.on(e, () => console.log(e)); out.end('x');"
    " await new Promise((r) => setTimeout(r, 50));",
    "back-pressure": "let full = 0; for (let i = 0; i < 200; i++)"
    " if (!out.write('x'.repeat(65536))) { full += 1; await new Promise((r) => out.once('drain', r)); }"
    " console.log(full > 0); out.end();",
    "members": "console.log(Object.keys(out).sort().join(), Object.getOwnPropertyNames(out).sort().join(),"
    " out.writable, out.destroyed, out.writableEnded, out.writableFinished, out.writableObjectMode,"
    " out.writableCorked, out.writableLength); out.write('x'); out.end(); console.log(out.writableEnded);",
    "cork": "out.cork(); out.write('a'); out.write('b'); process.nextTick(() => out.uncork());"
    " await new Promise(setImmediate); out.end();",
    "returns something": "out.write('x'); out.end(); return 1;",
    "throws at once": "throw new RangeError('at once é');",
    "throws in the middle": "out.write('part'); throw new TypeError('in the middle');",
    "throws text": "out.write('part'); throw 'text';",
    "throws nothing": "out.write('part'); throw undefined;",
    "throws after the end": "out.write('x'); out.end(); throw new Error('after');",
    "logs": "console.log('one'); out.write('x'); console.error('two'); out.end();",
    "context": "out.write(JSON.stringify(Object.keys(context).sort())); out.end();",
    "does not wait for timers": "context.callbackWaitsForEmptyEventLoop = false; setTimeout(() => 1, 60000).unref();"
    " out.write('x'); out.end();",
    "waits for timers": "setTimeout(() => console.log('late'), 30); out.write('x'); out.end();",
}
COMPARED = 2
"""At most, of three invocations: AWS's clients ask for the next event before a failed stream has been delivered."""

ATTEMPTS = 3
"""On a busy machine they may have asked for all events, and be ended, before the first failed stream is delivered."""


def compared(post: Post) -> tuple[str, Any, str, str | None, Any]:
    told = post.trailers.get(ERROR_BODY)
    return (
        post.path,
        {name: post.headers.get(name) for name in HEADERS},
        normalised(post.body.decode("latin-1")),
        post.trailers.get(ERROR_TYPE),
        None if told is None else normalised(base64.b64decode(told).decode()),
    )


def assert_same(theirs: Ran, ours: Ran) -> None:
    assert len(ours.posts) > COMPARED or ours.exit_status is not None
    delivered = min(COMPARED, len(theirs.posts))
    told = [[compared(post) for post in ran.posts[:delivered]] for ran in (ours, theirs)]
    assert told[0] == told[1]
    assert normalised(ours.stdout) == normalised(theirs.stdout)
    assert crash(ours.stderr) == crash(theirs.stderr)
    assert ours.exit_status == theirs.exit_status


@every_node
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_a_handler_may_do_with_its_stream(major: int, body: str, tmp_path: Path) -> None:
    write_files(
        f"exports.handler = awslambda.streamifyResponse(async (event, out, context) => {{ {body} }});", tmp_path
    )
    events = [Event(b'{"n":1}')] * (COMPARED + 1)
    theirs, ours = both(major, "index.handler", events, task=tmp_path, variables={})
    for _ in range(ATTEMPTS - 1):
        if not theirs.posts:
            theirs, ours = both(major, "index.handler", events, task=tmp_path, variables={})
    assert theirs.posts, theirs.stderr
    assert_same(theirs, ours)


WHOLE = {
    "not async": "exports.handler = awslambda.streamifyResponse((event, out) => { out.write('x'); out.end(); });",
    "a thenable": "exports.handler = awslambda.streamifyResponse((event, out) =>"
    " { out.end('x'); return {then: (done) => done()}; });",
    "four parameters": "exports.handler = awslambda.streamifyResponse(async (a, out, c, d) => out.end('x'));",
    "a high-water mark": "exports.handler = awslambda.streamifyResponse(async (event, out) => { out.write('x');"
    " await new Promise((r) => setTimeout(r, 50)); console.log(out.writableHighWaterMark); out.end(); },"
    " {highWaterMark: 1000});",
    "a high-water mark that is none": "exports.handler = awslambda.streamifyResponse(async (event, out) =>"
    " { out.write('x'); out.end(); }, {highWaterMark: 'much'});",
    "a module": "export const handler = awslambda.streamifyResponse(async (event, out) => out.end('x'));",
    "marked by hand": "exports.handler = async (event, out) => { out.write('x'); out.end(); };"
    " exports.handler[Symbol.for('aws.lambda.runtime.handler.streaming')] = 'response';",
    "uncaught in the middle": "exports.handler = awslambda.streamifyResponse(async (event, out) => { out.write('part');"
    " setTimeout(() => { throw new TypeError('uncaught'); }, 20); await new Promise(() => undefined); });",
    "exits in the middle": "exports.handler = awslambda.streamifyResponse(async (event, out) => { out.write('part');"
    " setTimeout(() => process.exit(3), 20); await new Promise(() => undefined); });",
    "destroys its stream": "exports.handler = awslambda.streamifyResponse(async (event, out) => { out.write('part');"
    " out.destroy(); await new Promise((r) => setTimeout(r, 2000)); });",
}


@every_node
@pytest.mark.parametrize("source", WHOLE.values(), ids=WHOLE)
def test_every_kind_of_handler(major: int, source: str, tmp_path: Path) -> None:
    name = "index.mjs" if source.startswith("export const") else "index.js"
    write_files({name: source}, tmp_path)
    theirs, ours = both(major, "index.handler", [Event()] * (COMPARED + 1), task=tmp_path, variables={})
    assert_same(theirs, ours)


@pytest.mark.parametrize("variables", [{"AWS_LAMBDA_LOG_FORMAT": "JSON"}], ids=["json"])
@every_node
def test_errors_in_json_logs(major: int, variables: Mapping[str, str], tmp_path: Path) -> None:
    write_files("exports.handler = awslambda.streamifyResponse(async () => { throw new TypeError('x'); });", tmp_path)
    theirs, ours = both(major, "index.handler", [Event()] * 3, task=tmp_path, variables=variables)
    assert_same(theirs, ours)


@every_node
def test_a_name_that_no_trailer_can_hold_is_told_nevertheless(major: int, tmp_path: Path) -> None:
    """AWS's clients break down on it."""
    source = "const e = new Error('x'); e.name = 'A\\r\\nB: \\u20ac'; throw e;"
    ran = run_source(
        f"exports.handler = awslambda.streamifyResponse(async () => {{ {source} }});", tmp_path, major=major
    )
    (post,) = ran.posts
    assert post.trailers[ERROR_TYPE] == "A  B:"
    assert json.loads(base64.b64decode(post.trailers[ERROR_BODY]))["errorType"] == "A\r\nB: \u20ac"


@every_node
def test_the_next_event_is_asked_for_when_a_failed_stream_is_delivered(major: int, tmp_path: Path) -> None:
    source = "exports.handler = awslambda.streamifyResponse(async (event, out) => { out.write('x'); throw 1; });"
    ran = run_source(source, tmp_path, *[Event()] * 20, major=major)
    assert len(ran.posts) == 20


def test_a_stream_needs_no_second_connection_each_time(tmp_path: Path) -> None:
    source = "exports.handler = awslambda.streamifyResponse(async (event, out) => { out.end('x'); });"
    assert run_source(source, tmp_path, *[Event()] * 20).connections <= 2
