"""What was asked, as far as the answers show it, in the recordings of function URLs: all but what the URLs answered."""

from typing import Any

from tests.conformance.recorded import handlers
from tests.conformance.recorded.asking import Asking, shows

FILE = "test_lambda"


@shows(FILE, "TestLambdaURL::test_lambda_update_function_url_config")
def _(asking: Asking) -> None:
    """The last update names no InvokeMode: what is kept is answered."""
    asking.create_active(handlers.NOTHING)

    def ask(name: str, operation: str, **arguments: str) -> None:
        asking.shows(name, asking.ask(operation, FunctionName=asking.name, **arguments).form)

    ask("create_lambda_url_config", "CreateFunctionUrlConfig", AuthType="NONE", InvokeMode="BUFFERED")
    ask("get_url_config", "GetFunctionUrlConfig")
    ask("modify_lambda_url_config", "UpdateFunctionUrlConfig", InvokeMode="RESPONSE_STREAM")
    ask("get_url_config_2", "GetFunctionUrlConfig")
    ask("modify_lambda_url_config_none", "UpdateFunctionUrlConfig", AuthType="NONE")
    ask("get_url_config_3", "GetFunctionUrlConfig")


@shows(FILE, "TestLambdaURL::test_lambda_url_invocation_exception")
def _(asking: Asking) -> None:
    asking.create_active(handlers.NOTHING, Timeout=30, Environment={"Variables": {}})
    asking.shows("get_fn_result", asking.settled().form)
    _open(asking)


@shows(FILE, "TestRequestIdHandling::test_request_id_invoke_url")
def _(asking: Asking) -> None:
    asking.create_active(handlers.NOTHING)
    _open(asking)


def _open(asking: Asking) -> None:
    created = asking.ask("CreateFunctionUrlConfig", FunctionName=asking.name, AuthType="NONE")
    asking.shows("create_lambda_url_config", created.form)
    permission = {
        "StatementId": "urlPermission",
        "Action": "lambda:InvokeFunctionUrl",
        "Principal": "*",
        "FunctionUrlAuthType": "NONE",
    }
    asking.shows("add_permission", asking.ask("AddPermission", FunctionName=asking.name, **permission).form)


@shows(FILE, "TestLambdaURL::test_lambda_url_persists_after_alias_delete")
def _(asking: Asking) -> None:
    asking.create_active(handlers.NOTHING)
    asking.ask("PublishVersion", FunctionName=asking.name)
    asking.ask("CreateAlias", FunctionName=asking.name, Name="alias", FunctionVersion="1")
    config: dict[str, Any] = {"AuthType": "NONE", "InvokeMode": "BUFFERED"}
    created = asking.ask("CreateFunctionUrlConfig", FunctionName=asking.name, Qualifier="alias", **config)
    asking.shows("create_lambda_url_config", created.form)
    deleted = asking.ask("DeleteAlias", FunctionName=asking.name, Name="alias")
    asking.shows("delete_alias_resp", deleted.form)
