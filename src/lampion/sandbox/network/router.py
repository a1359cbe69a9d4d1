"""A network namespace of our own between sandboxes and the host: it tells sandboxes apart and drops what they may not.

All of it belongs to one thread, which lives in that namespace; nothing here knows the event loop. When the server dies
the kernel removes the namespace with every interface in it, and with each interface its other end on the host.
"""

import contextlib
import os
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import count
from pathlib import Path
from typing import Final

from lampion.sandbox.driver import SandboxError
from lampion.sandbox.network import firewall, links, rules
from lampion.sandbox.network.namespaces import current_namespace, enter, enter_new_namespace, inside
from lampion.sandbox.network.netlink import RoutingSocket
from lampion.sandbox.network.resolver import host_servers, reachable, resolver_file
from lampion.sandbox.spec import Network, NetworkMode

SANDBOX_INTERFACE: Final = "eth0"
_SANDBOX_INDEX: Final = 4096  # beyond what the kernel puts into a new namespace by itself
_UPLINK_INDEX: Final = 4096
_FIRST_INDEX: Final = 5000
_SANDBOX_ADDRESSES: Final = IPv4Network("169.254.192.0/18")
"""Link-local, as on AWS: nothing that a function may want to reach lies there, and the host never sees them."""
_UPLINK_ADDRESSES: Final = IPv4Network("169.254.64.0/23")
_ANYWHERE: Final = IPv4Network("0.0.0.0/0")
_SETTINGS: Final = Path("/proc/sys/net")


@dataclass(frozen=True, slots=True)
class Outside:
    """What sandboxes may use beyond this machine. `dns` empty: the host's servers, as far as they can be reached."""

    private_networks: bool = False
    dns: tuple[IPv4Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A sandbox's way out. `resolver_file` is what its /etc/resolv.conf says; empty: names can't be looked up."""

    address: IPv4Address
    resolver_file: str


class Router:
    """Made and used in a thread that does nothing else, and that must end after `close`."""

    def __init__(self, table: str, outside: Outside) -> None:
        """`table` is the host's nft table, and the alias of our interface there.

        Raises SandboxError or OSError; then nothing is left.
        """
        self._table = table
        self._outside = outside
        self._numbers = count()
        self._groups: dict[tuple[str, ...], int] = {}
        self._used: set[IPv4Address] = set()
        self._addresses = _SANDBOX_ADDRESSES.hosts()
        with contextlib.ExitStack() as on_failure:
            self._host = current_namespace()
            on_failure.callback(os.close, self._host)
            self._claim, number = _claim_uplink()
            on_failure.callback(self._claim.close)
            self._socket = self._open(f"lampion-{number}", number)
            on_failure.pop_all()

    def attach(self, namespace: int, network: Network) -> Attachment:
        """Give the sandbox in `namespace` an interface whose other end is here. Raises SandboxError or OSError.

        The interface goes with that namespace. About 0.5 ms; moving one that exists would take 20.
        """
        group = self._group_of(network)
        address = self._take_address()
        try:
            number = next(self._numbers)
            ours = links.End(f"s{number}", _FIRST_INDEX + number, group=group)
            theirs = links.End(SANDBOX_INTERFACE, _SANDBOX_INDEX, namespace)
            self._socket.do(links.make_pair(ours, theirs), links.add_route(ours.index, _alone(address)))
            _configure(namespace, SANDBOX_INTERFACE, _SANDBOX_INDEX, address, _ANYWHERE)
        except BaseException:
            self._used.discard(address)
            raise
        routes = None if network.mode is NetworkMode.EGRESS else network.routes
        return Attachment(address, resolver_file(self._dns, routes))

    def give_back(self, attachment: Attachment) -> None:
        """The sandbox has gone."""
        self._used.discard(attachment.address)

    def close(self) -> None:
        self._socket.close()
        self._claim.close()
        try:
            with inside(self._host):
                firewall.delete_table(self._table)
        finally:
            os.close(self._host)

    def _open(self, uplink: str, number: int) -> RoutingSocket:
        """The host's firewall comes before there is anything to send through it, ours before anyone can send."""
        on_host, here = _UPLINK_ADDRESSES[2 * number], _UPLINK_ADDRESSES[2 * number + 1]
        host_addresses = self._read_host()
        with inside(self._host):
            firewall.change(rules.host_rules(self._table, uplink, here))
        try:
            enter_new_namespace()
            opened = RoutingSocket()
            try:
                private = self._outside.private_networks
                firewall.change(rules.router_rules(host_addresses, self._dns, private_networks=private))
                _write_settings(
                    {"ipv4/ip_forward": 1, "ipv6/conf/all/disable_ipv6": 1, "ipv6/conf/default/disable_ipv6": 1}
                )
                ours = links.End(rules.UPLINK, _UPLINK_INDEX)
                theirs = links.End(uplink, namespace=self._host, alias=self._table)
                opened.do(
                    links.make_pair(ours, theirs),
                    links.add_address(_UPLINK_INDEX, here),
                    links.add_route(_UPLINK_INDEX, _ANYWHERE),
                )
                self._configure_host(uplink, on_host, here)
            except BaseException:
                opened.close()
                raise
        except BaseException:
            enter(self._host)  # which leaves the new one to its end
            firewall.delete_table(self._table)
            raise
        return opened

    def _read_host(self) -> list[IPv4Address]:
        """The host's addresses; finds the servers for names too."""
        with RoutingSocket() as asked:
            addresses = [links.address_of(content) for content in asked.dump(links.list_addresses())]
        self._dns = reachable(self._outside.dns, addresses) if self._outside.dns else host_servers(addresses)
        return addresses

    def _configure_host(self, uplink: str, on_host: IPv4Address, here: IPv4Address) -> None:
        with inside(self._host):
            index = socket.if_nametoindex(uplink)
        _configure(self._host, uplink, index, on_host, _alone(here))
        with inside(self._host):
            _write_settings({f"ipv4/conf/{uplink}/forwarding": 1})

    def _group_of(self, network: Network) -> int:
        """The interface group whose members may reach what the sandbox may; a firewall rule is made once for each."""
        if network.mode is NetworkMode.EGRESS:
            return rules.EGRESS_GROUP
        key = tuple(sorted(set(network.routes)))
        if key not in self._groups:
            group = rules.EGRESS_GROUP + 1 + len(self._groups)
            firewall.change(rules.route_rules(group, key))
            self._groups[key] = group
        return self._groups[key]

    def _take_address(self) -> IPv4Address:
        """The one that was used longest ago, so that late answers to a sandbox that has gone find nobody."""
        for _ in range(_SANDBOX_ADDRESSES.num_addresses):
            address = next(self._addresses, None)
            if address is None:
                self._addresses = _SANDBOX_ADDRESSES.hosts()
            elif address not in self._used:
                self._used.add(address)
                return address
        raise SandboxError(f"all addresses of {_SANDBOX_ADDRESSES} are in use")


def _claim_uplink() -> tuple[socket.socket, int]:
    """A number that no other server in this network has: the kernel takes the name back when its holder dies."""
    for number in range(_UPLINK_ADDRESSES.num_addresses // 2):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            claim.bind(f"\0lampion-uplink-{number}")
            return claim, number
        claim.close()
    raise SandboxError("every uplink address is claimed by another server on this machine")


def _configure(namespace: int, name: str, index: int, address: IPv4Address, reached: IPv4Network) -> None:
    """An interface there: its address, what is reached through it, and no IPv6."""
    with inside(namespace), RoutingSocket() as there:
        with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
            _write_settings({f"ipv6/conf/{name}/disable_ipv6": 1})
        there.do(links.add_address(index, address), links.raise_link(index), links.add_route(index, reached))


def _write_settings(settings: dict[str, int]) -> None:
    """Of the network namespace that this thread is in. Raises OSError."""
    for path, value in settings.items():
        (_SETTINGS / path).write_text(str(value))


def _alone(address: IPv4Address) -> IPv4Network:
    return IPv4Network((address, 32))
