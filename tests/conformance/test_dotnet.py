"""Functions in .NET on a live server, by boto3: class libraries, executable assemblies, what they find around them.

Their .NET is older than any that AWS has, so the server is one that takes close runtimes.
"""

import base64
import functools
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.conformance.recorded.handlers import package as package_with_modes
from tests.conformance.test_response_streams import events
from tests.deployment import Functions, functions
from tests.dotnet_functions import dotnet_options, functions_of_tests, library, needs_dotnet, package
from tests.live_server import LiveServer

pytestmark = needs_dotnet

UTC = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
UUID = r"[0-9a-f-]{36}"


@pytest.fixture(scope="module")
def client(close_runtimes_server: LiveServer) -> Any:
    return close_runtimes_server.client()


@pytest.fixture
def deploy(client: Any) -> Iterator[Functions]:
    with functions(client, "dotnet") as made:
        yield made


def create(deploy: Functions, handler: str, **members: Any) -> str:
    """A function of tests/conformance/dotnet, or of another package given as `source`."""
    arguments = {"Runtime": "dotnet8", "MemorySize": 256, "Timeout": 20, **members}
    type_name, _, method = handler.partition(".")
    whole = f"dotnet::Fn.{type_name}::{method}" if method else handler
    return deploy(arguments.pop("source", None) or functions_of_tests(), Handler=whole, **arguments)


def invoke(client: Any, name: str, event: object = None, **arguments: Any) -> tuple[Any, str, str | None]:
    """Payload, None for an empty one, end of the log, FunctionError."""
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail", **arguments)
    log = base64.b64decode(answer["LogResult"]).decode()
    return json.loads(answer["Payload"].read() or b"null"), log, answer.get("FunctionError")


def test_a_class_library_answers_with_objects_and_the_context(client: Any, deploy: Functions) -> None:
    name = create(deploy, "Handlers.Told")
    sent = base64.b64encode(json.dumps({"custom": {"tenant": "blé"}}).encode()).decode()
    for _ in range(2):
        request, arn, group, stream, _, tenant, _, _, trace = invoke(client, name, ClientContext=sent)[0]
        assert re.fullmatch(UUID, request)
        assert arn.endswith(f":function:{name}")
        assert (group, stream[11:20], tenant) == (f"/aws/lambda/{name}", "[$LATEST]", "blé")
        assert trace.startswith("Root=1-")
    assert invoke(client, create(deploy, "Handlers.Left"))[0] <= 20_000


def test_an_error_of_the_handler_and_the_next_call(client: Any, deploy: Functions) -> None:
    name = create(deploy, "Failing.Now")
    for text in ("luck", "more"):
        payload, log, error = invoke(client, name, text)
        assert (error, payload["errorType"]) == ("Unhandled", "BrokenException")
        assert payload["errorMessage"] == f'no "{text}"\nat all'
        assert re.search(rf'\n{UTC}\t{UUID}\tfail\tFn\.BrokenException: no "{text}"\nat all\n ---> System\.Inv', log)


def test_a_handler_that_is_none(client: Any, deploy: Functions) -> None:
    name = create(deploy, "Handlers.Other")
    for _ in range(2):
        payload, log, error = invoke(client, name)
        assert (error, payload["errorType"]) == ("Unhandled", "LambdaValidationException")
        assert payload["errorMessage"].startswith("Unable to find method 'Other' in type 'Fn.Handlers' from assembly")
        assert payload["errorMessage"] in log


def test_json_logs_with_a_level(client: Any, deploy: Functions) -> None:
    name = create(deploy, "Logging.Handle", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "ERROR"})
    payload, log, error = invoke(client, name)
    assert (payload, error) == (None, None)
    records = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    own = [record for record in records if "level" in record]
    assert [record["level"] for record in own] == ["Error", "Critical", "Error", "Error"]
    assert own[0]["message"] == "to the error stream"
    assert own[0]["requestId"] == records[-1]["record"]["requestId"]


def test_a_record_of_several_lines_is_one_event(client: Any, deploy: Functions) -> None:
    name = create(deploy, "Logging.Handle")
    log = invoke(client, name)[1]
    assert re.search(rf"\n{UTC}\t{UUID}\tinfo\tprinted\nin two lines é\n{UTC}\t{UUID}\tinfo\t7\n", log)


def test_a_process_that_ends(client: Any, deploy: Functions) -> None:
    name = create(deploy, "Handlers.End")
    payload, _, error = invoke(client, name, "exit")
    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert "exit status 3" in payload["errorMessage"]
    payload, log, error = invoke(client, name, "crash")
    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert "Unhandled exception. System.InvalidOperationException: on a thread of its own" in log
    time.sleep(0.2)  # its process is ending
    assert invoke(client, name, "well")[0] == "well"


def test_a_function_that_takes_too_long(client: Any, deploy: Functions) -> None:
    name = create(deploy, "Handlers.End", Timeout=1)
    payload, _, error = invoke(client, name, "sleep")
    assert (error, payload["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert invoke(client, name, "well")[0] == "well"


def test_large_events_and_answers(client: Any, deploy: Functions) -> None:
    text = "e" * 5_000_000
    assert invoke(client, create(deploy, "Handlers.Text", MemorySize=512), text)[0] == text
    name = create(deploy, "Handlers.Sized", MemorySize=512)
    payload, _, error = invoke(client, name, 7)
    assert (error, payload["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")
    assert len(invoke(client, name, 1)[0]) == 1 << 20


def test_an_answer_in_pieces(client: Any, deploy: Functions) -> None:
    name = create(deploy, "Pieces.Handle")
    for how, error in (("plain", None), ("fail", "InvalidOperationException")):
        answer = client.invoke_with_response_stream(FunctionName=name, Payload=json.dumps(how))
        payload, complete = events(answer)
        assert (payload, complete.get("ErrorCode")) == (b"one two 4", error)


@pytest.mark.parametrize("is_executable", [False, True])
def test_a_wrapper(is_executable: bool, client: Any, deploy: Functions) -> None:
    """Gets the whole command of .NET."""
    wrapper = '#!/bin/sh\n[ "$2" = exec ] && WRAPPED="by me" exec "$@"\n'
    files = program() if is_executable else functions_of_tests()
    code = package_with_modes({**files, "wrap": wrapper}, executable={"wrap"})
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrap"}
    handler = "Program" if is_executable else "Handlers.Variable"
    name = create(deploy, handler, Code={"ZipFile": code}, Environment={"Variables": variables})
    assert invoke(client, name, "WRAPPED")[0] == "by me"


@functools.cache
def program() -> Mapping[str, bytes]:
    """An executable assembly that speaks the Runtime API itself: tells the variable that its event names."""
    return library(PROGRAM, "-target:exe", name="Program")


PROGRAM = """
using System;
using System.Linq;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
public static class Program
{
    public static async Task Main()
    {
        var api = $"http://{Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API")}/2018-06-01/runtime/invocation";
        using var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        while (true)
        {
            using HttpResponseMessage next = await client.GetAsync($"{api}/next");
            string id = next.Headers.GetValues("Lambda-Runtime-Aws-Request-Id").First();
            string name = (await next.Content.ReadAsStringAsync()).Trim('"');
            string answer = "\\"" + Environment.GetEnvironmentVariable(name) + "\\"";
            await client.PostAsync($"{api}/{id}/response", new StringContent(answer));
        }
    }
}
"""


def test_an_executable_assembly(client: Any, deploy: Functions) -> None:
    code = {"ZipFile": package_with_modes(program())}
    name = deploy("", Code=code, Handler="Program.dll", Runtime="dotnet8", MemorySize=256, Timeout=20)
    assert [invoke(client, name, "LAMBDA_RUNTIME_NAME")[0] for _ in range(2)] == ["dotnet8"] * 2


def test_an_assembly_that_takes_no_close_version(client: Any, deploy: Functions) -> None:
    """.NET goes forward to a newer one, never back: its own words tell which it wants and which there are."""
    source = package(
        "dotnet", {name: text for name, text in functions_of_tests().items() if name.endswith(".dll")}, version="8.0.0"
    )
    name = create(deploy, "Handlers.Text", source=source)
    payload, log, error = invoke(client, name, "text")
    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert "The framework 'Microsoft.NETCore.App', version '8.0.0' was not found." in log
    begun = [line for line in log.splitlines() if "INIT_START" in line]
    assert not begun or "dotnet:3.1" in begun[0]


def test_a_server_without_sandboxes(start_server: Callable[..., LiveServer]) -> None:
    client = start_server("--sandbox", "process", "--close-runtimes", *dotnet_options()).client()
    with functions(client, "dotnet") as deploy:
        assert invoke(client, create(deploy, "Handlers.Text"), "plain")[0] == "plain"
