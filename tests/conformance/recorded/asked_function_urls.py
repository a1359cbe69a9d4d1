"""What was asked, as far as the answers show it, in the recordings of function URLs."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lampion.cli.client import Call, send
from lampion.cli.location import Server
from tests.conformance.function_urls.visiting import Visited, visit
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
    asking.create_active(handlers.HI)
    url = _open(asking)
    got = _visit(asking, url)
    content, request_id = got.body.decode(), got["x-amzn-requestid"]
    answer = {"content": content, "headers": {"x-amzn-RequestId": request_id}, "statuscode": got.status}
    asking.shows("lambda_url_invocation", answer)
    asking.shows("end_log_entries", [line for line in _log(asking) if line.startswith("END ")])


def _open(asking: Asking) -> str:
    created = asking.ask("CreateFunctionUrlConfig", FunctionName=asking.name, AuthType="NONE")
    asking.shows("create_lambda_url_config", created.form)
    permission = {
        "StatementId": "urlPermission",
        "Action": "lambda:InvokeFunctionUrl",
        "Principal": "*",
        "FunctionUrlAuthType": "NONE",
    }
    asking.shows("add_permission", asking.ask("AddPermission", FunctionName=asking.name, **permission).form)
    _allow_function(asking)
    return str(created.answer["FunctionUrl"])


def _allow_function(asking: Asking, **qualifier: str) -> None:
    """The other permission that AWS wants since October 2025; the recordings show only the first one."""
    permission = {"Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": True}
    asking.ask("AddPermission", FunctionName=asking.name, StatementId="invokePermission", **permission, **qualifier)


def _allow(asking: Asking, **qualifier: str) -> None:
    permission = {"Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}
    asking.ask("AddPermission", FunctionName=asking.name, StatementId="url", **permission, **qualifier)
    _allow_function(asking, **qualifier)


def _visit(asking: Asking, url: str, method: str = "GET", path: str = "", **more: Any) -> Visited:
    return visit(_Endpoint(asking.client.meta.endpoint_url), url, method, path, **more)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    url: str


def _log(asking: Asking) -> list[str]:
    """The lines that the function's log has."""
    key = asking.client._request_signer._credentials.get_frozen_credentials()
    server = Server(asking.client.meta.endpoint_url, asking.place.region, key.access_key, key.secret_key)
    call = Call("GET", ("_lampion", "logs", asking.name), {"wait": "10"})
    page = json.loads(send(server, call, timeout_seconds=30).body)
    return [event["message"].rstrip() for event in page["events"]]


@shows(FILE, "TestLambdaURL::test_lambda_url_persists_after_alias_delete")
def _(asking: Asking) -> None:
    asking.create_active(handlers.HI)
    asking.ask("PublishVersion", FunctionName=asking.name)
    asking.ask("CreateAlias", FunctionName=asking.name, Name="alias", FunctionVersion="1")
    config: dict[str, Any] = {"AuthType": "NONE", "InvokeMode": "BUFFERED"}
    created = asking.ask("CreateFunctionUrlConfig", FunctionName=asking.name, Qualifier="alias", **config)
    asking.shows("create_lambda_url_config", created.form)
    _allow(asking, Qualifier="alias")
    url = created.answer["FunctionUrl"]
    asking.shows("invoke_aliased_url_response", {"status_code": _visit(asking, url).status})
    deleted = asking.ask("DeleteAlias", FunctionName=asking.name, Name="alias")
    asking.shows("delete_alias_resp", deleted.form)
    got = _visit(asking, url)
    headers = {"x-amzn-ErrorType": got["x-amzn-errortype"]}
    answer = {"content": got.json, "headers": headers, "status_code": got.status}
    asking.shows("invoke_deleted_alias_url_response_delayed", answer)


@shows(FILE, "TestLambdaPermissions::test_lambda_permission_url_invocation")
def _(asking: Asking) -> None:
    asking.create_active(handlers.HI)
    url = asking.ask("CreateFunctionUrlConfig", FunctionName=asking.name, AuthType="NONE").answer["FunctionUrl"]
    asking.shows("lambda_url_invocation_missing_permission", _visit(asking, url).json)


@shows(FILE, "TestLambdaURL::test_lambda_url_form_payload")
def _(asking: Asking) -> None:
    """A form of two parts, with what its client says of itself; AWS's names have no port."""
    asking.create_active(handlers.HTTP_ECHO)
    url = asking.ask("CreateFunctionUrlConfig", FunctionName=asking.name, AuthType="NONE").answer["FunctionUrl"]
    _allow(asking)
    boundary = "4efd159eae0c4f4e125a5a509e073d85"
    part = f"\r\n--{boundary}\r\nContent-Disposition: form-data; "
    form = (
        f'{part}name="formfield"\r\n\r\nnot a file, just a field'
        f'{part}name="foo"; filename="foo"\r\nContent-Type: text/plain;\r\n\r\nbar\r\n'
        f"\r\n--{boundary}--\r\n"
    )
    headers = {
        "Host": urlsplit(url).netloc.partition(":")[0],
        "User-Agent": "python/test-request",
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate",
        "Connection": "keep-alive",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    }
    asking.shows("url_response", _visit(asking, url, "POST", "/test/value", headers=headers, body=form).json)


@shows(FILE, "TestLambdaURL::test_function_url_with_response_streaming")
def _(asking: Asking) -> None:
    """Recorded of a Node.js function; here a program of its own streams."""
    wrapper = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}}
    asking.create_active(handlers.STREAMS, Environment=wrapper)
    config: dict[str, Any] = {"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"}
    url = asking.ask("CreateFunctionUrlConfig", FunctionName=asking.name, **config).answer["FunctionUrl"]
    _allow(asking)
    steps = [["begin", "text/plain"], ["write", "Hello, "], ["write", "world!"]]
    headers = {"Content-Type": "application/json"}
    got = _visit(asking, url, "POST", headers=headers, body=json.dumps(steps))
    asking.shows("response_status", got.status)
    asking.shows("response_data", got.body.decode())
