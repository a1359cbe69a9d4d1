"""A server with a certificate: every client speaks HTTPS to it, and every address that it gives says so."""

import http.client
import json
import os
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import SSLError

from tests.conformance.function_urls.visiting import ECHO, public_url, visit
from tests.deployment import functions
from tests.live_server import LiveServer, NotReady
from tests.tls import CERTIFICATE, KEY, LOCKED_KEY, OTHER_KEY

REACHES = """
import os, urllib.error, urllib.request

def handler(event, context):
    try:
        urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/2015-03-31/functions", timeout=10)
    except urllib.error.HTTPError as error:
        return [os.environ["AWS_ENDPOINT_URL"].partition(":")[0], error.code]
"""
PAIR = ("--tls-certificate", str(CERTIFICATE), "--tls-key", str(KEY))


@pytest.fixture
def server(start_server: Callable[..., LiveServer]) -> LiveServer:
    return start_server(*PAIR)


@contextmanager
def client_of(server: LiveServer, verify: str | bool = str(CERTIFICATE)) -> Iterator[Any]:
    found = server.server
    client = boto3.session.Session().client(
        "lambda",
        endpoint_url=found.url,
        region_name=found.region,
        aws_access_key_id=found.access_key_id,
        aws_secret_access_key=found.secret_access_key,
        verify=verify,
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()


def lampion(server: LiveServer, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lampion", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_clients_and_urls(server: LiveServer) -> None:
    assert server.url.startswith("https://127.0.0.1:")
    context = ssl.create_default_context(cafile=CERTIFICATE)
    with client_of(server) as client, functions(client, "tls") as make:
        name = make(ECHO)
        url = public_url(client, name)
        assert url.startswith("https://")
        event = visit(server, url, tls=context).json
        assert event["headers"]["x-forwarded-proto"] == "https"
        assert event["headers"]["x-forwarded-port"] == str(urlsplit(server.url).port)
        location = client.get_function(FunctionName=name)["Code"]["Location"]
        with urllib.request.urlopen(location, context=context) as code:
            assert (code.status, code.read(2)) == (200, b"PK")


def test_who_does_not_trust_the_certificate_does_not_get_through(server: LiveServer) -> None:
    with client_of(server, verify=True) as client, pytest.raises(SSLError):
        client.list_functions()


def test_the_commands_trust_the_server_s_own_certificate(server: LiveServer) -> None:
    data = ("--data", str(server.data))
    with client_of(server) as client, functions(client, "tls") as make:
        name = make(ECHO)
        invoked = lampion(server, "invoke", name, *data)
        assert (invoked.returncode, json.loads(invoked.stdout)["statusCode"]) == (0, 200), invoked.stderr
        assert "START RequestId" in lampion(server, "logs", name, *data).stdout
        exported = lampion(server, "env", *data).stdout
        variables = dict(line.removeprefix("export ").split("=", 1) for line in exported.splitlines())
        assert variables["AWS_CA_BUNDLE"] == variables["NODE_EXTRA_CA_CERTS"] == str(CERTIFICATE)
        by_environment = lampion(server, "invoke", name, **variables)
        assert by_environment.returncode == 0, by_environment.stderr
        without = lampion(server, "invoke", name, **{**variables, "AWS_CA_BUNDLE": ""})
        assert (without.returncode, "certificate verify failed" in without.stderr) == (7, True), without.stderr


def test_functions_reach_the_server_as_before(server: LiveServer) -> None:
    with client_of(server) as client, functions(client, "tls") as make:
        answer = client.invoke(FunctionName=make(REACHES))
        assert json.load(answer["Payload"]) == ["http", 403]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (PAIR[:2], "--tls-certificate"),
        (PAIR[2:], "--tls-key"),
        ((*PAIR[:3], str(OTHER_KEY)), "doesn't belong to the certificate"),
        ((*PAIR[:3], str(LOCKED_KEY)), "protected by a password"),
        ((*PAIR[:3], "/nonexistent/key.pem"), "/nonexistent/key.pem is not there"),
    ],
)
def test_a_bad_pair_is_refused_at_start(
    start_server: Callable[..., LiveServer], options: tuple[str, ...], words: str
) -> None:
    with pytest.raises(NotReady) as refused:
        start_server(*options)
    assert "exit code 2" in str(refused.value)
    assert words in str(refused.value)
    assert "Traceback" not in str(refused.value)


def test_plain_http_is_cut_off(server: LiveServer) -> None:
    address = urlsplit(server.url)
    assert address.hostname is not None
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    connection.request("GET", "/")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        connection.getresponse()
    connection.close()
    with client_of(server) as client:
        assert client.list_functions()["Functions"] == []
    assert "Traceback" not in server.output
