"""What was asked in the recordings of .NET functions."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.recorded import handlers
from tests.conformance.recorded.asking import Asking, shows_each
from tests.conformance.recorded.outcomes import Status
from tests.conformance.recorded.replay import CannotRun
from tests.dotnet_functions import functions_of_tests, has_dotnet

COMMON = "test_lambda_common"
HANDLER = "dotnet::Dotnet.Function::FunctionHandler"
_ECHO: Mapping[str, Any] = {"Handler": HANDLER, "MemorySize": 1024}


def dotnet_package(runtime: str) -> Mapping[str, bytes]:
    """The functions of all cases. Raises CannotRun where nothing can compile them."""
    if not has_dotnet():
        raise CannotRun(Status.NO_INTERPRETER, runtime)
    return functions_of_tests()


@shows_each(COMMON, "TestLambdaRuntimesCommon::test_introspection_invoke", "dotnet")
def _(asking: Asking, runtime: str) -> None:
    environment = {"Variables": {"TEST_KEY": "TEST_VAL"}}
    created = asking.create_active(dotnet_package(runtime), **_ECHO, Runtime=runtime, Environment=environment)
    asking.shows("create_function_result", created.form)
    asking.shows("invocation_result_payload", asking.invoke()["Payload"])
    asking.shows("invocation_result_payload_qualified", asking.invoke(Qualifier="$LATEST")["Payload"])


@shows_each(COMMON, "TestLambdaRuntimesCommon::test_uncaught_exception_invoke", "dotnet")
def _(asking: Asking, runtime: str) -> None:
    created = asking.create_active(dotnet_package(runtime), **_ECHO, Runtime=runtime)
    asking.shows("create_function_result", created.form)
    asking.shows("error_result", asking.invoke(b'{"error_msg": "some_error_msg"}'))


@shows_each(COMMON, "TestLambdaRuntimesCommon::test_runtime_wrapper_invoke", "dotnet")
def _(asking: Asking, runtime: str) -> None:
    environment = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/environment_wrapper"}}
    files: dict[str, str | bytes] = {**dotnet_package(runtime), "environment_wrapper": handlers.WRAPPER}
    package = handlers.package(files, executable=("environment_wrapper",))
    created = asking.create_active(package, **_ECHO, Runtime=runtime, Environment=environment)
    asking.shows("create_function_result", created.form)
    answer = asking.invoke()
    assert answer["Payload"] == {"WRAPPED_BY": "the wrapper", "_HANDLER": _ECHO["Handler"]}, answer


@shows_each("test_lambda_api", "TestLambdaSnapStart::test_snapstart_lifecycle", "dotnet")
def _(asking: Asking, runtime: str) -> None:
    created = asking.create_active(dotnet_package(runtime), **_ECHO, Runtime=runtime, Timeout=5)
    asking.shows("create_function_response", created.form)
    asking.shows("get_function_response_latest", asking.settled().form)
    asking.ask("PublishVersion", FunctionName=asking.name, Description="version1")
    asking.shows("get_function_response_version_1", asking.settled(f"{asking.name}:1").form)
