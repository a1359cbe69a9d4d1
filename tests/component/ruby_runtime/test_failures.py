"""What becomes of a Ruby function's failures: types, texts, traces and exit statuses of AWS's runtime client."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.component.python_runtime.fake_runtime_api import Event, FakeRuntimeApi
from tests.component.ruby_runtime.ruby_process import RUNTIME, answer, command, handler, paths, run_source

INVALID = (
    "Invalid handler {}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where FILENAME corresponds with an "
    "existing Ruby source file FILENAME.rb, CLASS is an optional module/class namespace and METHOD is a callable "
    "method. If using CLASS, METHOD must be a class-level method."
)
HANDLER_FAILED, ANSWER_FAILED, INIT_FAILED = 255, 254, 252


def test_an_error_names_its_class_its_message_and_its_frames(tmp_path: Path) -> None:
    source = "class Mine < StandardError; end\ndef inner\n  raise Mine, 'no such luck'\nend\n" + handler("inner")
    ran = run_source(source, tmp_path, Event(), Event())
    assert paths(ran) == ["error", "error"]
    told = answer(ran)
    assert {**told, "stackTrace": []} == {
        "errorMessage": "no such luck",
        "errorType": "Function<Mine>",
        "stackTrace": [],
    }
    assert told["stackTrace"][0].startswith(f"{tmp_path}/function.rb:3:in ")
    assert "call_handler" in told["stackTrace"][2]
    assert ran.posts[0].headers["lambda-runtime-function-error-type"] == "Function<UserException>"
    cause: dict[str, Any] = json.loads(ran.posts[0].headers["lambda-runtime-function-xray-error-cause"])
    (exception,) = cause["exceptions"]
    assert (exception["type"], exception["message"]) == ("Function<Mine>", "no such luck")
    assert exception["stack"][0]["path"] == f"{tmp_path}/function.rb"
    assert (cause["working_directory"], len(exception["stack"]) <= 15) == (str(tmp_path), True)


def test_of_a_long_trace_a_hundred_frames_are_told_and_fifteen_to_x_ray(tmp_path: Path) -> None:
    source = "def deeper(n) = n.zero? ? raise('deep') : deeper(n - 1)\n" + handler("deeper(200)")
    ran = run_source(source, tmp_path)
    assert len(answer(ran)["stackTrace"]) == 100
    (exception,) = json.loads(ran.posts[0].headers["lambda-runtime-function-xray-error-cause"])["exceptions"]
    assert len(exception["stack"]) == 15


def test_x_ray_is_told_no_cause_of_a_megabyte(tmp_path: Path) -> None:
    """A header is no place for it."""
    ran = run_source(handler("raise 'x' * 1_048_576"), tmp_path)
    assert len(answer(ran)["errorMessage"]) == 1_048_576
    assert "lambda-runtime-function-xray-error-cause" not in ran.posts[0].headers


RESCUED = {
    "raise ArgumentError, 'a'": ("Function<ArgumentError>", "Function<ArgumentError>", "a"),
    "raise 'own'": ("Function<RuntimeError>", "Function<UserException>", "own"),
    "raise": ("Function<RuntimeError>", "Function<UserException>", ""),
    "'x'.freeze << 'y'": ("Function<FrozenError>", "Function<UserException>", "can't modify frozen String"),
    "{a: Float::NAN}": ("Function<JSON::GeneratorError>", "Function<UserException>", "NaN"),
    '"\\xff"': ("Function<JSON::GeneratorError>", "Function<UserException>", ""),
    "a = []; a << a; a": ("Function<JSON::NestingError>", "Function<UserException>", "too deep"),
    'raise IOError.new("\\xff")': ("Function<IOError>", "Function<UserException>", "\ufffd"),
    'raise IOError.new("\\xc3\\xbc".b)': ("Function<IOError>", "Function<UserException>", "\u00fc"),
    "class Odd < StandardError; def message = :odd; end; raise Odd": (
        "Function<Odd>",
        "Function<UserException>",
        "odd",
    ),
    "class Mute < StandardError; def message = nil; end; raise Mute": (
        "Function<Mute>",
        "Function<UserException>",
        None,
    ),
    "raise IOError.new('ice').freeze": ("Function<IOError>", "Function<UserException>", "ice"),
    'raise "two\\nlines"': ("Function<RuntimeError>", "Function<UserException>", "two\nlines"),
}


def test_after_an_error_the_handler_is_called_again(tmp_path: Path) -> None:
    events = [Event(json.dumps(body).encode()) for body in RESCUED]
    ran = run_source(handler("eval(event)"), tmp_path, *events)
    assert (paths(ran), ran.exit_status) == (["error"] * len(events), None)
    for post, (error_type, header, message) in zip(ran.posts, RESCUED.values(), strict=True):
        told = json.loads(post.body)
        assert told["errorType"] == error_type
        assert told["errorMessage"] == message if message is None else message in told["errorMessage"]
        assert post.headers["lambda-runtime-function-error-type"] == header


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        ("undefined_name", "Function<NameError>"),
        ("nil.nothing", "Function<NoMethodError>"),
        ("exit 3", "Function<SystemExit>"),
        ("def down(n) = down(n + 1) + 1\ndown(0)", "Function<SystemStackError>"),
        ("raise Exception, 'e'", "Function<Exception>"),
        ("Process.kill(:TERM, $$); sleep 5", "Function<SignalException>"),
    ],
)
def test_what_is_not_to_be_rescued_ends_the_process_once_it_is_told(tmp_path: Path, body: str, error_type: str) -> None:
    ran = run_source("at_exit { $stdout.puts 'at exit' }\n" + handler(body), tmp_path, Event(), Event(), telemetry=True)
    assert (paths(ran), ran.exit_status) == (["error"], HANDLER_FAILED)
    told = answer(ran)
    assert told["errorType"] == error_type
    known = "Function<UserException>" if "SignalException" in error_type else error_type
    assert ran.posts[0].headers["lambda-runtime-function-error-type"] == known
    assert len(told["stackTrace"]) <= 100
    assert ran.frames[0].text == "Critical exception from handler\n"
    assert json.loads(ran.frames[1].text) == told
    assert "at exit\n" in ran.stdout


def test_a_process_may_end_at_once(tmp_path: Path) -> None:
    ran = run_source("at_exit { $stdout.puts 'at exit' }\n" + handler("exit! 7"), tmp_path)
    assert (paths(ran), ran.exit_status, ran.stdout) == ([], 7, "")


def test_an_answer_that_cannot_be_read_is_the_runtimes_failure(tmp_path: Path) -> None:
    ran = run_source(handler("file = File.open(__FILE__); file.close; file"), tmp_path, Event(), Event())
    assert (paths(ran), ran.exit_status) == (["error"], ANSWER_FAILED)
    assert answer(ran)["errorType"] == "Runtime<IOError>"


@pytest.mark.parametrize(
    ("name", "source", "error_type", "message"),
    [
        ("far.too.long.a", "", "Init<ArgumentError>", INVALID.format('["far", "too", "long", "a"]')),
        ("", "", "Init<ArgumentError>", INVALID.format("[]")),
        ("nowhere.handler", "", "Init<LoadError>", "cannot load such file -- nowhere"),
        ("function.handler", "require 'missing'", "Init<LoadError>", "cannot load such file -- missing"),
        ("function.handler", "def (", "Init<SyntaxError>", "function.rb"),
        ("function.handler", "raise 'at load'", "Init<RuntimeError>", "at load"),
        ("function.handler", "exit 0", "Init<SystemExit>", "exit"),
    ],
)
def test_a_function_that_cannot_be_loaded_says_so(
    tmp_path: Path, name: str, source: str, error_type: str, message: str
) -> None:
    ran = run_source(source, tmp_path, handler=name, telemetry=True)
    assert (paths(ran), ran.exit_status) == (["error"], INIT_FAILED)
    assert ran.posts[0].path == "/2018-06-01/runtime/init/error"
    told = answer(ran)
    assert told["errorType"] == error_type
    assert message in told["errorMessage"]
    assert ran.frames[0].text == "Init error when loading handler \n"
    assert json.loads(ran.frames[1].text) == told


@pytest.mark.parametrize(
    ("name", "error_type"),
    [
        ("function.absent", "Function<NoMethodError>"),
        ("function.Absent.handler", "Function<NameError>"),
        ("function.String.absent", "Function<NoMethodError>"),
    ],
)
def test_a_method_that_is_not_there_shows_when_it_is_called(tmp_path: Path, name: str, error_type: str) -> None:
    ran = run_source(handler("1"), tmp_path, handler=name)
    assert (paths(ran), ran.exit_status) == (["error"], HANDLER_FAILED)
    told = answer(ran)
    assert told["errorType"] == error_type
    if name == "function.absent":
        assert "LambdaHandler" in told["errorMessage"]
    assert ran.posts[0].headers["lambda-runtime-function-error-type"] == error_type


@pytest.mark.parametrize(
    "event", [Event(b"[" * 101 + b"]" * 101), Event(headers={"Lambda-Runtime-Client-Context": "{no"})]
)
def test_what_the_runtime_cannot_read_ends_it(tmp_path: Path, event: Event) -> None:
    """As AWS's runtime does, it takes all that isn't the handler's for a failed init."""
    ran = run_source(handler("1"), tmp_path, event)
    assert (ran.posts[0].path, ran.exit_status) == ("/2018-06-01/runtime/init/error", INIT_FAILED)
    assert answer(ran)["errorType"].startswith("Init<JSON::")


def test_an_answer_that_is_refused_is_the_platforms_affair(tmp_path: Path) -> None:
    ran = run_source(handler("1"), tmp_path, Event(), Event(), post_status="413 Too Large", drop=True)
    assert paths(ran) == ["response", "response"]


@pytest.mark.parametrize(
    ("missing", "status", "text"),
    [
        ("_HANDLER", 0, "No handler specified, exiting Runtime Interface Client.\n"),
        (
            "AWS_LAMBDA_RUNTIME_API",
            254,
            "Failed to get runtime server address from AWS_LAMBDA_RUNTIME_API env variable\n",
        ),
    ],
)
def test_an_environment_without_what_is_needed(tmp_path: Path, missing: str, status: int, text: str) -> None:
    variables = {"_HANDLER": "function.handler", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"}
    del variables[missing]
    ended = subprocess.run(
        command(), env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False
    )
    assert (ended.returncode, ended.stdout) == (status, text)


def test_being_asked_to_end_between_invocations(tmp_path: Path) -> None:
    (tmp_path / "function.rb").write_text("at_exit { $stdout.puts 'at exit' }\n" + handler("1"))
    with FakeRuntimeApi([Event()]) as api:
        variables = {"_HANDLER": "function.handler", "AWS_LAMBDA_RUNTIME_API": api.address}
        with subprocess.Popen(command(), env=variables, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
            assert api.exhausted.wait(20)
            time.sleep(0.1)  # until it waits for an answer
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=20)
    expected = "Next invocation HTTP request from the runtime interface client was interrupted with a SIGTERM SIGNAL, "
    assert (process.returncode, output) == (0, f"{expected}gracefully shutting down.\nat exit\n")


def test_an_exec_wrapper_that_is_not_there_or_may_not_run(tmp_path: Path) -> None:
    def wrapped(wrapper: Path) -> tuple[int, str]:
        ended = subprocess.run(
            ["/bin/sh", str(RUNTIME / "wrapped.sh"), "/bin/true"],
            env={"AWS_LAMBDA_EXEC_WRAPPER": str(wrapper)}, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        return ended.returncode, ended.stdout

    (tmp_path / "plain").write_text("#!/bin/sh\n")
    assert wrapped(tmp_path / "none") == (127, f"{tmp_path}/none: does not exist\n")
    assert wrapped(tmp_path / "plain") == (126, f"{tmp_path}/plain: is not an executable\n")
