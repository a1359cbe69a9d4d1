"""Which network a function gets, from the server's mode, its VpcConfig and the routes of subnets."""

import pytest

from lampion.domain.function import FunctionConfiguration, LoggingConfig
from lampion.environments.reach import Reach
from lampion.sandbox.spec import Network, NetworkMode

ROUTES = {"subnet-1": ("10.1.0.0/16", "10.2.0.0/16"), "subnet-2": ("10.2.0.0/16", "192.0.2.0/24")}


def network(mode: NetworkMode, *subnets: str, vpc: bool = True) -> Network:
    vpc_config = {"SubnetIds": list(subnets), "SecurityGroupIds": []} if vpc else None
    configuration = FunctionConfiguration(role="r", logging=LoggingConfig("g"), vpc_config=vpc_config)
    return Reach(mode, ROUTES).network_of(configuration)


@pytest.mark.parametrize("mode", NetworkMode)
def test_without_a_vpc_the_servers_mode_holds(mode: NetworkMode) -> None:
    assert network(mode, vpc=False) == network(mode) == Network(mode)


@pytest.mark.parametrize("mode", [NetworkMode.GATEWAY, NetworkMode.EGRESS])
def test_in_a_vpc_there_are_the_routes_of_its_subnets_and_no_internet(mode: NetworkMode) -> None:
    assert network(mode, "subnet-1") == Network(routes=("10.1.0.0/16", "10.2.0.0/16"))
    assert network(mode, "subnet-2", "subnet-1").routes == ("10.1.0.0/16", "10.2.0.0/16", "192.0.2.0/24")
    assert network(mode, "subnet-unknown") == Network()
    assert not network(mode, "subnet-unknown").leaves_host


def test_where_there_is_no_network_a_vpc_gives_none() -> None:
    assert network(NetworkMode.NONE, "subnet-1") == Network(NetworkMode.NONE)
    assert not Network(NetworkMode.NONE, ("10.0.0.0/8",)).leaves_host
