"""What was asked in the recordings that hold for every runtime, of the Python runtimes."""

from tests.conformance.recorded import handlers
from tests.conformance.recorded.asking import Asking, shows_each

FILE = "test_lambda_common"


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
