"""Visits to function URLs: their names lead to the live server, whatever the machine makes of names under localhost."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.live_server import LiveServer

FORBIDDEN = {
    "Message": "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
}
ECHO = """
import json

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
"""
SAYS = """
import json

def handler(event, context):
    return json.loads(event["body"])
"""
"""Answers what it is told to answer, in the body of a request."""


class Reached(Protocol):
    """A server that listens."""

    @property
    def url(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Visited:
    """An answer; names of headers are lower case, and may come several times."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def __getitem__(self, name: str) -> str | None:
        values = [value for named, value in self.headers if named == name]
        assert len(values) <= 1, values
        return values[0] if values else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def refusal(self) -> tuple[int, str | None, Any]:
        return self.status, self["x-amzn-errortype"], self.json


def visit(
    server: Reached,
    url: str,
    method: str = "GET",
    path: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | str | None = None,
    tls: ssl.SSLContext | None = None,
) -> Visited:
    """`path` is appended to the URL as it is. A `Host` among the headers takes the place of the URL's."""
    parts, address = urlsplit(url), urlsplit(server.url)
    assert address.hostname is not None
    if tls is None:
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    else:
        connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=30, context=tls)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "") + path.removeprefix("/")
    sent = body.encode() if isinstance(body, str) else body
    try:
        connection.request(method, target, body=sent, headers={"Host": parts.netloc, **(headers or {})})
        answer = connection.getresponse()
        return Visited(answer.status, [(name.lower(), value) for name, value in answer.getheaders()], answer.read())
    finally:
        connection.close()


def say(server: Reached, url: str, answer: Any, **more: Any) -> Visited:
    """Have a function of source SAYS answer this."""
    headers = {"Content-Type": "application/json", **more.pop("headers", {})}
    return visit(server, url, "POST", headers=headers, body=json.dumps(answer), **more)


def url_of(client: Any, name: str, auth_type: str = "NONE", **more: Any) -> str:
    """A new URL of a function, to which nobody has access yet but who owns it."""
    url: str = client.create_function_url_config(FunctionName=name, AuthType=auth_type, **more)["FunctionUrl"]
    return url


def allow(client: Any, name: str, principal: str = "*", auth_type: str = "NONE", **more: Any) -> None:
    """Both permissions that a caller by URL needs."""
    common = {"FunctionName": name, "Principal": principal, **more}
    client.add_permission(StatementId="url", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType=auth_type, **common)
    client.add_permission(StatementId="function", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True, **common)


def public_url(client: Any, name: str, **more: Any) -> str:
    """A URL of the function that everybody may use."""
    url = url_of(client, name, **more)
    allow(client, name)
    return url


def signed(
    url: str,
    key: tuple[str, str] | tuple[str, str, str],
    method: str = "GET",
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    region: str = "us-east-1",
    service: str = "lambda",
) -> dict[str, str]:
    """The headers of a signed request, as botocore signs it."""
    request = AWSRequest(method, url, headers={"Host": urlsplit(url).netloc, **(headers or {})}, data=body)
    SigV4Auth(Credentials(*key), service, region).add_auth(request)
    return dict(request.headers.items())


def presigned(url: str, key: tuple[str, str], *, expires: int = 60) -> str:
    """The URL with a signature in its query, as botocore signs it."""
    request = AWSRequest("GET", url)
    SigV4QueryAuth(Credentials(*key), "lambda", "us-east-1", expires=expires).add_auth(request)
    assert request.url is not None
    return str(request.url)


def root_key(server: LiveServer) -> tuple[str, str]:
    found = server.server
    return found.access_key_id, found.secret_access_key
