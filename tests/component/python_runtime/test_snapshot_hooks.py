"""Hooks around a snapshot: our runtime and AWS's own client, given the same function, do and say the same."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
import snapshot_restore_py as theirs  # type: ignore[import-untyped]

from tests.component.python_runtime.fake_runtime_api import Event
from tests.component.python_runtime.runtime_process import (
    RUNTIME,
    Ran,
    awslambdaric_command,
    every_python,
    lampion_command,
    normalised,
    run,
)

SNAP_START = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
HOOKS = """
import os
from snapshot_restore_py import register_after_restore as after, register_before_snapshot as before
def say(*words, **named): print(*words, *named.items(), flush=True)
def handler(event, context): return 1
"""


def both(source: str, directory: Path) -> tuple[Ran, Ran]:
    """AWS's client and ours, with a snapshot that is taken at once."""
    (directory / "code.py").write_text(HOOKS + source)
    environ = {**SNAP_START, "PYTHONPATH": str(directory)}
    answers = [Event(b"")]
    aws = run(awslambdaric_command("code.handler"), "code.handler", answers, task=directory, environ=environ)
    return aws, run(lampion_command(), "code.handler", answers, task=directory, environ=environ)


def said(ran: Ran, directory: Path) -> object:
    posts = [
        (post.path, normalised(post.body.decode()), post.headers.get("lambda-runtime-function-error-type"))
        for post in ran.posts
    ]
    text = normalised(ran.stdout).replace(str(directory), "/var/task")
    return text, posts, ran.exit_status, ran.first_get and ran.first_get.path


CASES = {
    "order": (
        "before(say, 'before 1'); before(say, 'before 2', a=1)\n"
        "after(say, 'after 1', b=2); after(say, 'after 2'); after(os._exit, 7)",
        7,
    ),
    "decorators": ("@before\ndef one(): say('one')\n@after\ndef two(): say('two')\nafter(os._exit, 0)", 0),
    "a hook that registers another one": ("before(lambda: before(say, 'later'))\nafter(os._exit, 3)", 3),
    "a failing hook before": ("@before\ndef close(): raise ValueError('a \"quoted\" one')", 64),
    "a failing hook after": ("@after\ndef connect(): raise KeyError('nobody')", 65),
    "an exit before": ("@before\ndef leave(): raise SystemExit(3)", 64),
    "an exit after": ("@after\ndef leave(): raise SystemExit", 65),
    "an interrupt after": ("@after\ndef interrupt(): raise KeyboardInterrupt('now')", 65),
}


@pytest.mark.parametrize(("source", "exit_status"), CASES.values(), ids=CASES)
def test_hooks_do_what_they_do_with_awss_runtime(source: str, exit_status: int, tmp_path: Path) -> None:
    aws, ours = both(source, tmp_path)
    assert said(ours, tmp_path) == said(aws, tmp_path)
    assert ours.exit_status == exit_status
    assert ours.first_get is not None or "before" in source


def test_failures_are_posted_with_awss_types_and_stack_traces(tmp_path: Path) -> None:
    _, ours = both("@after\ndef connect(): raise KeyError('nobody')", tmp_path)
    (post,) = ours.posts
    assert post.path == "/2018-06-01/runtime/restore/error"
    assert post.headers["lambda-runtime-function-error-type"] == "Runtime.AfterRestoreError"
    body = json.loads(post.body)
    assert (body["errorType"], body["errorMessage"]) == ("KeyError", "'nobody'")
    assert "in connect" in body["stackTrace"][-1]


@every_python
def test_every_interpreter_passes_through_its_snapshot(python: str, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(
        HOOKS + "before(say, 'before', os.getpid())\nafter(say, 'after'); after(os._exit, 5)"
    )
    ran = run(lampion_command(python), "code.handler", [Event(b"")], task=tmp_path, environ=SNAP_START)
    assert ran.exit_status == 5, ran.stderr
    assert [line.split()[0] for line in ran.stdout.splitlines()] == ["before", "after"]


def test_without_snap_start_no_hook_runs(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(HOOKS + "before(say, 'before'); after(say, 'after')")
    ran = run(lampion_command(), "code.handler", [Event()], task=tmp_path)
    assert (ran.stdout, json.loads(ran.posts[0].body)) == ("", 1)


def test_a_refused_snapshot_is_told_and_ends_the_runtime(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(HOOKS)
    refusal = Event(b"{}")
    refused = type("Refused", (), {"encode": lambda self: refusal.encode().replace(b"200 OK", b"403 Forbidden")})()
    ran = run(lampion_command(), "code.handler", [refused], task=tmp_path, environ=SNAP_START)
    assert ran.exit_status == 64
    assert ran.posts[0].headers["lambda-runtime-function-error-type"] == "Runtime.BeforeSnapshotError"


def our_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("our_snapshot_restore_py", RUNTIME / "snapshot_restore_py.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_module_offers_what_the_package_on_aws_offers() -> None:
    ours = our_module()
    public = {name for name in vars(theirs) if not name.startswith("_") and callable(getattr(theirs, name))}
    assert {"register_before_snapshot", "register_after_restore", "get_before_snapshot", "get_after_restore"} <= public
    assert ours.__all__ == theirs.__all__
    for module in (ours, theirs):
        registries = (module.get_before_snapshot(), module.get_after_restore())
        assert module.register_before_snapshot(print, 1, sep="x") is print
        assert module.register_after_restore(len, (2,)) is len
        assert module.get_before_snapshot() is registries[0]
        assert registries[0].pop() == (print, (1,), {"sep": "x"})
        assert registries[1].pop() == (len, ((2,),), {})
