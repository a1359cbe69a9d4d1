"""Keys of functions end: with their time, with the function, with its role; an environment is replaced before."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.iam.making import ACCOUNT, TRUST, allowing, with_keys
from tests.conformance.refusals import refusal
from tests.deployment import Functions, functions, wait_updated, zipped
from tests.live_server import LiveServer

SOURCE = """
import os, time

def handler(event, context):
    time.sleep(event.get("seconds", 0))
    return [os.environ[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
"""
VOID = (403, "UnrecognizedClientException", "The security token included in the request is invalid.")
EXPIRED = (403, "ExpiredTokenException", "The security token included in the request is expired")


@pytest.fixture(scope="module")
def server(marked_root: Path) -> Iterator[LiveServer]:
    """Its clock can be advanced, and nothing is retired before it has to be."""
    options = ("--clock", "adjustable", "--idle-seconds", "86000")
    with LiveServer(data=marked_root / "keys", options=options) as started:
        yield started


@pytest.fixture
def make(server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Functions]:
    with functions(server.client(), request.node.name) as made:
        yield made


class Role:
    """Of this server; it may list functions."""

    def __init__(self, iam: Any, name: str) -> None:
        self._iam = iam
        self.name = name
        self.arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        self.make()

    def make(self) -> None:
        self._iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=json.dumps(TRUST))
        policy = allowing("lambda:ListFunctions")
        self._iam.put_role_policy(RoleName=self.name, PolicyName="p", PolicyDocument=policy)

    def delete(self) -> None:
        self._iam.delete_role_policy(RoleName=self.name, PolicyName="p")
        self._iam.delete_role(RoleName=self.name)


@pytest.fixture
def role(server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Role]:
    iam = server.client("iam")
    made = Role(iam, request.node.name[:60])
    yield made
    made.delete()


def keys_of(client: Any, name: str) -> list[str]:
    told = json.loads(client.invoke(FunctionName=name, Payload=b"{}")["Payload"].read())
    assert isinstance(told, list), told
    return told


def may(server: LiveServer, keys: list[str]) -> Any:
    """What who has the keys is told; None when he may."""
    client = with_keys(server.url, "lambda", *keys)
    try:
        client.list_functions()
    except client.exceptions.ClientError:
        return refusal(client.list_functions)
    finally:
        client.close()
    return None


def advance(server: LiveServer, span: str) -> None:
    command = [sys.executable, "-m", "lampion", "clock", "advance", span]
    subprocess.run(command, env=server.aws_environ(), capture_output=True, timeout=60, check=True)


def test_an_environment_is_replaced_before_its_keys_expire(server: LiveServer, make: Functions, role: Role) -> None:
    client, name = server.client(), make(SOURCE, Role=role.arn)
    first = keys_of(client, name)
    assert may(server, first) is None
    advance(server, "695m")
    second = keys_of(client, name)
    assert second != first
    assert may(server, second) is None


def test_those_of_one_that_works_on_expire(server: LiveServer, make: Functions, role: Role) -> None:
    """A provisioned environment stays; keys that got out of it are refused when their time is over."""
    client, name = server.client(), make(SOURCE, Role=role.arn, Publish=True)
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    wait_provisioned(client, name)
    first = keys_of(client, f"{name}:1")
    assert may(server, first) is None
    advance(server, "695m")
    assert may(server, first) in (None, VOID), "until its successor is ready"
    wait_provisioned(client, name)
    advance(server, "40m")
    assert may(server, first) in (EXPIRED, VOID)
    second = keys_of(client, f"{name}:1")
    assert (second != first, may(server, second)) == (True, None)


def wait_provisioned(client: Any, name: str) -> None:
    for _ in range(400):
        found = client.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
        if found["Status"] == "READY":
            return
    raise AssertionError(found)


def test_they_end_with_the_function_though_it_works_on(server: LiveServer, make: Functions, role: Role) -> None:
    client, name = server.client(), make(SOURCE, Role=role.arn)
    keys = keys_of(client, name)
    assert may(server, keys) is None
    client.delete_function(FunctionName=name)
    assert may(server, keys) == VOID
    client.create_function(
        FunctionName=name,
        Runtime=f"python3.{sys.version_info.minor}",
        Role=role.arn,
        Handler="index.handler",
        Code={"ZipFile": zipped(SOURCE)},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})
    assert may(server, keys) == VOID
    assert may(server, keys_of(client, name)) is None


def test_they_end_when_the_function_gets_another_role(server: LiveServer, make: Functions, role: Role) -> None:
    client, name = server.client(), make(SOURCE, Role=role.arn)
    keys = keys_of(client, name)
    client.update_function_configuration(FunctionName=name, Role=f"arn:aws:iam::{ACCOUNT}:role/another")
    wait_updated(client, name)
    assert may(server, keys) == VOID
    assert may(server, keys_of(client, name))[1] == "AccessDeniedException"


def test_they_end_with_the_role_and_its_successor_has_other_ones(
    server: LiveServer, make: Functions, role: Role
) -> None:
    client, name = server.client(), make(SOURCE, Role=role.arn)
    keys = keys_of(client, name)
    assert may(server, keys) is None
    role.delete()
    assert may(server, keys) == VOID
    role.make()
    assert may(server, keys) == VOID
    anew = keys_of(client, name)
    assert (anew != keys, may(server, anew)) == (True, None)
