"""The two APIs that an extension speaks, over the standard library's client."""

import json
import os
import urllib.error
import urllib.request
from typing import Any

BASE = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}"
IDENTIFIER = "Lambda-Extension-Identifier"
USUAL = {
    "schemaVersion": "2022-12-13",
    "types": ["platform", "function"],
    "buffering": {"timeoutMs": 25, "maxBytes": 262144, "maxItems": 1000},
}


def _request(method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **headers}
    return urllib.request.urlopen(urllib.request.Request(BASE + path, data, headers, method=method))


def register(name: str) -> str:
    body = {"events": ["INVOKE", "SHUTDOWN"]}
    answer = _request("POST", "/2020-01-01/extension/register", body, {"Lambda-Extension-Name": name})
    return str(answer.headers[IDENTIFIER])


def subscribe(identifier: str, uri: str) -> tuple[int, str]:
    """The status and the text of the answer."""
    wanted = json.loads(os.environ.get("SUBSCRIPTION", "{}"))
    path = wanted.pop("path", "/2022-07-01/telemetry")
    body = {**USUAL, "destination": {"protocol": "HTTP", "URI": uri}, **wanted}
    try:
        answer = _request("PUT", path, body, {IDENTIFIER: identifier})
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.read().decode()


def next_event(identifier: str) -> Any:
    return json.load(_request("GET", "/2020-01-01/extension/event/next", None, {IDENTIFIER: identifier}))
