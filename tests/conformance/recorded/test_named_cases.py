"""Cases of which only the name is recorded: what the name promises is asked for."""

import json
import re
from typing import Any

import pytest

from tests.conformance.recorded import handlers
from tests.conformance.recorded.asked_dotnet import HANDLER as DOTNET_HANDLER
from tests.conformance.recorded.asked_dotnet import dotnet_package
from tests.conformance.recorded.asked_java import java_package
from tests.conformance.recorded.recordings import recorded_answers
from tests.conformance.recorded.replay import CannotRun, ask_until_settled
from tests.deployment import Source, creation, unique_name, zipped
from tests.live_server import LiveServer

MIB = 1024 * 1024
ECHOING = sorted(
    name.partition("[")[2][:-1]
    for name in recorded_answers("test_lambda_common")
    if re.match(r"TestLambdaRuntimesCommon::test_echo_invoke\[(python|nodejs|java|provided|ruby|dotnet)", name)
)
CLOSE = ("ruby", "java", "dotnet")
"""Which are asked where a close runtime serves."""

OWN_HANDLERS = {"java": "echo.Handler", "dotnet": DOTNET_HANDLER}
RUNTIMES = [runtime for runtime in ECHOING if runtime.startswith("python")]
PAYLOADS: list[Any] = [{"foo": "bar", "n": [1, 2.5, None, True]}, [], "text ü", 3, 1.5, True, None, {}]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _echoing(runtime: str) -> Source | bytes:
    """Code that answers with what it gets."""
    if runtime.startswith("provided"):
        return handlers.CUSTOM_RUNTIME
    if runtime.startswith("java"):
        return java_package()
    if runtime.startswith("dotnet"):
        return dotnet_package(runtime)
    if runtime.startswith("ruby"):
        return {"index.rb": handlers.RUBY_ECHO}
    return {"index.js": handlers.NODEJS_ECHO} if runtime.startswith("nodejs") else handlers.ECHO


def made_with(client: Any, source: Source | bytes, runtime: str) -> str:
    """A function of that runtime; skips where nothing runs it."""
    name = unique_name("named")
    own = (name for language, name in OWN_HANDLERS.items() if runtime.startswith(language))
    handler = next(own, "index.handler")
    code = {"ZipFile": source if isinstance(source, bytes) else zipped(source)}
    client.create_function(**creation(name, "", Runtime=runtime, Handler=handler, Code=code))
    try:
        ask_until_settled(client, "GetFunctionConfiguration", {"FunctionName": name})
    except CannotRun as error:
        client.delete_function(FunctionName=name)
        pytest.skip(f"{error.status.value}: {error.reason}")
    return name


@pytest.mark.parametrize("runtime", [runtime for runtime in ECHOING if not runtime.startswith(CLOSE)])
def test_a_payload_comes_back_as_it_was_sent(lambda_client: Any, runtime: str) -> None:
    check_echo(lambda_client, runtime)


@pytest.mark.parametrize("runtime", [runtime for runtime in ECHOING if runtime.startswith(CLOSE)])
def test_a_payload_comes_back_from_a_close_runtime_too(close_runtimes_server: LiveServer, runtime: str) -> None:
    check_echo(close_runtimes_server.client(), runtime)


def check_echo(client: Any, runtime: str) -> None:
    try:
        source = _echoing(runtime)
    except CannotRun as error:
        pytest.skip(f"{error.status.value}: {error.reason}")
    name = made_with(client, source, runtime)
    for payload in PAYLOADS:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(payload))
        assert "FunctionError" not in answer
        assert json.load(answer["Payload"]) == payload
    client.delete_function(FunctionName=name)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_interpreter_is_of_the_runtimes_version(lambda_client: Any, runtime: str) -> None:
    name = made_with(lambda_client, handlers.VERSION, runtime)
    answer = lambda_client.invoke(FunctionName=name, Payload=b"{}")
    assert json.load(answer["Payload"]) == {"version": runtime}
    lambda_client.delete_function(FunctionName=name)


def test_a_large_payload_comes_back(lambda_client: Any, make_function: Any) -> None:
    payload = {"test": "test123456" * (5 * MIB // 10)}
    answer = lambda_client.invoke(FunctionName=make_function(handlers.ECHO), Payload=json.dumps(payload))
    assert "FunctionError" not in answer
    assert json.load(answer["Payload"]) == payload


def test_a_large_answer_arrives(lambda_client: Any, make_function: Any) -> None:
    name = make_function(handlers.LARGE_ANSWER)
    answer = lambda_client.invoke(FunctionName=name, Payload=json.dumps({"bytes": 6 * MIB}))
    assert "FunctionError" not in answer
    assert len(answer["Payload"].read()) == 6 * MIB


def test_every_answer_carries_a_uuid_as_its_request_id(lambda_client: Any, make_function: Any) -> None:
    name = make_function(handlers.NOTHING)
    listed, invoked = lambda_client.list_functions(), lambda_client.invoke(FunctionName=name)
    ids = [answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"] for answer in (listed, invoked)]
    assert all(UUID.fullmatch(one) for one in ids)
    assert len(set(ids)) == len(ids)
