"""What was asked in the recordings of Java functions."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.conformance.recorded import handlers
from tests.conformance.recorded.asking import Asking, shows_each
from tests.java_functions import classes

COMMON = "test_lambda_common"
_ECHO: Mapping[str, Any] = {"Handler": "echo.Handler", "MemorySize": 1024}


@functools.cache
def java_package() -> Mapping[str, bytes]:
    """The functions of all cases in one package."""
    return classes(*sorted((Path(__file__).parent / "java").rglob("*.java")))


@shows_each(COMMON, "TestLambdaRuntimesCommon::test_introspection_invoke", "java")
def _(asking: Asking, runtime: str) -> None:
    environment = {"Variables": {"TEST_KEY": "TEST_VAL"}}
    created = asking.create_active(java_package(), **_ECHO, Runtime=runtime, Environment=environment)
    asking.shows("create_function_result", created.form)
    asking.shows("invocation_result_payload", asking.invoke()["Payload"])
    asking.shows("invocation_result_payload_qualified", asking.invoke(Qualifier="$LATEST")["Payload"])


@shows_each(COMMON, "TestLambdaRuntimesCommon::test_uncaught_exception_invoke", "java")
def _(asking: Asking, runtime: str) -> None:
    created = asking.create_active(java_package(), **_ECHO, Runtime=runtime)
    asking.shows("create_function_result", created.form)
    asking.shows("error_result", asking.invoke(b'{"error_msg": "some_error_msg"}'))


@shows_each(COMMON, "TestLambdaRuntimesCommon::test_runtime_wrapper_invoke", "java")
def _(asking: Asking, runtime: str) -> None:
    environment = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/environment_wrapper"}}
    files: dict[str, str | bytes] = {**java_package(), "environment_wrapper": handlers.WRAPPER}
    package = handlers.package(files, executable=("environment_wrapper",))
    created = asking.create_active(package, **_ECHO, Runtime=runtime, Environment=environment)
    asking.shows("create_function_result", created.form)
    answer = asking.invoke()
    assert answer["Payload"] == {"WRAPPED_BY": "the wrapper", "_HANDLER": "echo.Handler"}, answer


@shows_each("test_lambda_runtimes", "TestJavaRuntimes::test_serializable_input_object", "java")
def _(asking: Asking, runtime: str) -> None:
    handler = "cloud.localstack.awssdkv1.sample.SerializedInputLambdaHandler"
    about = {"Handler": handler, "MemorySize": 128, "Timeout": 30, "Environment": {"Variables": {}}}
    asking.shows_creation("create-result", asking.create_active(java_package(), Runtime=runtime, **about))
    asking.shows("invoke-result", asking.invoke(b'{"bucket": "test_bucket", "key": "test_key"}'))


@shows_each("test_lambda_api", "TestLambdaSnapStart::test_snapstart_lifecycle", "java")
def _(asking: Asking, runtime: str) -> None:
    created = asking.create_active(java_package(), **_ECHO, Runtime=runtime, Timeout=5)
    asking.shows("create_function_response", created.form)
    asking.shows("get_function_response_latest", asking.settled().form)
    asking.ask("PublishVersion", FunctionName=asking.name, Description="version1")
    asking.shows("get_function_response_version_1", asking.settled(f"{asking.name}:1").form)
