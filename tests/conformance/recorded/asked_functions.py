"""What was asked, as far as the answers show it, in the recordings of single functions: invokes, errors, limits."""

from typing import Any

from tests.conformance.recorded import handlers
from tests.conformance.recorded.asking import Asking, shows
from tests.conformance.recorded.made_answers import wrapped_creation

FILE = "test_lambda"


@shows(FILE, "TestLambdaFeatures::test_basic_invoke")
def _(asking: Asking) -> None:
    package = {"index.py": handlers.NOTHING}
    second = f"{asking.name}-2"
    about = {"Runtime": "python3.9", "Handler": "index.handler"}
    asking.shows("lambda_create_fn", asking.create(package, **about).form)
    asking.shows("lambda_create_fn_2", asking.create(package, FunctionName=second, **about).form)
    asking.shows("lambda_get_fn", asking.settled().form)
    asking.shows("lambda_get_fn_2", asking.settled(second).form)
    asking.shows("lambda_invoke_result", asking.invoke())


@shows(FILE, "TestLambdaBehavior::test_lambda_cache_local[python]")
def _(asking: Asking) -> None:
    asking.create_active(handlers.COUNT)
    asking.shows("first_invoke_result", asking.invoke())
    asking.shows("second_invoke_result", asking.invoke())


@shows(FILE, "TestLambdaBehavior::test_lambda_cache_local[nodejs]")
def _(asking: Asking) -> None:
    asking.create_active({"index.js": handlers.NODEJS_COUNT}, Handler="index.handler", Runtime="nodejs20.x")
    asking.shows("first_invoke_result", asking.invoke())
    asking.shows("second_invoke_result", asking.invoke())


@shows(FILE, "TestLambdaBehavior::test_lambda_invoke_with_timeout")
def _(asking: Asking) -> None:
    created = asking.create_active(handlers.SLEEP, Timeout=1, Environment={"Variables": {}})
    asking.shows_creation("create-result", created)
    asking.shows("invoke-result", asking.invoke(b'{"seconds": 20}'))


@shows(FILE, "TestLambdaBehavior::test_lambda_invoke_no_timeout")
def _(asking: Asking) -> None:
    created = asking.create_active(handlers.SLEEP, Timeout=2, Environment={"Variables": {}})
    asking.shows_creation("create-result", created)
    asking.shows("invoke-result", asking.invoke(b'{"seconds": 0.5}'))


@shows(FILE, "TestLambdaBaseFeatures::test_function_state")
def _(asking: Asking) -> None:
    asking.shows("create-fn-response", asking.create(handlers.NOTHING).form)
    asking.shows("get-fn-response", asking.settled().form)


@shows(FILE, "TestLambdaFeatures::test_invoke_exceptions")
def _(asking: Asking) -> None:
    asking.shows("invoke_function_doesnotexist", asking.invoke(FunctionName="doesnotexist"))


@shows(FILE, "TestLambdaBehavior::test_runtime_introspection_x86")
def _(asking: Asking) -> None:
    asking.create_active(handlers.LOOK_AROUND, Architectures=["x86_64"])
    asking.shows("invoke_runtime_x86_introspection", asking.invoke())


@shows(FILE, "TestLambdaBehavior::test_runtime_ulimits")
def _(asking: Asking) -> None:
    asking.create_active(handlers.LIMITS)
    asking.shows("invoke_runtime_ulimits", asking.invoke())


@shows(FILE, "TestLambdaBehavior::test_mixed_architecture")
def _(asking: Asking) -> None:
    package = {"handler.py": handlers.NOTHING}
    created = asking.create_active(package, Timeout=30, Architectures=["x86_64"], Environment={"Variables": {}})
    asking.shows_creation("create_function_response", created)
    code = handlers.package(package)
    updated = asking.ask("UpdateFunctionCode", FunctionName=asking.name, ZipFile=code, Architectures=["arm64"])
    asking.shows("update_function_code_response", updated.form)


@shows(FILE, "TestLambdaBehavior::test_lambda_init_environment")
def _(asking: Asking) -> None:
    """Recorded with python3.14; where that has no interpreter, the environment is looked at with python3.13."""
    about = {"Timeout": 30, "Environment": {"Variables": {}}}
    created = asking.create(handlers.INIT_ENVIRONMENT, Runtime="python3.14", **about)
    asking.shows_creation("create-result", created)
    asking.ask("DeleteFunction", FunctionName=asking.name)
    asking.create_active(handlers.INIT_ENVIRONMENT, Runtime="python3.13", **about)
    asking.shows("lambda-init-inspection", asking.invoke())


@shows(FILE, "TestLambdaVersions::test_lambda_versions_with_code_changes")
def _(asking: Asking) -> None:
    def code(number: int) -> bytes:
        return handlers.package({"handler.py": handlers.VERSIONED.replace("NUMBER", str(number))})

    def invoke(name: str, qualifier: str | None = None) -> None:
        arguments: dict[str, Any] = {} if qualifier is None else {"Qualifier": qualifier}
        asking.shows(name, asking.invoke(**arguments))

    def publish(name: str, description: str) -> None:
        answered = asking.ask("PublishVersion", FunctionName=asking.name, Description=description)
        asking.shows(name, answered.form)

    asking.shows("create_response", asking.create_active(code(1), Description="No version :(").form)
    publish("first_publish_response", "First version description :)")
    updated = asking.ask("UpdateFunctionCode", FunctionName=asking.name, ZipFile=code(2))
    asking.shows("update_lambda_response", updated.form)
    asking.settled()
    invoke("invocation_result_latest")
    invoke("invocation_result_v1", "1")
    publish("second_publish_response", "Second version description :)")
    invoke("invocation_result_v2", "2")
    updated = asking.ask("UpdateFunctionCode", FunctionName=asking.name, ZipFile=code(3), Publish=True)
    asking.shows("update_lambda_response_with_publish", updated.form)
    asking.settled()
    invoke("invocation_result_v3", "3")
    invoke("invocation_result_latest_end")
    invoke("invocation_result_v2_end", "2")
    invoke("invocation_result_v1_end", "1")


@shows(FILE, "TestLambdaCleanup::test_recreate_function")
def _(asking: Asking) -> None:
    about = {"Handler": "lambda_echo.handler", "Timeout": 30, "Environment": {"Variables": {}}}
    package = {"lambda_echo.py": handlers.ECHO}
    asking.shows_creation("create_function_response_one", asking.create_active(package, **about))
    asking.ask("DeleteFunction", FunctionName=asking.name)
    asking.shows("create_function_response_two", wrapped_creation(asking.create(package, **about).form))


@shows(FILE, "TestLambdaFeatures::test_invocation_type_event[python3.9]")
def _(asking: Asking) -> None:
    _send_event(asking, "python3.9")


@shows(FILE, "TestLambdaFeatures::test_invocation_type_event[python3.10]")
def _(asking: Asking) -> None:
    _send_event(asking, "python3.10")


@shows(FILE, "TestLambdaFeatures::test_invocation_type_event[nodejs16.x]")
def _(asking: Asking) -> None:
    asking.create_active({"index.js": handlers.NODEJS_ECHO}, Handler="index.handler", Runtime="nodejs16.x")
    asking.shows("invoke-result", asking.invoke(InvocationType="Event"))


def _send_event(asking: Asking, runtime: str) -> None:
    asking.create_active(handlers.ECHO, Runtime=runtime)
    asking.shows("invoke-result", asking.invoke(InvocationType="Event"))


@shows(FILE, "TestLambdaAliases::test_alias_routingconfig")
def _(asking: Asking) -> None:
    asking.create_active(handlers.NOTHING)
    asking.ask("PublishVersion", FunctionName=asking.name)
    asking.ask("UpdateFunctionConfiguration", FunctionName=asking.name, Description="another")
    asking.settled()
    asking.ask("PublishVersion", FunctionName=asking.name)
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    created = asking.ask(
        "CreateAlias", FunctionName=asking.name, Name="alias1", FunctionVersion="1", RoutingConfig=weights
    )
    asking.shows("create_alias_response", created.form)
