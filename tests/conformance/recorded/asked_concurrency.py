"""What was asked, as far as the answers show it, in the recordings of reserved and provisioned concurrency."""

from typing import Any

from tests.conformance.recorded import handlers
from tests.conformance.recorded.asking import Asking, shows
from tests.conformance.recorded.replay import ask_until_settled

FILE = "test_lambda"
CASES = "TestLambdaConcurrency::"


@shows(FILE, f"{CASES}test_lambda_concurrency_crud")
def _(asking: Asking) -> None:
    asking.create_active(handlers.ECHO)
    asking.shows("get_function_concurrency_default", _reserved(asking))
    asking.shows("put_function_concurrency", _reserve_nothing(asking))
    asking.shows("get_function_concurrency_updated", _reserved(asking))
    asking.ask("DeleteFunctionConcurrency", FunctionName=asking.name)
    asking.shows("get_function_concurrency_deleted", _reserved(asking))


def _reserved(asking: Asking) -> Any:
    return asking.ask("GetFunctionConcurrency", FunctionName=asking.name).form


def _reserve_nothing(asking: Asking) -> Any:
    return asking.ask("PutFunctionConcurrency", FunctionName=asking.name, ReservedConcurrentExecutions=0).form


@shows(FILE, f"{CASES}test_reserved_concurrency")
def _(asking: Asking) -> None:
    asking.create_active(handlers.ECHO, Timeout=20, Environment={"Variables": {}})
    latest = {"FunctionName": asking.name, "Qualifier": "$LATEST"}
    asking.shows("fn", asking.ask("GetFunctionConfiguration", **latest).form)
    asking.shows("put_reserved", _reserve_nothing(asking))
    asking.shows("exc_no_cap_requestresponse", asking.invoke(Qualifier="$LATEST"))
    destination = {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:failures"}}
    put = asking.ask("PutFunctionEventInvokeConfig", **latest, MaximumRetryAttempts=0, DestinationConfig=destination)
    asking.shows("put_event_invoke_conf", put.form)
    asking.shows("invoke_result", asking.invoke(InvocationType="Event"))


@shows(FILE, f"{CASES}test_lambda_provisioned_concurrency_moves_with_alias")
def _(asking: Asking) -> None:
    name, alias = asking.name, {"FunctionName": asking.name, "Qualifier": "alias"}
    about: dict[str, Any] = {"Runtime": "python3.8", "Timeout": 2, "Environment": {"Variables": {}}}
    asking.shows_creation("create-result", asking.create_active(handlers.NOTHING, **about))

    def ask(answer: str, operation: str, **params: Any) -> None:
        asking.shows(answer, asking.ask(operation, **{"FunctionName": name, **params}).form)

    ask("get-function-configuration", "GetFunctionConfiguration", Qualifier="$LATEST")
    ask("publish_version_1", "PublishVersion", Description="my-first-version")
    ask("get_function_configuration_version_1", "GetFunctionConfiguration", Qualifier="1")
    ask("create_alias", "CreateAlias", Name="alias", FunctionVersion="1")
    ask("get_function_before_provisioned", "GetFunction", Qualifier="1")
    asking.ask("PutProvisionedConcurrencyConfig", **alias, ProvisionedConcurrentExecutions=1)
    ask_until_settled(asking.client, "GetProvisionedConcurrencyConfig", alias)
    ask("get_function_after_provisioned", "GetFunction", **alias)
    asking.ask("UpdateFunctionConfiguration", FunctionName=name, Timeout=10)
    asking.settled()
    ask("get_function_after_update", "GetFunctionConfiguration")
    ask("publish_version_2", "PublishVersion")
    ask("update_alias", "UpdateAlias", Name="alias", FunctionVersion="2")
    ask("get_provisioned_config_after_alias_move", "GetProvisionedConcurrencyConfig", **alias)
    ask("provisioned_concurrency_notfound", "GetProvisionedConcurrencyConfig", Qualifier="1")


@shows(FILE, f"{CASES}test_provisioned_concurrency_on_alias")
def _(asking: Asking) -> None:
    asking.create_active(handlers.NOTHING)
    asking.ask("PublishVersion", FunctionName=asking.name)
    asking.ask("CreateAlias", FunctionName=asking.name, Name="alias", FunctionVersion="1")
    alias = {"FunctionName": asking.name, "Qualifier": "alias"}
    put = asking.ask("PutProvisionedConcurrencyConfig", **alias, ProvisionedConcurrentExecutions=5)
    asking.shows("put_provisioned_5", put.form)
    asking.shows("get_provisioned_prewait", asking.ask("GetProvisionedConcurrencyConfig", **alias).form)
    ready = ask_until_settled(asking.client, "GetProvisionedConcurrencyConfig", alias)
    asking.shows("get_provisioned_postwait", ready.form)
