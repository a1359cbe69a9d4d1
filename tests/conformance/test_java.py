"""Java functions on a live server, by boto3: handlers, answers, errors, ends."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.deployment import Functions, functions
from tests.java_functions import classes_of, functions_of_tests, java_runtime


@pytest.fixture
def deploy(lambda_client: Any) -> Iterator[Functions]:
    with functions(lambda_client, "java") as made:
        yield made


def create(deploy: Functions, handler: str, files: Mapping[str, str | bytes] | None = None, **members: Any) -> str:
    """A function of the classes in tests/conformance/java; `files` come on top."""
    arguments = {"Runtime": java_runtime(), "MemorySize": 256, "Timeout": 20, **members}
    return deploy({**functions_of_tests(), **(files or {})}, Handler=f"fn.{handler}", **arguments)


def invoke(client: Any, name: str, event: object = None, **arguments: Any) -> tuple[Any, str, str | None]:
    """Payload, end of the log, FunctionError."""
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail", **arguments)
    log = base64.b64decode(answer["LogResult"]).decode()
    return json.loads(answer["Payload"].read()), log, answer.get("FunctionError")


def test_a_method_with_maps_answers_and_logs(lambda_client: Any, deploy: Functions) -> None:
    name = create(deploy, "Echo::heard")
    for number in range(3):
        payload, log, error = invoke(lambda_client, name, {"number": number})
        assert (payload, error) == ({"heard": {"number": number}}, None)
        assert "\nprinted é\nto the error stream\n" in log
        assert "\nlogged\nin two lines\n" in log
        assert "REPORT RequestId: " in log


def test_a_class_with_objects_whose_types_it_inherits(lambda_client: Any, deploy: Functions) -> None:
    """Members that are null are left out, unknown ones ignored."""
    event = {"name": "Ada", "mood": "GOOD", "friends": [{"name": "Bob", "age": 1}], "marks": {"a": 1}, "unknown": [1]}
    answer = {
        "name": "Ada",
        "age": 0,
        "mood": "GOOD",
        "friends": [{"name": "Bob", "age": 2}],
        "marks": {"a": 1, "more": 12345678901},
    }
    assert invoke(lambda_client, create(deploy, "Inheriting"), event)[0] == answer


def test_records(lambda_client: Any, deploy: Functions) -> None:
    """Java 16 and later; made by their constructor, with nulls and zeros for what isn't in the event."""
    if int(java_runtime().removeprefix("java")) < 17:
        pytest.skip("the Java on PATH is older than records")
    source = """
package fn;
public class Ordering {
    public record Item(String name, int count) {}
    public record Order(String id, java.util.List<Item> items, Item first, double total) {}
    public Order handle(Order one) { return new Order(one.id + "!", one.items, one.items.get(0), one.total); }
}
"""
    name = create(deploy, "Ordering::handle", classes_of({"fn/Ordering.java": source}, release=17))
    answer = invoke(lambda_client, name, {"id": "1", "items": [{"name": "a", "count": 2}, {"count": 3}], "total": 1.5})[
        0
    ]
    first = {"name": "a", "count": 2}
    assert answer == {"id": "1!", "items": [first, {"count": 3}], "first": first, "total": 1.5}


@pytest.mark.parametrize("runtime", ["java8.al2", "java11", "java17", "java21", "java25"])
def test_every_version_that_is_here(runtime: str, lambda_client: Any, deploy: Functions) -> None:
    """Each at least loads a class, starts as its version is started, binds objects and fails."""
    try:
        name = create(deploy, "Inheriting", Runtime=runtime)
    except WaiterError:
        pytest.skip(f"no interpreter for {runtime} on this machine")
    event = {"name": "Ada", "friends": [], "marks": {}}
    payload, log, _ = invoke(lambda_client, name, event)
    assert payload == {**event, "age": 0, "marks": {"more": 12345678901}}
    assert "warning" not in log.lower()
    failed, _, _ = invoke(lambda_client, name, {"friends": None})
    assert failed["errorType"] == "java.lang.NullPointerException"


def test_streams_and_the_context(lambda_client: Any, deploy: Functions) -> None:
    name = create(deploy, "Streaming")
    context = {"custom": {"tenant": "blé"}, "client": {"app_title": "app"}, "env": {"make": "m"}}
    sent = base64.b64encode(json.dumps(context).encode()).decode()
    event, told, memory, texts, left_ms, arn = invoke(lambda_client, name, {"a": 1}, ClientContext=sent)[0]
    assert (event, told, memory, texts) == ({"a": 1}, name, 256, "bléappm")
    assert 15_000 < left_ms <= 20_000
    assert arn == f"arn:aws:lambda:us-east-1:123456789012:function:{name}null"


SIGNATURES: dict[str, tuple[object, object]] = {
    "doubled": ("a😀", "a😀a😀"),
    "next": (4, 5),
    "same": (7, 7),
    "onlyContext": ({}, None),
    "nothing": ([], True),
    "numbers": ([1, 2.5], [1.0, 2.5]),
    "constant": ("BLOCKED", "BLOCKED"),
    "output": ({}, 7),
    "input": ({}, None),
    "none": (None, None),
    "many": ("x", "with context"),
}


@pytest.mark.parametrize("method", SIGNATURES)
def test_signatures(method: str, lambda_client: Any, deploy: Functions) -> None:
    event, answer = SIGNATURES[method]
    assert invoke(lambda_client, create(deploy, f"Signatures::{method}"), event)[::2] == (answer, None)


@pytest.mark.parametrize(
    ("handler", "event", "answer"),
    [("Boundary$Bridged::take", {"name": "typed"}, "typed"), ("Boundary::pick", "x", "context")],
)
def test_of_several_methods_of_a_name_one_is_called(
    handler: str, event: object, answer: object, lambda_client: Any, deploy: Functions
) -> None:
    """No bridge that the compiler made; of two of the same length the one with the context."""
    assert invoke(lambda_client, create(deploy, handler), event)[::2] == (answer, None)


def test_each_invocation_has_its_trace_and_a_thread_that_nobody_interrupted(
    lambda_client: Any, deploy: Functions
) -> None:
    name = create(deploy, "Boundary::around")
    told = [invoke(lambda_client, name, "")[0] for _ in range(2)]
    assert [words.rpartition(" ")[2] for words in told] == ["false", "false"]
    assert all(words.startswith("Root=1-") for words in told)
    assert told[0] != told[1]


def test_after_a_failure_of_its_disk_a_process_ends_and_a_cycle_of_causes_is_cut(
    lambda_client: Any, deploy: Functions
) -> None:
    name = create(deploy, "Boundary::fail")
    assert invoke(lambda_client, name, "")[0] == 1
    cycle, _, _ = invoke(lambda_client, name, "cycle")
    assert (cycle["errorMessage"], cycle["cause"]["errorMessage"]) == ("first", "second")
    assert "cause" not in cycle["cause"]
    log = invoke(lambda_client, name, "suppressed")[1]
    assert "Suppressed: java.lang.RuntimeException: beside it\n" in log
    assert "lampion" not in log, "frames of the runtime are cut there too"
    assert invoke(lambda_client, name, "")[0] == 4
    assert invoke(lambda_client, name, "disk")[0]["errorType"] == "java.io.IOError"
    assert invoke(lambda_client, name, "")[0] == 1


def test_an_error_of_the_handler(lambda_client: Any, deploy: Functions) -> None:
    name = create(deploy, "Failing::handle")
    payload, log, error = invoke(lambda_client, name, "luck")
    assert error == "Unhandled"
    assert (payload["errorType"], payload["errorMessage"]) == ("fn.Failing$Broke", "no luck")
    assert payload["stackTrace"][0] == "fn.Failing.handle(Failing.java:28)"
    assert not [frame for frame in payload["stackTrace"] if "lampion" in frame]
    assert payload["cause"]["errorType"] == "java.lang.IllegalStateException"
    assert list(payload) == ["errorMessage", "errorType", "stackTrace", "cause"]
    assert "\nno luck: fn.Failing$Broke\nfn.Failing$Broke: no luck\n\tat fn.Failing.handle(Failing.java:28)\n" in log
    assert "\nCaused by: java.lang.IllegalStateException: the reason\n" in log
    without_message, _, _ = invoke(lambda_client, name, "")
    assert (without_message["errorType"], without_message["errorMessage"]) == ("java.io.IOException",) * 2


def test_an_event_that_does_not_fit(lambda_client: Any, deploy: Functions) -> None:
    payload, log, error = invoke(lambda_client, create(deploy, "Echo::text"), {"a": 1})
    assert (error, payload["errorType"]) == ("Unhandled", "java.lang.RuntimeException")
    assert payload["errorMessage"] == "An error occurred during JSON parsing"
    assert payload["stackTrace"] == []
    assert payload["cause"]["errorType"] == "java.io.UncheckedIOException"
    assert "Cannot deserialize value of type `java.lang.String` from Object value" in log


def test_an_answer_that_has_no_json(lambda_client: Any, deploy: Functions) -> None:
    payload, _, _ = invoke(lambda_client, create(deploy, "Failing::sour"))
    assert payload["errorMessage"] == "An error occurred during JSON serialization of response"


HANDLERS = [
    ("Other", "Class not found: fn.Other", "java.lang.ClassNotFoundException"),
    ("Echo::other", "No public method named other with appropriate method signature found on class fn.Echo", None),
    ("Echo", "Class does not implement an appropriate handler interface: fn.Echo", None),
    ("Echo::", "Invalid handler: `fn.Echo::'", None),
    ("Failing$Made::handle", "Class fn.Failing$Made has no public zero-argument constructor", "java.lang.Exception"),
]


@pytest.mark.parametrize(("handler", "message", "error_type"), HANDLERS)
def test_handlers_that_are_none(
    handler: str, message: str, error_type: str | None, lambda_client: Any, deploy: Functions
) -> None:
    payload, log, error = invoke(lambda_client, create(deploy, handler))
    assert error == "Unhandled"
    assert payload["errorMessage"] == message
    assert payload.get("errorType") == error_type
    assert f"\n{message}" in log


BROKEN = [
    ("Unloadable", "Error loading class fn.Unloadable", "java.lang.ExceptionInInitializerError"),
    ("Unmakeable", "not made", "java.lang.IllegalStateException"),
]


@pytest.mark.parametrize(("name", "message", "error_type"), BROKEN)
def test_code_that_fails_when_it_is_loaded(
    name: str, message: str, error_type: str, lambda_client: Any, deploy: Functions
) -> None:
    function = create(deploy, f"{name}::handle")
    for _ in range(2):
        payload, log, error = invoke(lambda_client, function)
        assert (error, payload["errorMessage"], payload["errorType"]) == ("Unhandled", message, error_type)
        assert f"{message}: {error_type}\n" in log


def test_a_process_that_ends_and_one_out_of_memory(lambda_client: Any, deploy: Functions) -> None:
    name = create(deploy, "Failing::end", MemorySize=128)
    payload, _, error = invoke(lambda_client, name, "exit")
    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert "exit status 3" in payload["errorMessage"]
    payload, _, error = invoke(lambda_client, name, "fill")
    assert (error, payload["errorType"]) == ("Unhandled", "java.lang.OutOfMemoryError")
    assert invoke(lambda_client, name, "well")[::2] == ("well", None)


def test_an_exception_that_cannot_be_told_ends_the_process_whatever_threads_there_are(
    lambda_client: Any, deploy: Functions
) -> None:
    name = create(deploy, "Unspeakable::handle")
    payload, log, error = invoke(lambda_client, name)
    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert "exit status 1" in payload["errorMessage"]
    assert 'Exception in thread "main" java.lang.IllegalStateException: no message\n\tat fn.Unspeakable$Odd' in log


def test_large_events_and_answers(lambda_client: Any, deploy: Functions) -> None:
    name = create(deploy, "Echo::text", MemorySize=512)
    text = "e" * 5_000_000
    assert invoke(lambda_client, name, text)[0] == text
    payload, _, error = invoke(lambda_client, name, "too long")
    assert (error, payload["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")
    assert invoke(lambda_client, name, "well")[0] == "well"
