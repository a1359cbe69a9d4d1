"""What functions reach on a server that was told to let them out; all of it in networks of the test's own."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lampion.sandbox.network.firewall import change, find_nft
from tests.deployment import Functions, functions
from tests.live_server import LiveServer, NotReady
from tests.sandbox.internet import DNS, GREETING, HOST, LAN, SERVER, Internet, ip, tiny_internet

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may make interfaces and firewall rules"),
    pytest.mark.skipif(find_nft() is None, reason="needs nft; scripts/system-packages network installs it"),
]
REACH = """
import os, socket

def handler(event, context):
    return {name: reach(name) for name in event}

def reach(name):
    address = os.environ["AWS_ENDPOINT_URL"].rpartition("/")[2] if name == "gateway" else name
    host, _, port = address.partition(":")
    try:
        with socket.create_connection((host, int(port or 80)), timeout=1) as peer:
            if name == "gateway":
                peer.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
            return peer.recv(18).decode()
    except OSError as error:
        return type(error).__name__
"""
HELLO, GATEWAY = GREETING.decode(), "HTTP/1.1 404 Not F"
VPC = {"SubnetIds": ["subnet-1", "subnet-unknown"], "SecurityGroupIds": ["sg-1"]}
EVERYWHERE = ["gateway", SERVER, "lampion.example", LAN, f"{HOST}:8080"]


@pytest.fixture
def internet() -> Iterator[Internet]:
    with tiny_internet() as made:
        ip("route", "add", LAN, "via", SERVER)
        yield made


def reached(server: LiveServer, **configuration: Any) -> dict[str, str]:
    client = server.client()
    with functions(client, "reach") as made:
        return invoke(client, made, configuration)


def invoke(client: Any, make: Functions, configuration: dict[str, Any]) -> dict[str, str]:
    name = make(REACH, Timeout=30, MemorySize=512, **configuration)
    answer = client.invoke(FunctionName=name, Payload=json.dumps(EVERYWHERE))
    found: dict[str, str] = json.loads(answer["Payload"].read())
    client.close()
    return found


def test_egress_reaches_the_internet_and_nothing_around(internet: Internet, marked_root: Path) -> None:
    options = ("--network", "egress", "--dns-server", DNS, "--subnet-route", "subnet-1=10.9.0.0/24")
    with LiveServer(data=marked_root / "egress", options=options) as server:
        out = "TimeoutError"
        expected = {"gateway": GATEWAY, SERVER: HELLO, "lampion.example": HELLO, LAN: out, f"{HOST}:8080": out}
        assert reached(server) == expected
        in_vpc = {**expected, SERVER: out, "lampion.example": "gaierror", LAN: HELLO}
        assert reached(server, VpcConfig=VPC) == in_vpc
        without_routes = {**dict.fromkeys(EVERYWHERE, "OSError"), "gateway": GATEWAY, "lampion.example": "gaierror"}
        assert reached(server, VpcConfig={**VPC, "SubnetIds": ["subnet-2"]}) == without_routes
    assert change("list tables") == ""


def test_a_function_reaches_the_gateway_only_unless_told_otherwise(internet: Internet, marked_root: Path) -> None:
    with LiveServer(data=marked_root / "gateway") as server:
        expected = {**dict.fromkeys(EVERYWHERE, "OSError"), "gateway": GATEWAY, "lampion.example": "gaierror"}
        assert reached(server) == expected
        assert reached(server, VpcConfig=VPC) == expected


def test_a_server_that_cannot_let_functions_out_does_not_start(internet: Internet, marked_root: Path) -> None:
    Path("/proc/sys/net/ipv4/conf/lan0/forwarding").write_text("0")
    for options in (("--network", "egress"), ("--subnet-route", "subnet-1=10.9.0.0/24")):
        with pytest.raises(NotReady, match="sysctl -w net/ipv4/conf/lan0/forwarding=1"):
            LiveServer(data=marked_root / "no-way-out", options=options).start()
