"""Which packets may pass, in nft's language. Pure.

A sandbox's packets cross two firewalls: that of our router, where they are told apart by sandbox, and that of the host,
where they all come from one interface. Each alone keeps sandboxes from the host.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from typing import Final

UPLINK: Final = "uplink"
"""The router's interface towards the host."""
EGRESS_GROUP: Final = 1
"""Interface group of sandboxes that reach everything that is allowed at all; higher ones have lists of routes."""
ROUTER_TABLE: Final = "lampion"
FORBIDDEN: Final = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4")
"""This host, loopback, link-local (with the metadata services of all clouds), multicast, and what isn't an address."""
PRIVATE: Final = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
_NEW_CONNECTIONS: Final = "limit rate over 200/second burst 1000 packets"


def router_rules(host: Iterable[IPv4Address], dns: Iterable[IPv4Address], *, private_networks: bool) -> str:
    """The router's own. `host` are addresses of this machine: unreachable even if the host's table is flushed."""
    private = "" if private_networks else f"iifgroup {EGRESS_GROUP} ip daddr {_set(PRIVATE)} drop"
    servers = list(dns)
    names = f"iifgroup {EGRESS_GROUP} ip daddr {_set(servers)} meta l4proto {{ tcp, udp }} th dport 53 accept"
    return f"""table inet {ROUTER_TABLE} {{
    set allowed {{ typeof iifgroup . ip daddr; flags interval; elements = {{ {EGRESS_GROUP} . 0.0.0.0/0 }}; }}
    set openings {{ typeof ip saddr; flags dynamic; size 65536; timeout 60s; }}
    chain arrival {{
        type filter hook prerouting priority raw; policy drop;
        iifname {UPLINK} accept
        meta nfproto ipv4 fib saddr . iif oif exists accept
    }}
    chain passage {{
        type filter hook forward priority filter; policy drop;
        iifname {UPLINK} ct state established,related accept
        oifname != {UPLINK} drop
        ip daddr {_set([*FORBIDDEN, *host])} drop
        ct state new add @openings {{ ip saddr {_NEW_CONNECTIONS} }} drop
        {names if servers else ""}
        {private}
        iifgroup . ip daddr @allowed accept
    }}
    chain router {{ type filter hook input priority filter; policy drop; }}
    chain translation {{
        type nat hook postrouting priority srcnat; policy accept;
        oifname {UPLINK} masquerade
    }}
}}"""


def route_rules(group: int, routes: Iterable[str]) -> str:
    """Lets interfaces of `group` reach `routes`. Networks within others would be refused, hence the collapsing."""
    networks = collapse_addresses(IPv4Network(route) for route in routes)
    elements = ", ".join(f"{group} . {network}" for network in networks)
    return f"add element inet {ROUTER_TABLE} allowed {{ {elements} }}"


def host_rules(table: str, uplink: str, router: IPv4Address) -> str:
    """The host's, for `uplink`: nothing of the host answers there, nobody opens a connection to it, and its packets
    leave with the host's own address.
    """
    return f"""table inet {table} {{
    chain arrival {{
        type filter hook prerouting priority raw; policy accept;
        iifname {uplink} meta nfproto != ipv4 drop
        iifname {uplink} ip saddr != {router} drop
        iifname {uplink} fib daddr type != unicast drop
    }}
    chain host {{
        type filter hook input priority filter; policy accept;
        iifname {uplink} drop
    }}
    chain passage {{
        type filter hook forward priority filter; policy accept;
        iifname {uplink} ip daddr {_set(FORBIDDEN)} drop
        oifname {uplink} ct state != {{ established, related }} drop
    }}
    chain translation {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {router} oifname != {uplink} masquerade
    }}
}}"""


def _set(members: Iterable[object]) -> str:
    """An anonymous set. Members within others are left out, for nft refuses overlaps."""
    networks = collapse_addresses(IPv4Network(str(member)) for member in members)
    return "{ " + ", ".join(map(str, networks)) + " }"
