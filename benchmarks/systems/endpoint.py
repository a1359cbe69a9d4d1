"""Reaching a Lambda API: by boto3, and as one plain (signed) request that a load generator can repeat."""

import base64
import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

ANSWER_SECONDS = 60


class WrongAnswer(Exception):
    """An invoke that did not answer 200 with the event."""


@dataclass(frozen=True, slots=True)
class InvokeRequest:
    """An Invoke as it goes over the wire. A signature in `headers` holds for 15 minutes, for any number of sendings."""

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes

    @property
    def target(self) -> str:
        """Path and query."""
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a Lambda API listens, and as whom to call it."""

    url: str
    region: str = "us-east-1"
    access_key_id: str = "benchmark"
    secret_access_key: str = field(default="benchmark", repr=False)
    signed: bool = False

    def client(self) -> Any:
        """A boto3 Lambda client that never repeats a call and goes through no proxy."""
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=ANSWER_SECONDS, proxies={})
        session = boto3.session.Session(self.access_key_id, self.secret_access_key, region_name=self.region)
        return session.client("lambda", endpoint_url=self.url, config=config)

    def invoke_request(self, function_name: str, event: bytes, qualifier: str | None = None) -> InvokeRequest:
        """Invoke of `function_name`, signed now if this endpoint wants signatures."""
        query = f"?Qualifier={qualifier}" if qualifier else ""
        return self._request(f"/2015-03-31/functions/{function_name}/invocations{query}", event)

    def event_request(self, function_name: str, event: bytes) -> InvokeRequest:
        """As `invoke_request`, but only to be accepted, and run later."""
        target = f"/2015-03-31/functions/{function_name}/invocations"
        return self._request(target, event, {"X-Amz-Invocation-Type": "Event"})

    def logged_request(self, function_name: str, event: bytes) -> InvokeRequest:
        """As `invoke_request`; the answer also has the last of the function's log."""
        target = f"/2015-03-31/functions/{function_name}/invocations"
        return self._request(target, event, {"X-Amz-Log-Type": "Tail"})

    def stream_request(self, function_name: str, event: bytes) -> InvokeRequest:
        """InvokeWithResponseStream."""
        return self._request(f"/2021-11-15/functions/{function_name}/response-streaming-invocations", event)

    def _request(self, target: str, event: bytes, headers: Mapping[str, str] | None = None) -> InvokeRequest:
        url = self.url + target
        every = {"Content-Type": "application/json", **(headers or {})}
        request = AWSRequest("POST", url, data=event, headers=every)
        if self.signed:
            credentials = Credentials(self.access_key_id, self.secret_access_key)
            SigV4Auth(credentials, "lambda", self.region).add_auth(request)
        return InvokeRequest(url, dict(request.headers.items()), event)


@dataclass(frozen=True, slots=True)
class Answer:
    """The body, and what the log says of an invoke that asked for it."""

    body: bytes
    log: str


def invoke(request: InvokeRequest) -> bytes:
    """The answer's body, over a connection of its own. Raises WrongAnswer."""
    return invoke_logged(request).body


def invoke_logged(request: InvokeRequest) -> Answer:
    """As `invoke`."""
    parts = urlsplit(request.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("POST", request.target, request.body, request.headers)
        response = connection.getresponse()
        answer = response.read()
    finally:
        connection.close()
    if response.status != 200 or response.getheader("X-Amz-Function-Error"):
        raise WrongAnswer(f"HTTP {response.status}: {answer[:300].decode(errors='replace')}")
    return Answer(answer, base64.b64decode(response.getheader("X-Amz-Log-Result", "")).decode(errors="replace"))


def timed_invoke_seconds(request: InvokeRequest) -> float:
    """From before the connection is made until the whole answer is here. Raises WrongAnswer."""
    began = time.perf_counter()
    invoke(request)
    return time.perf_counter() - began
