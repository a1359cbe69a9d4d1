"""Node.js functions that stream to their URLs by AWS's own means, and Node.js as the client of a URL."""

import http.client
import shutil
import subprocess
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance.function_urls.test_streams import begun
from tests.conformance.function_urls.visiting import public_url, visit
from tests.conformance.test_nodejs import RUNTIME
from tests.deployment import Functions
from tests.live_server import LiveServer

TELLS = """
const { pipeline } = require("node:stream/promises");
const { Readable } = require("node:stream");

exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  const metadata = {
    statusCode: 201,
    headers: { "Content-Type": "text/html", "X-Path": event.rawPath },
    cookies: ["a=1; Path=/", "b=2"],
  };
  stream = awslambda.HttpResponseStream.from(stream, metadata);
  stream.write("<p>");
  await new Promise((resolve) => setTimeout(resolve, 500));
  await pipeline(Readable.from(["one", "two"]), stream);
});
"""
PLAIN = """
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  stream.setContentType("text/event-stream");
  stream.write("data: 1\\n\\n");
  if (event.rawPath === "/fail") {
    await new Promise((resolve) => setTimeout(resolve, 300));
    throw new TypeError("no such luck");
  }
  stream.end();
});
"""
BUFFERED = "exports.handler = async (event) => ({ statusCode: 418, body: event.rawPath });\n"


def streaming_url(client: Any, make: Functions, source: str) -> str:
    name = make({"index.js": source}, Runtime=RUNTIME, Timeout=10)
    return public_url(client, name, InvokeMode="RESPONSE_STREAM")


def test_a_head_by_aws_s_means(live_server: LiveServer, lambda_client: Any, make_function: Functions) -> None:
    url = streaming_url(lambda_client, make_function, TELLS)
    visit(live_server, url)  # starts the environment
    with begun(live_server, url) as answer:
        assert (answer.status, answer.getheader("content-type")) == (201, "text/html")
        assert answer.getheader("x-path") == "/"
        assert answer.headers.get_all("set-cookie") == ["a=1; Path=/", "b=2"]
        first, began = answer.read1(), time.monotonic()
        assert first == b"<p>"
        assert answer.read() == b"onetwo"
        assert time.monotonic() - began > 0.3, "all came at once"


def test_a_content_type_by_aws_s_means(live_server: LiveServer, lambda_client: Any, make_function: Functions) -> None:
    url = streaming_url(lambda_client, make_function, PLAIN)
    got = visit(live_server, url)
    assert (got.status, got["content-type"], got.body) == (200, "text/event-stream", b"data: 1\n\n")
    with pytest.raises(http.client.IncompleteRead) as broken:
        visit(live_server, url, path="/fail")
    assert broken.value.partial == b"data: 1\n\n"
    assert visit(live_server, url).body == b"data: 1\n\n"


def test_the_fetch_of_node_takes_a_url_as_a_browser_does(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    """A client that isn't ours, with a body, a query and redirects of its own."""
    url = public_url(lambda_client, make_function({"index.js": BUFFERED}, Runtime=RUNTIME))
    by_path = f"{live_server.url}/_lampion/function-urls/{urlsplit(url).netloc.partition('.')[0]}/a%20b"
    node = shutil.which("node")
    assert node is not None
    program = "fetch(process.argv[1], {method: 'POST'}).then(async (got) => console.log(got.status, await got.text()))"
    done = subprocess.run([node, "-e", program, by_path], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "418 /a%20b\n"
