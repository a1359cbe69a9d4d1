"""A program that calls as a service of AWS, with a key of `lampion iam service-key`."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.conformance.refusals import refusal
from tests.live_server import LiveServer, boto_client

SECONDS = 60


def lampion(server: LiveServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lampion", "iam", "service-key", *arguments]
    return subprocess.run(
        command, env=server.aws_environ(), capture_output=True, text=True, timeout=SECONDS, check=False
    )


class ServiceCaller:
    """A program with a service's key."""

    def __init__(self, server: LiveServer, service: str = "s3.amazonaws.com", *, key: dict[str, str] | None = None):
        self.server = server
        if key is None:
            key = json.loads(lampion(server, service, "--json").stdout)
        self.key_id, self.secret = key["AccessKeyId"], key["SecretAccessKey"]

    def client(self, service: str = "lambda", **headers: str) -> Any:
        """boto3's, with headers that it signs."""
        client = boto_client(
            service,
            endpoint_url=self.server.url,
            region_name="us-east-1",
            aws_access_key_id=self.key_id,
            aws_secret_access_key=self.secret,
        )

        def add(request: Any, **_: Any) -> None:
            for name, value in headers.items():
                request.headers[name] = value

        client.meta.events.register("before-sign", add)
        return client

    def invoke(self, name: str, source: str = "", source_account: str = "", **more: Any) -> tuple[int, str, str] | Any:
        """What it answers, or how it is refused."""
        headers = {"X-Amz-Source-Arn": source, "X-Amz-Source-Account": source_account}
        client = self.client(**{name: value for name, value in headers.items() if value})
        try:
            asked = {"FunctionName": name, "Payload": b"[7]", **more}
            return json.loads(client.invoke(**asked)["Payload"].read())
        except client.exceptions.ClientError:
            return refusal(client.invoke, **asked)
        finally:
            client.close()

    def remove(self) -> None:
        assert lampion(self.server, "--remove", self.key_id).returncode == 0


def asked(caller: ServiceCaller, method: str, path: str, *, source: str = "") -> tuple[int, bytes]:
    """Signed by botocore."""
    to = f"{caller.server.url}{path}"
    request = AWSRequest(method, to, headers={"X-Amz-Source-Arn": source} if source else {})
    SigV4Auth(Credentials(caller.key_id, caller.secret), "lambda", "us-east-1").add_auth(request)
    sent = urllib.request.Request(to, method=method, headers=dict(request.headers.items()))
    try:
        with urllib.request.urlopen(sent, timeout=SECONDS) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def denied(service: str, action: str, resource: str) -> tuple[int, str, str]:
    told = f"User: {service} is not authorized to perform: {action} on resource: {resource}"
    return 403, "AccessDeniedException", f"{told} because no resource-based policy allows the {action} action"
