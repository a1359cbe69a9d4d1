"""Function URLs that stream: what the function writes is on its way to the client at once, head and body."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lampion.invoke.streaming import HTTP_HEAD_END, HTTP_INTEGRATION
from tests.conformance.function_urls.visiting import SAYS, Visited, public_url, say
from tests.conformance.recorded.handlers import STREAMS
from tests.conformance.sources import ECHO
from tests.deployment import Functions, functions
from tests.live_server import LiveServer

END = HTTP_HEAD_END.decode()
BAD_GATEWAY = (502, b"Internal Server Error")
BLOCK_BYTES = 65536

Step = list[Any]


def streaming(make: Functions, **configuration: Any) -> str:
    """A function that does what the body of a request says."""
    environment = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}}
    return make(ECHO, Code={"ZipFile": STREAMS}, Environment=environment, **configuration)


@pytest.fixture(scope="module")
def url(live_server: LiveServer) -> Iterator[str]:
    client = live_server.client()
    with functions(client, "url-streams") as make:
        yield public_url(client, streaming(make), InvokeMode="RESPONSE_STREAM")


@contextmanager
def begun(
    server: LiveServer, url: str, *steps: Step, method: str = "POST", **headers: str
) -> Iterator[http.client.HTTPResponse]:
    """An answer whose head is there, to be read on."""
    address = urlsplit(server.url)
    assert address.hostname is not None
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    sent = {"Host": urlsplit(url).netloc, "Content-Type": "application/json", **headers}
    connection.request(method, "/", body=json.dumps(steps).encode(), headers=sent)
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def head(**members: Any) -> str:
    return json.dumps(members) + END


def test_the_pieces_come_as_the_function_writes_them(live_server: LiveServer, url: str) -> None:
    steps: list[Step] = [["begin", "text/plain"]]
    for word in ("one", "two", "three"):
        steps += [["write", word], ["sleep", 0.3]]
    with begun(live_server, url, *steps) as answer:
        assert (answer.status, answer.getheader("content-type")) == (200, "text/plain")
        assert answer.getheader("transfer-encoding") == "chunked"
        assert answer.getheader("content-length") is None
        seen = []
        while piece := answer.read1():
            seen.append((time.monotonic(), piece))
    assert [piece for _, piece in seen] == [b"one", b"two", b"three"]
    assert seen[2][0] - seen[0][0] > 0.4, "they came all at once"


def test_a_head_comes_before_the_body(live_server: LiveServer, url: str) -> None:
    first = head(statusCode=418, headers={"Content-Type": "text/html", "X-Mine": "λ"}, cookies=["a=1", "b=2"])
    with begun(live_server, url, ["begin", HTTP_INTEGRATION], ["write", f"{first}<p>"], ["write", "more"]) as answer:
        assert (answer.status, answer.getheader("content-type")) == (418, "text/html")
        assert (answer.getheader("x-mine") or "").encode("latin-1").decode() == "λ"
        assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]
        assert answer.getheader("x-amzn-requestid")
        assert answer.read() == b"<p>more"


@pytest.mark.parametrize("size", [1, 3])
def test_a_head_may_come_in_any_pieces(live_server: LiveServer, url: str, size: int) -> None:
    text = head(statusCode=201) + f"body{END}with an end"
    steps = [["write", text[start : start + size]] for start in range(0, len(text), size)]
    with begun(live_server, url, ["begin", HTTP_INTEGRATION], *steps) as answer:
        assert (answer.status, answer.getheader("content-type")) == (201, "application/octet-stream")
        assert answer.read() == f"body{END}with an end".encode()


def test_an_empty_head_and_an_empty_body_are_enough(live_server: LiveServer, url: str) -> None:
    with begun(live_server, url, ["begin", HTTP_INTEGRATION], ["write", head()]) as answer:
        assert (answer.status, answer.read()) == (200, b"")
    with begun(live_server, url) as answer:
        assert (answer.status, answer.getheader("content-type")) == (200, "application/octet-stream")
        assert answer.read() == b""


@pytest.mark.parametrize(
    "written",
    [
        "no JSON" + END,
        '"text"' + END,
        head(statusCode=99),
        head(headers={"X-A": "a\r\nSet-Cookie: stolen=1"}),
        '{"statusCode": 200}',
        "x" * 1_100_000 + END,
        "",
    ],
    ids=["no JSON", "no object", "no status", "injection", "no end", "too long", "nothing"],
)
def test_what_is_no_head_is_a_bad_gateway(live_server: LiveServer, url: str, written: str) -> None:
    with begun(live_server, url, ["begin", HTTP_INTEGRATION], ["write", written or "x"]) as answer:
        assert (answer.status, answer.read()) == BAD_GATEWAY
        assert answer.getheader("set-cookie") is None


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_none(live_server: LiveServer, url: str, status: int) -> None:
    with begun(live_server, url, ["begin", HTTP_INTEGRATION], ["write", f"{head(statusCode=status)}body"]) as answer:
        assert (answer.status, answer.read(), answer.getheader("transfer-encoding")) == (status, b"", None)
    with begun(live_server, url, ["write", "next"]) as answer:
        assert answer.read() == b"next"


def test_a_head_request_gets_the_head(live_server: LiveServer, url: str) -> None:
    with begun(live_server, url, ["begin", "text/plain"], ["write", "body"], method="HEAD") as answer:
        assert (answer.status, answer.getheader("content-type"), answer.read()) == (200, "text/plain", b"")


@pytest.mark.parametrize(
    "last",
    [["fail", "TypeError", {"errorType": "TypeError"}], ["exit", 1], ["sleep", 30]],
    ids=["fail", "exit", "late"],
)
def test_what_fails_in_the_middle_breaks_off(
    live_server: LiveServer, lambda_client: Any, make_function: Functions, last: Step
) -> None:
    url = public_url(lambda_client, streaming(make_function, Timeout=2), InvokeMode="RESPONSE_STREAM")
    with begun(live_server, url, ["write", "part"], ["sleep", 0.2], last) as answer:
        assert answer.status == 200
        with pytest.raises(http.client.IncompleteRead) as broken:
            answer.read()
        assert broken.value.partial == b"part"
    with begun(live_server, url, ["write", "again"]) as answer:
        assert answer.read() == b"again"
    assert "an answer broke off" not in live_server.output


def test_what_fails_before_it_streams_is_a_bad_gateway(live_server: LiveServer, url: str) -> None:
    with begun(live_server, url, ["exit", 1]) as answer:
        assert (answer.status, answer.read()) == BAD_GATEWAY


def test_cors_is_said_of_streams_too(live_server: LiveServer, lambda_client: Any, make_function: Functions) -> None:
    cors = {"AllowOrigins": ["https://here.example"]}
    url = public_url(lambda_client, streaming(make_function), InvokeMode="RESPONSE_STREAM", Cors=cors)
    first = head(headers={"access-control-allow-origin": "*"})
    steps = [["begin", HTTP_INTEGRATION], ["write", f"{first}x"]]
    with begun(live_server, url, *steps, Origin="https://here.example") as answer:
        assert answer.headers.get_all("access-control-allow-origin") == ["https://here.example"]


def test_a_function_that_does_not_stream_answers_as_it_is(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    """As AWS: only what a function streams has a head."""
    url = public_url(lambda_client, make_function(SAYS), InvokeMode="RESPONSE_STREAM")
    response = {"statusCode": 418, "body": "teapot"}
    got = say(live_server, url, response)
    assert (got.status, got["content-type"], got.json) == (200, "application/json", response)


def test_the_mode_is_the_configuration_s(live_server: LiveServer, lambda_client: Any, make_function: Functions) -> None:
    """Buffered, the whole of a stream is what a function returned: JSON, or nothing that can be answered."""
    name = streaming(make_function)
    url = public_url(lambda_client, name)

    def said(*steps: Step) -> Visited:
        return say(live_server, url, steps)

    assert said(["write", '{"statusCode": 418, '], ["write", '"body": "teapot"}']).body == b"teapot"
    assert (said(["write", "plain"]).status, said(["write", "plain"]).body) == BAD_GATEWAY
    lambda_client.update_function_url_config(FunctionName=name, InvokeMode="RESPONSE_STREAM")
    assert said(["write", "plain"]).body == b"plain"
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert said(["write", "x"]).status == 429


def test_the_function_goes_on_when_its_client_goes(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    name = streaming(make_function, Timeout=30)
    url = public_url(lambda_client, name, InvokeMode="RESPONSE_STREAM")
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    with begun(live_server, url, ["write", "x"], ["blocks", 400], ["sleep", 0.5]) as answer:
        assert answer.read1(1) == b"x"
    end = time.monotonic() + 20
    while True:
        with begun(live_server, url, ["write", "free"]) as answer:
            if answer.status == 200:
                assert answer.read() == b"free"
                return
        assert time.monotonic() < end, "the first invocation never ended"
        time.sleep(0.05)


def test_much_passes_through_flat_memory(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    client, process = server.client(), server.process
    assert process is not None
    status = Path(f"/proc/{process.pid}/status")

    def resident_kib() -> int:
        return int(status.read_text().partition("VmRSS:")[2].split()[0])

    with functions(client, "much") as make:
        url = public_url(client, streaming(make, Timeout=60), InvokeMode="RESPONSE_STREAM")
        with begun(server, url, ["blocks", 100]) as answer:
            answer.read()
        before_kib = peak_kib = resident_kib()
        received = 0
        with begun(server, url, ["blocks", 1600]) as answer:
            while piece := answer.read(BLOCK_BYTES):
                received += len(piece)
                peak_kib = max(peak_kib, resident_kib())
        assert received == 1600 * BLOCK_BYTES
        assert peak_kib - before_kib < 32 * 1024
