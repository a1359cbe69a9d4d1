"""What goes through a function URL: requests to the function, its answers back."""

import base64
import http.client
import json
import re
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance.function_urls.visiting import ECHO, SAYS, allow, public_url, say, url_of, visit
from tests.deployment import Functions, wait_updated, zipped
from tests.live_server import LiveServer

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
BAD_GATEWAY = (502, "application/json", b"Internal Server Error")
NOTHING_THERE = (404, "ResourceNotFoundException", {"Message": None})


@pytest.fixture
def echo(lambda_client: Any, make_function: Functions) -> str:
    return public_url(lambda_client, make_function(ECHO))


@pytest.fixture
def says(lambda_client: Any, make_function: Functions) -> str:
    return public_url(lambda_client, make_function(SAYS))


def test_a_request_arrives_as_an_event(live_server: LiveServer, echo: str) -> None:
    before_ms = int(time.time() * 1000)
    got = visit(
        live_server,
        echo,
        "POST",
        "/a%2Fb/c%20d?x=1&x=2&y=%26+z&empty",
        headers={
            "Content-Type": "text/plain; charset=utf-8",
            "User-Agent": "agent",
            "X-Mixed-Case": "Value",
            "Cookie": "a=1; b=2",
            "Connection": "close",
        },
        body="grüße",
    )
    event = got.json
    host = urlsplit(echo).netloc
    url_id = host.partition(".")[0]
    assert (event["version"], event["routeKey"]) == ("2.0", "$default")
    assert event["rawPath"] == "/a%2Fb/c%20d"
    assert event["rawQueryString"] == "x=1&x=2&y=%26+z&empty"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "& z", "empty": ""}
    assert event["cookies"] == ["a=1", "b=2"]
    assert (event["body"], event["isBase64Encoded"]) == ("grüße", False)
    headers = event["headers"]
    assert (headers["x-mixed-case"], headers["host"], headers["cookie"]) == ("Value", host, "a=1; b=2")
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert headers["x-forwarded-port"] == str(urlsplit(live_server.url).port)
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["x-amzn-trace-id"])
    assert "connection" not in headers
    context = event["requestContext"]
    assert (context["accountId"], context["apiId"], context["domainPrefix"]) == ("anonymous", url_id, url_id)
    assert context["domainName"] == host.partition(":")[0]
    assert context["http"] == {
        "method": "POST",
        "path": "/a/b/c d",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "agent",
    }
    assert before_ms <= context["timeEpoch"] <= time.time() * 1000
    assert time.strftime("%d/%b/%Y:%H:%M", time.gmtime(context["timeEpoch"] / 1000)) in context["time"]
    assert context["requestId"] == got["x-amzn-requestid"]
    assert (got["x-amzn-trace-id"] or "").startswith(headers["x-amzn-trace-id"])


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method(live_server: LiveServer, echo: str, method: str) -> None:
    got = visit(live_server, echo, method)
    assert (got.status, got.json["requestContext"]["http"]["method"]) == (200, method)


def test_a_head_request_gets_the_head(live_server: LiveServer, says: str, echo: str) -> None:
    got = visit(live_server, echo, "HEAD")
    assert (got.status, got.body) == (200, b"")
    assert int(got["content-length"] or 0) > 100


def test_binary_bodies_both_ways(live_server: LiveServer, lambda_client: Any, make_function: Functions) -> None:
    mirror = """
def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "image/png"},
            "body": event["body"], "isBase64Encoded": event["isBase64Encoded"]}
"""
    url = public_url(lambda_client, make_function(mirror))
    binary = bytes(range(256)) * 100
    got = visit(live_server, url, "POST", headers={"Content-Type": "application/octet-stream"}, body=binary)
    assert (got.body, got["content-type"]) == (binary, "image/png")
    form = visit(live_server, url, "POST", headers={"Content-Type": "application/x-www-form-urlencoded"}, body="a=%20")
    assert form.body == b"a=%20"


def test_a_whole_response(live_server: LiveServer, says: str) -> None:
    got = say(
        live_server,
        says,
        {
            "statusCode": 418,
            "headers": {"Content-Type": "text/plain", "My-Header": "Custom λ", "Connection": "close", "Date": "never"},
            "cookies": ["a=1; Path=/; HttpOnly", "b=2"],
            "body": "grüße",
        },
    )
    assert (got.status, got.body) == (418, "grüße".encode())
    assert got["content-type"] == "text/plain"
    assert (got["my-header"] or "").encode("latin-1").decode() == "Custom λ"
    assert [value for name, value in got.headers if name == "set-cookie"] == ["a=1; Path=/; HttpOnly", "b=2"]
    assert got["connection"] is None
    assert got["date"] != "never"
    assert UUID.fullmatch(got["x-amzn-requestid"] or "")


@pytest.mark.parametrize("answer", [{"message": "Hello"}, "text", [1, 2], None, 7])
def test_what_has_no_status_is_the_body(live_server: LiveServer, says: str, answer: Any) -> None:
    got = say(live_server, says, answer)
    assert (got.status, got["content-type"], got.json) == (200, "application/json", answer)


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": 99},
        {"statusCode": "teapot"},
        {"statusCode": 200, "headers": {"X-A": "a\r\nSet-Cookie: stolen=1"}},
        {"statusCode": 200, "headers": {"X-A\r\nSet-Cookie: stolen=1\r\nX-B": "a"}},
        {"statusCode": 200, "cookies": ["a=1\r\n\r\n<html>"]},
        {"statusCode": 200, "headers": ["no", "object"]},
        {"statusCode": 200, "body": "%", "isBase64Encoded": True},
    ],
)
def test_what_can_be_no_response_is_a_bad_gateway(live_server: LiveServer, says: str, answer: Any) -> None:
    got = say(live_server, says, answer)
    assert (got.status, got["content-type"], got.body) == BAD_GATEWAY
    assert got["set-cookie"] is None
    assert UUID.fullmatch(got["x-amzn-requestid"] or "")


@pytest.mark.parametrize(
    "failing",
    ["raise ValueError('secret')", "import os; os._exit(1)", "return {1, 2}", "import time; time.sleep(30)"],
)
def test_a_function_that_fails_is_a_bad_gateway(
    live_server: LiveServer, lambda_client: Any, make_function: Functions, failing: str
) -> None:
    source = f"def handler(event, context):\n    {failing}\n"
    got = visit(live_server, public_url(lambda_client, make_function(source, Timeout=1)))
    assert (got.status, got["content-type"], got.body) == BAD_GATEWAY


def test_too_large_an_answer_is_a_bad_gateway(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    source = "def handler(event, context):\n    return 'x' * 7_000_000\n"
    got = visit(live_server, public_url(lambda_client, make_function(source)))
    assert (got.status, got["content-type"], got.body) == BAD_GATEWAY


def test_the_whole_event_may_have_six_megabytes(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    source = "def handler(event, context):\n    return len(event['body'])\n"
    url = public_url(lambda_client, make_function(source))
    text, too_large = {"Content-Type": "text/plain"}, "RequestEntityTooLargeException"
    refusal = "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
    fits = 6 * 1024 * 1024 - 4096
    assert visit(live_server, url, "POST", headers=text, body=b"x" * fits).json == fits
    for headers, size in (
        (text, 6 * 1024 * 1024 - 100),  # fits by itself, not with the rest of the event
        (text, 6 * 1024 * 1024 + 1),
        ({"Content-Type": "image/png"}, 5 * 1024 * 1024),  # in base64
    ):
        got = visit(live_server, url, "POST", headers=headers, body=b"x" * size)
        assert got.refusal == (413, too_large, {"message": refusal})


def test_an_alias_s_url_runs_what_the_alias_points_to(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    def source(said: str) -> str:
        return f"def handler(event, context):\n    return ['{said}', context.invoked_function_arn]\n"

    name = make_function(source("one"))
    lambda_client.publish_version(FunctionName=name)
    update_code(lambda_client, name, source("two"))
    lambda_client.publish_version(FunctionName=name)
    update_code(lambda_client, name, source("latest"))
    alias = lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")["AliasArn"]
    url = url_of(lambda_client, name, Qualifier="live")
    allow(lambda_client, name, Qualifier="live")
    latest = public_url(lambda_client, name)
    assert visit(live_server, latest).json == ["latest", alias.removesuffix(":live")]
    assert visit(live_server, url).json == ["one", alias]
    lambda_client.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    assert {visit(live_server, url).json[0] for _ in range(40)} == {"one", "two"}
    lambda_client.update_alias(
        FunctionName=name, Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    assert visit(live_server, url).json == ["two", alias]


def update_code(client: Any, name: str, source: str) -> None:
    client.update_function_code(FunctionName=name, ZipFile=zipped(source))
    wait_updated(client, name)


def test_reserved_concurrency_holds(live_server: LiveServer, lambda_client: Any, make_function: Functions) -> None:
    name = make_function(
        "import time\ndef handler(event, context):\n    time.sleep(3)\n    return 'done'\n", Timeout=10
    )
    url = public_url(lambda_client, name)
    throttled = (
        429,
        "TooManyRequestsException",
        {
            "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
            "Type": "User",
            "message": "Rate Exceeded.",
        },
    )
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    answers: list[Any] = []
    first = threading.Thread(target=lambda: answers.append(visit(live_server, url)))
    first.start()
    time.sleep(1.5)
    assert visit(live_server, url).refusal == throttled
    first.join()
    assert answers[0].json == "done"
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert visit(live_server, url).refusal == throttled


def test_a_changed_or_deleted_url_answers_so_at_once(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    name = make_function(ECHO)
    url = public_url(lambda_client, name)
    assert visit(live_server, url).status == 200
    lambda_client.update_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    assert visit(live_server, url).status == 403
    lambda_client.update_function_url_config(FunctionName=name, AuthType="NONE")
    assert visit(live_server, url).status == 200
    lambda_client.remove_permission(FunctionName=name, StatementId="function")
    assert visit(live_server, url).status == 403
    lambda_client.delete_function_url_config(FunctionName=name)
    assert visit(live_server, url).refusal == NOTHING_THERE
    again = url_of(lambda_client, name)
    assert again != url
    assert visit(live_server, url).refusal == NOTHING_THERE
    lambda_client.delete_function(FunctionName=name)
    assert visit(live_server, again).refusal == NOTHING_THERE


def test_a_url_outlives_its_alias_and_leads_nowhere(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    name = make_function(ECHO)
    lambda_client.publish_version(FunctionName=name)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    url = url_of(lambda_client, name, Qualifier="live")
    allow(lambda_client, name, Qualifier="live")
    assert visit(live_server, url).status == 200
    lambda_client.delete_alias(FunctionName=name, Name="live")
    assert visit(live_server, url).status == 403
    assert lambda_client.get_function_url_config(FunctionName=name, Qualifier="live")["FunctionUrl"] == url
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    allow(lambda_client, name, Qualifier="live")
    assert visit(live_server, url).status == 200


def test_whatever_changes_meanwhile_every_visit_gets_an_answer_of_its_time(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    name = make_function(ECHO)
    allow(lambda_client, name)
    urls = [url_of(lambda_client, name)]
    seen: list[tuple[str, int]] = []
    is_over = threading.Event()

    def keep_visiting() -> None:
        while not is_over.is_set():
            url = urls[-1]
            seen.append((url, visit(live_server, url).status))

    visitors = [threading.Thread(target=keep_visiting) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for round_ in range(8):
        lambda_client.delete_function_url_config(FunctionName=name)
        urls.append(url_of(lambda_client, name, "AWS_IAM" if round_ % 2 else "NONE"))
        time.sleep(0.1)
    lambda_client.delete_function(FunctionName=name)
    time.sleep(0.3)
    is_over.set()
    for visitor in visitors:
        visitor.join()
    assert {status for _, status in seen} == {200, 403, 404}
    for url in urls:
        statuses = [status for visited, status in seen if visited == url]
        assert not {200, 403} <= set(statuses), "a URL changed how it asks who one is"
    assert visit(live_server, urls[-1]).refusal == NOTHING_THERE


def test_urls_survive_a_restart(start_server: Any) -> None:
    server = start_server()
    client = server.client()
    url = public_url(client, Functions(client, "url")(ECHO))
    server.restart()
    port = urlsplit(server.url).port
    assert visit(server, re.sub(r":\d+/", f":{port}/", url)).status == 200


def test_what_is_logged_bears_the_id_that_the_client_got(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    name = make_function("def handler(event, context):\n    return context.aws_request_id\n")
    got = visit(live_server, public_url(lambda_client, name))
    assert got.json == got["x-amzn-requestid"]


def test_a_chunked_body_arrives(live_server: LiveServer, echo: str) -> None:
    address = urlsplit(live_server.url)
    assert address.hostname is not None
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    pieces = (piece for piece in (b'{"a":', b"1}"))
    connection.request(
        "POST",
        "/",
        body=pieces,
        encode_chunked=True,
        headers={
            "Host": urlsplit(echo).netloc,
            "Content-Type": "application/json",
            "Transfer-Encoding": "chunked",
        },
    )
    event = json.loads(connection.getresponse().read())
    connection.close()
    assert event["body"] == '{"a":1}'
    assert "transfer-encoding" not in event["headers"]


def test_no_content_type_means_base64(live_server: LiveServer, echo: str) -> None:
    event = visit(live_server, echo, "PUT", body=b"plain").json
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"plain", True)
