"""Our runtime and AWS's own client, given the same functions and events, say the same to the platform and the log."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.component.python_runtime.fake_runtime_api import ACCEPTED, Event, Post
from tests.component.python_runtime.functions import cases
from tests.component.python_runtime.runtime_process import (
    FUNCTIONS,
    Ran,
    awslambdaric_command,
    lampion_command,
    normalised,
    run,
)

CASES = [name for name in vars(cases) if name.split("_")[0] in ("answer", "fail", "show", "write", "log", "format")]
COMPARED_HEADERS = ("content-type", "lambda-runtime-invocation-id", "lambda-runtime-function-xray-error-cause")


def compared(post: Post) -> tuple[str, str, dict[str, str | None]]:
    """awslambdaric leaves Lambda-Runtime-Function-Error-Type out of invocation errors; ours, as documented, doesn't."""
    headers = {name: post.headers.get(name) for name in COMPARED_HEADERS}
    cause = headers["lambda-runtime-function-xray-error-cause"]
    if cause:
        decoded = json.loads(normalised(cause))
        headers["lambda-runtime-function-xray-error-cause"] = json.dumps(decoded | {"paths": sorted(decoded["paths"])})
    return post.path, normalised(post.body.decode("latin-1")), headers


def both(handler: str, events: Sequence[Event], environ: Mapping[str, str], *, telemetry: bool = False) -> list[Ran]:
    task = FUNCTIONS
    theirs = run(
        awslambdaric_command(handler),
        handler,
        events,
        task=task,
        environ={"PYTHONPATH": str(task)} | dict(environ),
        telemetry=telemetry,
    )
    return [theirs, run(lampion_command(), handler, events, task=task, environ=environ, telemetry=telemetry)]


JSON_LOG = {"AWS_LAMBDA_LOG_FORMAT": "JSON"}
ESCAPING = {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.11"}  # later ones leave non-ASCII text as it is
SETTINGS = {
    "text": ({}, False),
    "text escaping": (ESCAPING, False),
    "text framed": ({}, True),
    "text level framed": ({"AWS_LAMBDA_LOG_LEVEL": "debug"}, True),
    "text, a level that is none of Python's": ({"AWS_LAMBDA_LOG_LEVEL": "WARN"}, False),
    "json": (JSON_LOG | {"AWS_LAMBDA_LOG_LEVEL": "INFO"}, False),
    "json warn framed": (JSON_LOG | {"AWS_LAMBDA_LOG_LEVEL": "WARN"}, True),
    "json fatal framed": (JSON_LOG | {"AWS_LAMBDA_LOG_LEVEL": "FATAL"}, True),
    "json trace framed": (JSON_LOG | {"AWS_LAMBDA_LOG_LEVEL": "TRACE"}, True),
    "json odd level framed, escaping": (ESCAPING | JSON_LOG | {"AWS_LAMBDA_LOG_LEVEL": "nonsense"}, True),
}


@pytest.mark.parametrize(("environ", "telemetry"), SETTINGS.values(), ids=SETTINGS)
def test_every_case(environ: Mapping[str, str], telemetry: bool) -> None:
    events = [Event(json.dumps({"case": name}).encode()) for name in CASES]
    theirs, ours = both("cases.run", events, environ, telemetry=telemetry)

    assert len(theirs.posts) == len(CASES), theirs.stderr
    for name, their_post, our_post in zip(CASES, theirs.posts, ours.posts, strict=True):
        assert compared(our_post) == compared(their_post), name
    assert normalised(ours.stdout) == normalised(theirs.stdout)
    assert normalised(ours.stderr) == normalised(theirs.stderr)
    assert [(f.kind, normalised(f.text)) for f in ours.frames] == [(f.kind, normalised(f.text)) for f in theirs.frames]
    assert telemetry == bool(theirs.frames)


@pytest.mark.parametrize("environ", [{}, JSON_LOG], ids=["text", "json"])
def test_reporting_an_exception_when_there_is_none(environ: Mapping[str, str], tmp_path: Path) -> None:
    """AWS's client can't write it as JSON, and so the handler fails; so it does with ours."""
    (tmp_path / "none.py").write_text(
        "import logging\ndef handler(event, context):\n    logging.exception('of what?')\n    return 'logged'\n"
    )
    commands = awslambdaric_command("none.handler"), lampion_command()
    variables = {"PYTHONPATH": str(tmp_path), **environ}
    theirs, ours = (
        run(command, "none.handler", [Event()], task=tmp_path, environ=variables, telemetry=True)
        for command in commands
    )
    their_answer, our_answer = json.loads(theirs.posts[0].body), json.loads(ours.posts[0].body)
    if not environ:
        assert our_answer == their_answer == "logged"
    else:
        assert our_answer["errorType"] == their_answer["errorType"] == "AttributeError"
        assert our_answer["errorMessage"] == their_answer["errorMessage"]


CONTEXT: Mapping[str, Mapping[str, str | None]] = {
    "full": {
        "Lambda-Runtime-Client-Context": json.dumps(
            {
                "custom": {"é": [1]},
                "env": {"locale": "de"},
                "client": {"app_title": "shop", "installation_id": "i"},
                "w3c": {"traceparent": "00-ab", "baggage": 5, "other": "x"},
            },
            ensure_ascii=False,
        ),
        "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"id","cognitoIdentityPoolId":"pool"}',
        "Lambda-Runtime-Aws-Tenant-Id": "tenant-a",
    },
    "no trace": {"Lambda-Runtime-Trace-Id": None},
    "trace again": {},
    "no invocation id": {"Lambda-Runtime-Invocation-Id": None},
    "client context without client": {"Lambda-Runtime-Client-Context": '{"custom":null}'},
    "client context is no JSON": {"Lambda-Runtime-Client-Context": "{"},
    "client context is no object": {"Lambda-Runtime-Client-Context": "[1]"},
    "identity is no JSON": {"Lambda-Runtime-Cognito-Identity": "nope"},
}


def test_context_and_environment() -> None:
    events = [Event(b'{"case":"show_context"}', headers) for headers in CONTEXT.values()]
    theirs, ours = both("cases.run", events, {})
    for name, their_post, our_post in zip(CONTEXT, theirs.posts, ours.posts, strict=True):
        if name == "client context is no object":  # both fail inside their own code, whose frames are their own
            assert json.loads(our_post.body)["errorMessage"] == json.loads(their_post.body)["errorMessage"]
        else:
            assert compared(our_post) == compared(their_post), name


def test_events_in_every_form() -> None:
    events = [
        Event(b'"\xff"'),
        Event(b' \n{"case": "answer_text"}\t '),
        Event(b'\xef\xbb\xbf{"case": "answer_text"}'),
        Event(b'"\\ud83d\\ude00 \xc3\xa9"'),
        Event(b"12345678901234567890123"),
        Event(b'{"a": 1, "a": 2, "b": 1e400}'),
    ]
    theirs, ours = both("cases.answer_everything", events, {})
    assert [compared(post) for post in ours.posts] == [compared(post) for post in theirs.posts]


def test_an_event_of_another_content_type_arrives_as_bytes() -> None:
    theirs, ours = both("cases.answer_type", [Event(b"hello", {"Content-Type": "text/plain"})], {})
    assert [compared(post) for post in ours.posts] == [compared(post) for post in theirs.posts]
    assert b"bytes" in ours.posts[0].body


@pytest.mark.parametrize("body", [b"{", b'{"case" 1}', b"[1, 2", b"", b"1 2", b"NaN", b"[-Infinity]"])
def test_events_that_are_no_json(body: bytes) -> None:
    """The platform refuses these before; the parsers' words for what is wrong differ."""
    (post,) = run(lampion_command(), "cases.answer_everything", [Event(body)]).posts
    error = json.loads(post.body)
    assert error["errorType"] == "Runtime.UnmarshalError"
    assert error["errorMessage"].startswith("Unable to unmarshal input: E")
    assert error["stackTrace"] == []


INIT_FAILURES = {
    "no such module": ("missing.handler", ""),
    "no such function": ("broken.handler", "other = 1"),
    "no dot": ("broken", ""),
    "empty": ("", ""),
    "built-in module": ("sys.handler", ""),
    "built-in package": ("sys.path.handler", ""),
    "import of another module fails": ("broken.handler", "import not_there"),
    "syntax error": ("broken.handler", "def handler(:\n    pass"),
    "tab error": ("broken.handler", "def handler(event, context):\n        a = 1\n\tb = 2"),
    "exception": ("broken.handler", "def deeper():\n    raise KeyError('at init é')\n\ndeeper()"),
    "exception without text": ("broken.handler", "raise ValueError"),
    "relative name": ("./broken.handler", "handler = 1"),
    "directory": ("sub/broken.handler", "1 / 0"),
    "system exit": ("broken.handler", "import sys\nprint('leaving')\nsys.exit(7)"),
    "exit": ("broken.handler", "exit(3)"),
    "not an Exception": ("broken.handler", "class Odd(BaseException):\n    pass\n\nraise Odd"),
    "logged before": (
        "broken.handler",
        "import logging\nlogging.getLogger().handlers.clear()\nraise ValueError('late')",
    ),
}


@pytest.mark.parametrize("logging", [{}, {"AWS_LAMBDA_LOG_FORMAT": "JSON"}], ids=["text", "json"])
@pytest.mark.parametrize(("handler", "source"), INIT_FAILURES.values(), ids=INIT_FAILURES)
def test_failures_of_init(handler: str, source: str, logging: Mapping[str, str], tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "sub"):
        directory.mkdir(exist_ok=True)
        (directory / "broken.py").write_text(source)
    theirs = run(awslambdaric_command(handler), handler, [], task=tmp_path, environ=logging, telemetry=True)
    ours = run(lampion_command(), handler, [], task=tmp_path, environ=logging, telemetry=True)

    assert ours.exit_status == theirs.exit_status
    assert ours.exit_status is not None
    # awslambdaric posts what can't be posted otherwise as Latin-1: its standard HTTP client's choice, and no JSON
    assert [(post.path, post.body.decode()) for post in ours.posts] == [
        (post.path, post.body.decode("latin-1")) for post in theirs.posts
    ]
    header = "lambda-runtime-function-error-type"
    assert [post.headers[header] for post in ours.posts] == [post.headers[header] for post in theirs.posts]
    assert [(f.kind, normalised(f.text)) for f in ours.frames] == [(f.kind, normalised(f.text)) for f in theirs.frames]
    assert ours.stdout == theirs.stdout


ENDINGS = {
    "sys.exit": ("import sys\ndef handler(event, context):\n    sys.exit(3)", ACCEPTED),
    "sys.exit with text": ("import sys\ndef handler(event, context):\n    sys.exit('bye')", ACCEPTED),
    "os._exit": ("import os\ndef handler(event, context):\n    print('x', end='')\n    os._exit(5)", ACCEPTED),
    "abort": ("import os\ndef handler(event, context):\n    os.abort()", ACCEPTED),
    "KeyboardInterrupt": ("def handler(event, context):\n    raise KeyboardInterrupt", ACCEPTED),
    "lone surrogate": ("def handler(event, context):\n    return '\\ud800'", ACCEPTED),
    "response refused": ("def handler(event, context):\n    return 1", "413 Request Entity Too Large"),
    "error refused": ("def handler(event, context):\n    1 / 0", "400 Bad Request"),
}


@pytest.mark.parametrize(("source", "post_status"), ENDINGS.values(), ids=ENDINGS)
def test_what_ends_the_process(source: str, post_status: str, tmp_path: Path) -> None:
    (tmp_path / "ending.py").write_text(source)
    commands = awslambdaric_command("ending.handler"), lampion_command()
    theirs, ours = (
        run(command, "ending.handler", [Event()], task=tmp_path, post_status=post_status) for command in commands
    )
    assert ours.exit_status == theirs.exit_status
    assert ours.exit_status is not None
    assert normalised(ours.stdout) == normalised(theirs.stdout)
    assert ours.stderr.splitlines()[-1:] == theirs.stderr.splitlines()[-1:]
    assert [compared(post) for post in ours.posts] == [compared(post) for post in theirs.posts]
