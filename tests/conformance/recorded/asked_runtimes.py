"""What was asked in the recordings that hold for every runtime: of those that run here all, of others the creation."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.recorded import handlers
from tests.conformance.recorded.asking import Asking, shows_each

FILE = "test_lambda_common"
_NODEJS: Mapping[str, Any] = {"Handler": "index.handler", "MemorySize": 1024}
_RUBY: Mapping[str, Any] = {"Handler": "function.handler", "MemorySize": 1024}
_CUSTOM: Mapping[str, Any] = {"Handler": "function.handler", "MemorySize": 1024}


@shows_each(FILE, "TestLambdaRuntimesCommon::test_introspection_invoke", "python")
def _(asking: Asking, runtime: str) -> None:
    environment = {"Variables": {"TEST_KEY": "TEST_VAL"}}
    created = asking.create_active(handlers.INTROSPECTION, Runtime=runtime, MemorySize=1024, Environment=environment)
    asking.shows("create_function_result", created.form)
    asking.shows("invocation_result_payload", asking.invoke()["Payload"])
    asking.shows("invocation_result_payload_qualified", asking.invoke(Qualifier="$LATEST")["Payload"])


@shows_each(FILE, "TestLambdaRuntimesCommon::test_uncaught_exception_invoke", "python")
def _(asking: Asking, runtime: str) -> None:
    created = asking.create_active(handlers.RAISE, Runtime=runtime, MemorySize=1024)
    asking.shows("create_function_result", created.form)
    asking.shows("error_result", asking.invoke(b'{"error_msg": "some_error_msg"}'))


@shows_each(FILE, "TestLambdaRuntimesCommon::test_runtime_wrapper_invoke", "python")
def _(asking: Asking, runtime: str) -> None:
    environment = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/environment_wrapper"}}
    files = {"handler.py": handlers.WRAPPED, "environment_wrapper": handlers.WRAPPER}
    package = handlers.package(files, executable=("environment_wrapper",))
    created = asking.create_active(package, Runtime=runtime, MemorySize=1024, Environment=environment)
    asking.shows("create_function_result", created.form)
    answer = asking.invoke()
    assert answer["Payload"] == {"WRAPPED_BY": "the wrapper", "_HANDLER": "handler.handler"}, answer


@shows_each(FILE, "TestLambdaRuntimesCommon::test_introspection_invoke", "nodejs")
def _(asking: Asking, runtime: str) -> None:
    environment = {"Variables": {"TEST_KEY": "TEST_VAL"}}
    configuration = {**_NODEJS, "Runtime": runtime, "Environment": environment}
    created = asking.create_active({"index.js": handlers.NODEJS_INTROSPECTION}, **configuration)
    asking.shows("create_function_result", created.form)
    asking.shows("invocation_result_payload", asking.invoke()["Payload"])
    asking.shows("invocation_result_payload_qualified", asking.invoke(Qualifier="$LATEST")["Payload"])


@shows_each(FILE, "TestLambdaRuntimesCommon::test_uncaught_exception_invoke", "nodejs")
def _(asking: Asking, runtime: str) -> None:
    created = asking.create_active({"index.js": handlers.NODEJS_THROW}, **_NODEJS, Runtime=runtime)
    asking.shows("create_function_result", created.form)
    asking.shows("error_result", asking.invoke(b'{"error_msg": "some_error_msg"}'))


@shows_each(FILE, "TestLambdaRuntimesCommon::test_runtime_wrapper_invoke", "nodejs")
def _(asking: Asking, runtime: str) -> None:
    environment = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/environment_wrapper"}}
    files = {"index.js": handlers.NODEJS_WRAPPED, "environment_wrapper": handlers.WRAPPER}
    package = handlers.package(files, executable=("environment_wrapper",))
    created = asking.create_active(package, **_NODEJS, Runtime=runtime, Environment=environment)
    asking.shows("create_function_result", created.form)
    answer = asking.invoke()
    assert answer["Payload"] == {"WRAPPED_BY": "the wrapper", "_HANDLER": "index.handler"}, answer


@shows_each(FILE, "TestLambdaRuntimesCommon::test_introspection_invoke", "provided")
def _(asking: Asking, runtime: str) -> None:
    environment = {"Variables": {"TEST_KEY": "TEST_VAL"}}
    configuration = {**_CUSTOM, "Runtime": runtime, "Environment": environment}
    created = asking.create_active(handlers.CUSTOM_RUNTIME, **configuration)
    asking.shows("create_function_result", created.form)
    asking.shows("invocation_result_payload", asking.invoke()["Payload"])
    asking.shows("invocation_result_payload_qualified", asking.invoke(Qualifier="$LATEST")["Payload"])


@shows_each(FILE, "TestLambdaRuntimesCommon::test_uncaught_exception_invoke", "provided")
def _(asking: Asking, runtime: str) -> None:
    created = asking.create_active(handlers.CUSTOM_RUNTIME, **_CUSTOM, Runtime=runtime)
    asking.shows("create_function_result", created.form)
    asking.shows("error_result", asking.invoke(b'{"error_msg": "some_error_msg"}'))


@shows_each(FILE, "TestLambdaRuntimesCommon::test_introspection_invoke", "ruby")
def _(asking: Asking, runtime: str) -> None:
    environment = {"Variables": {"TEST_KEY": "TEST_VAL"}}
    configuration = {**_RUBY, "Runtime": runtime, "Environment": environment}
    created = asking.create_active({"function.rb": handlers.RUBY_INTROSPECTION}, **configuration)
    asking.shows("create_function_result", created.form)
    asking.shows("invocation_result_payload", asking.invoke()["Payload"])
    asking.shows("invocation_result_payload_qualified", asking.invoke(Qualifier="$LATEST")["Payload"])


@shows_each(FILE, "TestLambdaRuntimesCommon::test_uncaught_exception_invoke", "ruby")
def _(asking: Asking, runtime: str) -> None:
    created = asking.create_active({"function.rb": handlers.RUBY_RAISE}, **_RUBY, Runtime=runtime)
    asking.shows("create_function_result", created.form)
    asking.shows("error_result", asking.invoke(b'{"error_msg": "some_error_msg"}'))


@shows_each(FILE, "TestLambdaRuntimesCommon::test_runtime_wrapper_invoke", "ruby")
def _(asking: Asking, runtime: str) -> None:
    environment = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/environment_wrapper"}}
    files = {"function.rb": handlers.RUBY_WRAPPED, "environment_wrapper": handlers.WRAPPER}
    package = handlers.package(files, executable=("environment_wrapper",))
    created = asking.create_active(package, **_RUBY, Runtime=runtime, Environment=environment)
    asking.shows("create_function_result", created.form)
    answer = asking.invoke()
    assert answer["Payload"] == {"WRAPPED_BY": "the wrapper", "_HANDLER": "function.handler"}, answer
