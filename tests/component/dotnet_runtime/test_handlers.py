"""Handlers of class libraries: every form of method, what can't be one, what comes of errors; by what is posted."""

import re
from pathlib import Path

import pytest

from tests.component.dotnet_runtime.dotnet_process import answer, run_dotnet
from tests.component.python_runtime.fake_runtime_api import Event
from tests.dotnet_functions import CORE, functions_of_tests, interfaces, library, needs_dotnet

pytestmark = needs_dotnet

ADA = {"Name": "Ada", "Age": 36, "Friends": [{"Name": "Bob", "Age": 1, "Friends": None}]}
HANDLERS: dict[str, tuple[object, object]] = {
    "Handlers.Older": (ADA, {**ADA, "Age": 37}),
    "Handlers.Later": ("later é😀", "later é😀$LATEST"),
    "Handlers.Wrapped": (21, 42),
    "Handlers.Nothing": ("text", None),
    "Handlers.Silent": ({}, None),
    "Handlers.Fixed": ({}, "static"),
    "Handlers.Hidden": ({}, "hidden 128"),
    "Handlers.Streamed": ({"a": 1}, [{"a": 1}]),
    "Handlers.StreamedLater": ("b", ["b"]),
    "Handlers.Bytes": ("AQID", "AwIB"),
    "Handlers.Own": (5, {"by": "the method's", "response": 5}),
    "Handlers.Int32 Overloaded(Int32)": (8, 8),
    "Handlers.System.String Overloaded(System.String)": ("a", "a!"),
    "Derived.Wrapped": (3, 6),
    "Value.Count": (2, 2),
}


@pytest.mark.parametrize("handler", HANDLERS)
def test_handlers_of_every_form(handler: str) -> None:
    event, expected = HANDLERS[handler]
    ran = run_dotnet(handler, event)
    assert answer(ran) == expected
    assert (ran.posts[-1].path.rpartition("/")[2], ran.exit_status) == ("response", None)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_one_object_and_one_connection_serve_all_events(is_chunked: bool) -> None:
    ran = run_dotnet("Handlers.Calls", *[Event(b'{"a": "bcdefghijk"}', is_chunked=is_chunked)] * 3)
    assert [post.body for post in ran.posts] == [b"1", b"2", b"3"]
    assert ran.connections == 1


def test_the_context_of_the_newest_version_that_is_known() -> None:
    tenant = {"Lambda-Runtime-Aws-Tenant-Id": "blue"}
    assert answer(run_dotnet("Newer.Told", Event(headers=tenant))) == "True TextJsonSerializer blue 1 False"


def test_the_context_of_the_first_version(tmp_path: Path) -> None:
    for name, content in {**functions_of_tests(), CORE: interfaces(is_first_version=True)}.items():
        (tmp_path / name).write_bytes(content)
    context = '{"custom": {"tenant": "bl\u00e9", "number": 1}, "client": {"app_title": "app"}, "env": {"make": "m"}}'
    identity = '{"cognitoIdentityId": "id", "cognitoIdentityPoolId": "pool"}'
    headers = {"Lambda-Runtime-Client-Context": context, "Lambda-Runtime-Cognito-Identity": identity}
    told = answer(run_dotnet("Handlers.Told", Event(headers=headers), directory=tmp_path))
    assert told[2:8] == [
        "/aws/lambda/table",
        "2026/11/21/[$LATEST]0123456789abcdef0123456789abcdef",
        "app",
        "blé",
        "m",
        "id",
    ]
    assert told[8].startswith("Root=1-5bef4de7")
    told = answer(run_dotnet("Handlers.Told", directory=tmp_path))
    assert told[4:8] == [None] * 4


def test_an_error_of_the_handler() -> None:
    ran = run_dotnet("Failing.Now", "luck", "more")
    told = answer(ran)
    assert list(told) == ["errorType", "errorMessage", "stackTrace", "cause"]
    assert (told["errorType"], told["errorMessage"]) == ("BrokenException", 'no "more"\nat all')
    assert re.match(r"at Fn\.Failing\.Now\(String text\) in .*Failing\.cs:line \d+$", told["stackTrace"][0])
    assert (told["cause"]["errorType"], told["cause"]["errorMessage"]) == ("InvalidOperationException", "the reason")
    post = ran.posts[-1]
    assert post.path.endswith("/error")
    assert post.headers["lambda-runtime-function-error-type"] == "BrokenException"
    assert '"exceptions":[{"type":"BrokenException"' in post.headers["lambda-runtime-function-xray-error-cause"]
    assert '"label":"Failing.Now"}' in post.headers["lambda-runtime-function-xray-error-cause"]


def test_an_error_without_a_message() -> None:
    told = answer(run_dotnet("Failing.Silently"))
    assert (told["errorType"], "errorMessage" in told) == ("SilentException", False)


def test_errors_of_a_task_and_several_at_once() -> None:
    told = answer(run_dotnet("Failing.Later", "gone é"))
    assert (told["errorType"], told["errorMessage"]) == ("FileNotFoundException", "gone é")
    told = answer(run_dotnet("Failing.Several", "no"))
    assert told["errorMessage"] == "One or more errors occurred. (no one) (no two)"
    assert told["cause"]["errorMessage"] == "no one"
    assert [cause["errorMessage"] for cause in told["causes"]] == ["no one", "no two"]


def test_an_error_that_is_too_long_to_tell() -> None:
    told = answer(run_dotnet("Failing.Huge", 300_000))
    assert told == {"errorMessage": "Exception exceeded maximum payload size of 256KB."}


def test_events_and_answers_that_do_not_fit() -> None:
    assert answer(run_dotnet("Handlers.Older", [1]))["errorType"] == "JsonException"
    assert answer(run_dotnet("Failing.Unwritable"))["errorType"] == "NotSupportedException"


CANNOT = "cannot be used as a Lambda Handler because it is"
INVALID = "Invalid lambda function handler: "
VALID = "The valid format is 'ASSEMBLY::TYPE::METHOD'."
REFUSED = {
    "dotnet::Fn.Other::Handle": "Unable to load type 'Fn.Other' from assembly 'dotnet'.",
    "dotnet::Fn.Handlers::Other": (
        "Unable to find method 'Other' in type 'Fn.Handlers' from assembly 'dotnet': "
        "Found no methods matching method name 'Other'."
    ),
    "dotnet::Fn.Handlers::Overloaded": (
        "The method 'Overloaded' in type 'Fn.Handlers' appears to have a number of overloads. To call this "
        "method please "
        "specify a complete method signature. Possible candidates are:\n"
        "Int32 Overloaded(Int32)\nSystem.String Overloaded(System.String)."
    ),
    "other::Fn.Handlers::Text": (
        "Could not find the specified handler assembly with the file name 'other, Culture=neutral, "
        "PublicKeyToken=null'. "
        "The assembly should be located in the root of your uploaded .zip file."
    ),
    "dotnet::Fn.Handlers": f"{INVALID}'dotnet::Fn.Handlers'. {VALID}",
    "dotnet::::Text": f"{INVALID}'dotnet::::Text', the type is missing. {VALID}",
    "dotnet::Fn.Handlers::": f"{INVALID}'dotnet::Fn.Handlers::', the method is missing. {VALID}",
    "dotnet::Fn.Handlers::Sum": (
        "Method 'Sum' of type 'Fn.Handlers' is not supported: the method has 2 parameters, but the second "
        "parameter is not "
        "of type 'Amazon.Lambda.Core.ILambdaContext'."
    ),
    "dotnet::Fn.Handlers::Three": (
        "Method 'Three' of type 'Fn.Handlers' is not supported: the method has more than 2 parameters."
    ),
    "dotnet::Fn.Handlers::Many": (
        f"The method 'Int32 Many(Int32[])' {CANNOT.removesuffix(' is')} is a 'params' method. Please specify "
        "a method that "
        "does not use 'params'."
    ),
    "dotnet::Fn.Handlers::Generic": (
        f"The method 'T Generic[T](T)' {CANNOT} a generic method. Handler methods cannot be generic. Please specify a "
        "non-generic handler method."
    ),
    "dotnet::Fn.Handlers::Lost": (
        f"The method 'Void Lost()' {CANNOT} an 'async void' method. Handler methods cannot be 'async void'. "
        "Please specify "
        "a method that is not 'async void'."
    ),
    "dotnet::Fn.Unfinished::Handle": (
        f"The method 'System.String Handle()' {CANNOT} an abstract method. Handler methods cannot be abstract. Please "
        "specify a non-abstract handler method."
    ),
    "dotnet::Fn.Unfinished::Instance": (
        "The instance method 'System.String Instance()' cannot be used as a Lambda Handler because its type "
        "'Fn.Unfinished' is abstract. Please either use a static handler or specify a type that is not abstract."
    ),
    "dotnet::Fn.Generic`1::Handle": (
        "The type 'Fn.Generic`1' cannot be used as a Lambda Handler type because it is generic. Handler "
        "methods cannot be "
        "located in generic types. Please specify a handler method in a non-generic type."
    ),
}


@pytest.mark.parametrize("handler", REFUSED)
def test_handlers_that_are_none(handler: str) -> None:
    """Said in AWS's words, to the Runtime API and in the log; then the process ends."""
    ran = run_dotnet(handler, variables={"LAMBDA_DOTNET_MAIN_ASSEMBLY": "dotnet.dll"})
    (post,) = ran.posts
    assert post.path.endswith("/init/error")
    told = answer(ran)
    assert (told["errorType"], told["errorMessage"]) == ("LambdaValidationException", REFUSED[handler])
    assert f"RuntimeSupport.ExceptionHandling.LambdaValidationException: {REFUSED[handler]}\n" in ran.stdout
    assert (ran.exit_status, ran.stderr) == (1, "")


ALONE = """
using System.IO;
public class Alone
{
    public string Text(string text) => text;
    public Stream Echo(Stream input) => input;
}
"""


def test_a_library_that_brings_nothing_of_aws(tmp_path: Path) -> None:
    for name, content in library(ALONE).items():
        (tmp_path / name).write_bytes(content)
    assert answer(run_dotnet("Alone::Alone::Echo", {"a": [1]}, directory=tmp_path)) == {"a": [1]}
    told = answer(run_dotnet("Alone::Alone::Text", "a", directory=tmp_path))
    assert told["errorMessage"] == (
        "Could not find the LambdaSerializerAttribute on the assembly 'Alone' or method 'Text' while attempting to "
        "deserialize input data of type 'System.String'. To use types other than System.IO.Stream as input/output "
        "parameters, the assembly or Lambda function should be annotated with "
        "Amazon.Lambda.Core.LambdaSerializerAttribute."
    )


BROKEN = {
    "Unmakeable": ("TargetInvocationException", "InvalidOperationException", "not made"),
    "Unloadable": ("TypeInitializationException", "FormatException", "Input string was not in a correct format."),
    "Incomplete": ("MissingMethodException", None, None),
}


@pytest.mark.parametrize("type_name", BROKEN)
def test_code_that_fails_when_it_is_loaded(type_name: str) -> None:
    ran = run_dotnet(f"{type_name}.Handle")
    assert ran.posts[-1].path.endswith("/init/error")
    told = answer(ran)
    cause = told.get("cause", {})
    assert (told["errorType"], cause.get("errorType"), cause.get("errorMessage")) == BROKEN[type_name]


@pytest.mark.parametrize(("missing", "status"), [("deps", 105), ("runtimeconfig", 106)])
def test_what_the_package_lacks_is_said_in_awss_words(missing: str, status: int, tmp_path: Path) -> None:
    for name, content in functions_of_tests().items():
        if f".{missing}." not in name:
            (tmp_path / name).write_bytes(content)
    ran = run_dotnet("Handlers.Text", directory=tmp_path)
    assert ran.exit_status == status
    assert f"The {tmp_path} directory is missing the required .{missing}.json file." in ran.stdout
