"""Which network a function's sandbox gets. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lampion.domain.function import FunctionConfiguration
from lampion.sandbox.spec import Network, NetworkMode


@dataclass(frozen=True, slots=True)
class Reach:
    """The mode of functions without a VPC, and the routes that subnets stand for."""

    mode: NetworkMode
    subnet_routes: Mapping[str, Sequence[str]]

    def network_of(self, configuration: FunctionConfiguration) -> Network:
        """A function in a VPC reaches what its subnets have routes to, and never more than that."""
        subnets = (configuration.vpc_config or {}).get("SubnetIds") or ()
        if not subnets or self.mode is NetworkMode.NONE:
            return Network(self.mode)
        routes = {route for subnet in subnets for route in self.subnet_routes.get(subnet, ())}
        return Network(NetworkMode.GATEWAY, tuple(sorted(routes)))
