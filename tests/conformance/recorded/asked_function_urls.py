"""What was asked, as far as the answers show it, in the recordings of function URLs that aren't served in them."""

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
