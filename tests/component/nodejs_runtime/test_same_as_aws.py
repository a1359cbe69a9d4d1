"""Our runtime and AWS's own clients, given the same functions and events, say the same to the platform and the log."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.component.nodejs_runtime.node_process import FUNCTIONS, both, crash, every_node, normalised, write_files
from tests.component.python_runtime.fake_runtime_api import Event, Post
from tests.component.python_runtime.runtime_process import Ran

SOURCE = (FUNCTIONS / "cases.js").read_text()


def names_in(table: str) -> list[str]:
    body = SOURCE.partition(f"const {table} = {{")[2].partition("\n};")[0]
    return re.findall(r"^  (\w+): ", body, flags=re.MULTILINE)


CASES, CALLBACK_CASES = names_in("CASES"), names_in("CALLBACKS")


def compared(post: Post) -> tuple[str, Any, str | None, Any]:
    """Without X-Ray's frames of the runtimes themselves. AWS's native client leaves the error's type to the body."""
    body = post.body.decode()
    cause = post.headers.get("lambda-runtime-function-xray-error-cause") or None
    return post.path, normalised(body), post.headers.get("content-type"), cause and compared_cause(cause)


def compared_cause(cause: str) -> Any:
    told = json.loads(cause)
    own = re.compile(r"^(?:file$|file://|node:|.*/(?:runtimes/nodejs|nodejs_runtime/reference)/)")
    for exception in told["exceptions"]:
        exception["stack"] = [frame for frame in exception["stack"] if not own.match(frame["path"])]
    told["paths"] = [path for path in told["paths"] if not own.match(path)]
    return told


def assert_same(theirs: Ran, ours: Ran, names: list[str] | None = None) -> None:
    for index, (their_post, our_post) in enumerate(zip(theirs.posts, ours.posts, strict=True)):
        assert compared(our_post) == compared(their_post), names[index] if names else index
    assert normalised(ours.stdout) == normalised(theirs.stdout)
    assert crash(ours.stderr) == crash(theirs.stderr)
    assert [(f.kind, normalised(f.text)) for f in ours.frames] == [(f.kind, normalised(f.text)) for f in theirs.frames]
    assert ours.exit_status == theirs.exit_status


JSON_LOG = {"AWS_LAMBDA_LOG_FORMAT": "JSON"}
SETTINGS: Mapping[str, tuple[Mapping[str, str], bool]] = {
    "text": ({}, False),
    "text framed": ({}, True),
    "text, a level, framed": ({"AWS_LAMBDA_LOG_LEVEL": "warn"}, True),
    "json": (JSON_LOG | {"AWS_LAMBDA_LOG_LEVEL": "INFO"}, False),
    "json warn framed": (JSON_LOG | {"AWS_LAMBDA_LOG_LEVEL": "WARN"}, True),
    "json fatal framed": (JSON_LOG | {"AWS_LAMBDA_LOG_LEVEL": "FATAL"}, True),
    "json trace framed": (JSON_LOG | {"AWS_LAMBDA_LOG_LEVEL": "TRACE"}, True),
    "json, an odd level, framed": (JSON_LOG | {"AWS_LAMBDA_LOG_LEVEL": "nonsense"}, True),
}


@every_node
@pytest.mark.parametrize(("variables", "telemetry"), SETTINGS.values(), ids=SETTINGS)
def test_every_case(major: int, variables: Mapping[str, str], telemetry: bool) -> None:
    events = [Event(json.dumps({"case": name}).encode()) for name in CASES]
    theirs, ours = both(major, "cases.run", events, task=FUNCTIONS, variables=variables, telemetry=telemetry)
    assert len(theirs.posts) == len(CASES), theirs.stderr
    assert_same(theirs, ours, CASES)
    assert telemetry == bool(theirs.frames)


@pytest.mark.parametrize("variables", [{}, JSON_LOG], ids=["text", "json"])
def test_every_way_to_answer_with_callbacks(variables: Mapping[str, str]) -> None:
    events = [Event(json.dumps({"case": name}).encode()) for name in CALLBACK_CASES]
    theirs, ours = both(20, "cases.runCallback", events, task=FUNCTIONS, variables=variables)
    assert len(theirs.posts) == len(CALLBACK_CASES), theirs.stderr
    assert_same(theirs, ours, CALLBACK_CASES)


CONTEXT: Mapping[str, Mapping[str, str | None]] = {
    "full": {
        "Lambda-Runtime-Client-Context": json.dumps({"custom": {"é": [1]}, "Client": {"a": 1}}, ensure_ascii=False),
        "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"id","cognitoIdentityPoolId":"pool"}',
        "Lambda-Runtime-Aws-Tenant-Id": "tenant-a",
    },
    "no trace": {"Lambda-Runtime-Trace-Id": None},
    "trace again": {},
    "no invocation id": {"Lambda-Runtime-Invocation-Id": None},
}


@every_node
def test_the_context_and_the_environment(major: int) -> None:
    events = [Event(b'{"case":"showContext"}', headers) for headers in CONTEXT.values()]
    theirs, ours = both(major, "cases.run", events, task=FUNCTIONS, variables={})
    assert_same(theirs, ours, list(CONTEXT))


@pytest.mark.parametrize("header", ["Lambda-Runtime-Client-Context", "Lambda-Runtime-Cognito-Identity"])
@every_node
def test_a_context_that_is_no_json(major: int, header: str) -> None:
    events = [Event(b'{"case":"showContext"}', {header: "{"}), Event(b'{"case":"answerText"}')]
    theirs, ours = both(major, "cases.run", events, task=FUNCTIONS, variables={})
    assert_same(theirs, ours)


@every_node
@pytest.mark.parametrize("change", ["env.AWS_LAMBDA_FUNCTION_NAME = 'other'", "delete env.AWS_LAMBDA_LOG_GROUP_NAME"])
def test_the_context_after_a_handler_changed_the_environment(major: int, change: str, tmp_path: Path) -> None:
    write_files(f"const {{ env }} = process; exports.handler = async (e, context) => ({change}, context);", tmp_path)
    theirs, ours = both(major, "index.handler", [Event(), Event()], task=tmp_path, variables={})
    assert_same(theirs, ours)


@every_node
@pytest.mark.parametrize("body", [b'"\xff"', b' \n{"case": "a"}\t ', b'"\\ud83d\\ude00 \xc3\xa9"', b"1e400", b"{", b""])
def test_events_in_every_form(major: int, body: bytes, tmp_path: Path) -> None:
    write_files("exports.handler = async (event) => [event];", tmp_path)
    theirs, ours = both(major, "index.handler", [Event(body)], task=tmp_path, variables={})
    assert_same(theirs, ours)


OK = "exports.handler = async () => 'ok';"
OK_MODULE = "export const handler = async () => [import.meta.url.slice(-9), typeof require];"
MODULES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "js": ("index.handler", {"index.js": OK}),
    "mjs": ("index.handler", {"index.mjs": OK_MODULE}),
    "cjs": ("index.handler", {"index.cjs": OK}),
    "js by package.json": ("index.handler", {"index.js": OK_MODULE, "package.json": '{"type": "module"}'}),
    "js by its own package.json": (
        "a/b/index.handler",
        {"a/b/index.js": OK, "a/package.json": '{"type": "commonjs"}', "package.json": '{"type": "module"}'},
    ),
    "js in a directory, by package.json": (
        "a/index.handler",
        {"a/index.js": OK_MODULE, "package.json": '{"type": "module"}'},
    ),
    "package.json is broken": ("index.handler", {"index.js": OK, "package.json": "{"}),
    "cjs beside type module": ("index.handler", {"index.cjs": OK, "package.json": '{"type": "module"}'}),
    "mjs before cjs": ("index.handler", {"index.mjs": OK_MODULE, "index.cjs": "throw new Error('not this')"}),
    "without extension": ("index.handler", {"index": OK}),
    "a directory": ("a/b.handler", {"a/b.js": OK}),
    "a package": ("lib.handler", {"node_modules/lib/index.js": OK}),
    "a directory's index": ("lib.handler", {"lib/index.js": OK}),
    "nested": ("index.a.b.handler", {"index.js": "exports.a = {b: {handler: async () => 'deep'}};"}),
    "a class's method": (
        "index.A.handler",
        {"index.js": "exports.A = class { static async handler() { return 'static'; } };"},
    ),
    "default export": ("index.handler", {"index.mjs": "export default {handler: async () => 'default'};"}),
    "top-level await": (
        "index.handler",
        {
            "index.mjs": "const late = await new Promise((r) => setTimeout(r, 5, 'late'));\n"
            "export const handler = async () => late;"
        },
    ),
    "imports": (
        "index.handler",
        {
            "index.mjs": "import fs from 'node:fs';\n"
            "import {x} from './lib.mjs';\nexport const handler = async () => [x, typeof fs.readSync];",
            "lib.mjs": "export const x = 1;",
        },
    ),
    "this": ("index.handler", {"index.js": "exports.handler = async function () { return typeof this; };"}),
    "no such file": ("missing.handler", {"index.js": OK}),
    "no such file in a directory": ("a/missing.handler", {"index.js": OK}),
    "no such function": ("index.other", {"index.js": OK}),
    "no function": ("index.handler", {"index.js": "exports.handler = 'text';"}),
    "no dot": ("index", {"index.js": OK}),
    "dots": ("../index.handler", {"index.js": OK}),
    "two dots": ("index..handler", {"index.js": OK}),
    "import of another module fails": ("index.handler", {"index.js": "require('not-there');"}),
    "import of another ES module fails": ("index.handler", {"index.mjs": "import 'not-there';"}),
    "syntax error": ("index.handler", {"index.js": "exports.handler = async ( => 1;"}),
    "syntax error in an ES module": ("index.handler", {"index.mjs": "export const handler = async ( => 1;"}),
    "exception": ("index.handler", {"index.js": "function deeper() { throw new RangeError('at init é'); }\ndeeper();"}),
    "exception in an ES module": ("index.handler", {"index.mjs": "throw new RangeError('at init');"}),
    "text thrown": ("index.handler", {"index.js": "throw 'text';"}),
    "nothing thrown": ("index.handler", {"index.js": "throw undefined;"}),
    "logs, then exits": ("index.handler", {"index.js": "console.log('leaving'); process.exit(7);"}),
    "uncaught while loading": (
        "index.handler",
        {
            "index.mjs": "setTimeout(() => { throw new Error('late'); }, 1);\n"
            "await new Promise((r) => setTimeout(r, 99));"
        },
    ),
    "rejection while loading": (
        "index.handler",
        {"index.mjs": "Promise.reject(new Error('unseen'));\nawait new Promise((r) => setTimeout(r, 5000));"},
    ),
    "a callback": (
        "index.handler",
        {"index.js": "exports.handler = (event, context, callback) => callback(null, 'called');"},
    ),
}


@every_node
@pytest.mark.parametrize("logging", [{}, JSON_LOG], ids=["text", "json"])
@pytest.mark.parametrize(("handler", "files"), MODULES.values(), ids=MODULES)
def test_every_kind_of_module(
    major: int, handler: str, files: Mapping[str, str], logging: Mapping[str, str], tmp_path: Path
) -> None:
    write_files(files, tmp_path)
    theirs, ours = both(major, handler, [Event()], task=tmp_path, variables=logging, telemetry=True)
    assert_same(theirs, ours)
    header = "lambda-runtime-function-error-type"
    assert [p.headers.get(header) for p in ours.posts] == [p.headers.get(header) for p in theirs.posts]


ENDINGS = {
    "process.exit": "process.exit(3)",
    "process.exit after the answer": "callback?.(null, 1); process.exit(4)",
    "abort": "process.abort()",
    "uncaught": "setTimeout(() => { throw new TypeError('uncaught'); }, 1); return new Promise(() => undefined)",
    "rejected": "Promise.reject(new Error('rejected')); return new Promise(() => undefined)",
    "rejected with text": "Promise.reject('only text'); return new Promise(() => undefined)",
    "never settles": "return new Promise(() => undefined)",
    "answers, then throws": "callback?.(null, 1); throw new Error('then')",
    "answers what is no JSON": "callback?.(null, 1n)",
    "loops on": "setInterval(() => undefined, 5); return 'answered'",
}


@every_node
@pytest.mark.parametrize("body", ENDINGS.values(), ids=ENDINGS)
def test_what_ends_an_invocation_or_the_process(major: int, body: str, tmp_path: Path) -> None:
    parameters = "event, context, callback" if major < 24 else "event, context"
    source = f"exports.handler = ({parameters}) => {{ {body} }};"
    if major >= 24:
        source = source.replace("callback?.(null, 1);", "").replace("callback?.(null, 1n)", "return 1n")
    if body.startswith("setInterval") and major < 24:
        source = source.replace(
            "return 'answered'", "callback(null, 'answered'); context.callbackWaitsForEmptyEventLoop = false"
        )
        source = source.replace("setInterval", "context.callbackWaitsForEmptyEventLoop = false; setInterval")
    write_files(source, tmp_path)
    theirs, ours = both(major, "index.handler", [Event()], task=tmp_path, variables={})
    assert_same(theirs, ours)
