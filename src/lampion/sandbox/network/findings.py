"""Why this machine can't give sandboxes a way out, and the command that mends it."""

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

from lampion.sandbox.driver import Finding
from lampion.sandbox.network import firewall, links
from lampion.sandbox.network.netlink import RoutingSocket
from lampion.sandbox.network.resolver import host_servers, reachable

_SOMEWHERE: Final = "192.0.2.1/32"
"""Reserved for documentation: the way there is the way to everywhere that has none of its own."""
NO_DNS: Final = "network-dns"
"""The finding that leaves a way out, only a poorer one."""
_EFFECT: Final = "functions can't be given a way out (--network egress, --subnet-route)"


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """`outgoing`: the interfaces that packets leave this machine by, and whether each may forward; empty: no way."""

    is_root: bool
    has_nft: bool
    outgoing: tuple[tuple[str, bool], ...]
    has_dns: bool


def examine_network(
    routes: Iterable[str] = (), *, is_egress: bool = True, dns: Iterable[IPv4Address] = ()
) -> tuple[Finding, ...]:
    """What stands in the way of `routes` and, for egress, of the way to the internet; about a millisecond."""
    return assess_network(_probe([*routes, *([_SOMEWHERE] if is_egress else [])], dns), needs_dns=is_egress)


def assess_network(facts: NetworkFacts, *, needs_dns: bool = True) -> tuple[Finding, ...]:
    """A finding for each gap. Pure."""
    findings = []
    if not facts.is_root:
        findings.append(Finding("network-root", _EFFECT, "start the server as root"))
    if not facts.has_nft:
        findings.append(Finding("network-nft", _EFFECT, "apt-get install nftables"))
    if not facts.outgoing:
        findings.append(Finding("network-route", f"{_EFFECT}: this machine has no route there", "ip route add default"))
    for interface, forwards in facts.outgoing:
        if not forwards:
            effect = f"{_EFFECT}: answers that arrive at {interface} aren't passed on"
            mend = f"sysctl -w net/ipv4/conf/{interface}/forwarding=1"
            findings.append(Finding("network-forwarding", effect, mend))
    if needs_dns and not facts.has_dns:
        effect = "functions with a way to the internet can't look up names: no server of /etc/resolv.conf is outside"
        findings.append(Finding(NO_DNS, effect, "lampion serve --dns-server ADDRESS"))
    return tuple(findings)


def _probe(routes: Iterable[str], dns: Iterable[IPv4Address]) -> NetworkFacts:
    try:
        with RoutingSocket() as asked:
            addresses = [links.address_of(content) for content in asked.dump(links.list_addresses())]
            names = {_interface_towards(asked, IPv4Network(route)[0]) for route in routes} - {""}
    except (OSError, AttributeError):  # not Linux
        addresses, names = [], set()
    return NetworkFacts(
        is_root=os.geteuid() == 0,
        has_nft=firewall.find_nft() is not None,
        outgoing=tuple((name, _forwards(name)) for name in sorted(names)),
        has_dns=bool(reachable(dns, addresses) or host_servers(addresses)),
    )


def _interface_towards(asked: RoutingSocket, address: IPv4Address) -> str:
    try:
        return socket.if_indextoname(links.interface_of(asked.ask(links.find_route(address))))
    except OSError:
        return ""


def _forwards(interface: str) -> bool:
    try:
        return Path(f"/proc/sys/net/ipv4/conf/{interface}/forwarding").read_text().strip() == "1"
    except OSError:
        return False
