"""The pure parts of networks: what nft and the kernel are told, which name servers remain, what is missing."""

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from lampion.sandbox.network.findings import NetworkFacts, assess_network
from lampion.sandbox.network.firewall import table_name
from lampion.sandbox.network.links import add_route, interface_of, list_addresses
from lampion.sandbox.network.netlink import RoutingSocket, attribute, attributes_of, number_attribute, text_attribute
from lampion.sandbox.network.resolver import reachable, resolver_file, servers_of
from lampion.sandbox.network.rules import host_rules, route_rules, router_rules

RESOLV_CONF = """# comment
nameserver 127.0.0.53
nameserver 192.168.1.1
nameserver fe80::1%eth0
nameserver
nameserver 10.0.0.300
nameserver\t203.0.113.53  trailing
search example
options edns0
"""


def test_name_servers_are_those_that_a_sandbox_can_reach() -> None:
    named = servers_of(RESOLV_CONF)
    assert [str(server) for server in named] == ["127.0.0.53", "192.168.1.1", "203.0.113.53"]
    assert [str(server) for server in reachable(named, [])] == ["192.168.1.1", "203.0.113.53"]
    assert [str(server) for server in reachable(named, [IPv4Address("192.168.1.1")])] == ["203.0.113.53"]
    assert reachable([IPv4Address("169.254.169.253")], []) == ()


def test_a_sandbox_with_routes_is_told_of_the_name_servers_within_them() -> None:
    servers = [IPv4Address("192.168.1.1"), IPv4Address("203.0.113.53")]
    assert resolver_file(servers) == "nameserver 192.168.1.1\nnameserver 203.0.113.53\n"
    assert resolver_file(servers, ["192.168.0.0/16"]) == "nameserver 192.168.1.1\n"
    assert resolver_file(servers, ["10.0.0.0/8"]) == ""
    assert resolver_file([]) == ""


def test_attributes_are_read_as_written_and_damage_ends_them() -> None:
    written = text_attribute(3, "eth0") + number_attribute(4, 7) + attribute(0x8005, b"abcde")
    assert attributes_of(written) == {3: b"eth0\0", 4: b"\7\0\0\0", 5: b"abcde"}
    assert attributes_of(written[:-5]) == {3: b"eth0\0", 4: b"\7\0\0\0"}
    assert attributes_of(b"\0\0\0\0") == {}
    assert attributes_of(b"\1") == {}


def test_what_the_kernel_refuses_is_an_error_and_the_next_answer_is_the_next_ones() -> None:
    with RoutingSocket() as asked:
        for _ in range(3):
            with pytest.raises(OSError, match=r"No such device|not permitted"):
                asked.do(add_route(999_999, IPv4Network("192.0.2.0/24")))
        assert asked.dump(list_addresses())


def test_the_interface_of_a_route_is_read() -> None:
    assert interface_of(bytes(12) + number_attribute(4, 42)) == 42


def test_networks_within_others_are_told_once() -> None:
    assert route_rules(7, ["10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/8", "192.0.2.7/32"]) == (
        "add element inet lampion allowed { 7 . 10.0.0.0/8, 7 . 192.0.2.7/32 }"
    )
    rules = router_rules([IPv4Address("127.0.0.1"), IPv4Address("192.0.2.5")], [], private_networks=False)
    assert "192.0.2.5/32" in rules
    assert "127.0.0.1/32" not in rules


def test_private_networks_and_name_servers_are_in_the_rules_only_when_wanted() -> None:
    server = IPv4Address("10.0.0.53")
    denied = router_rules([], [server], private_networks=False)
    assert "192.168.0.0/16" in denied
    assert denied.index("th dport 53 accept") < denied.index("192.168.0.0/16")
    allowed = router_rules([], [], private_networks=True)
    assert "192.168.0.0/16" not in allowed
    assert "dport 53" not in allowed
    assert "169.254.0.0/16" in allowed


def test_the_hosts_table_is_named_after_its_server() -> None:
    assert table_name("lampion", "1-2-3") == "lampion-1-2-3"
    assert table_name("7up", "1-2-3")[0].isalpha()
    assert host_rules("lampion-1-2-3", "lampion-0", IPv4Address("169.254.64.1")).startswith(
        "table inet lampion-1-2-3 {"
    )


GOOD: dict[str, Any] = {"is_root": True, "has_nft": True, "outgoing": (("eth0", True),), "has_dns": True}


@pytest.mark.parametrize(
    ("changes", "names", "mend"),
    [
        ({}, [], ""),
        ({"is_root": False}, ["network-root"], "start the server as root"),
        ({"has_nft": False}, ["network-nft"], "apt-get install nftables"),
        ({"outgoing": ()}, ["network-route"], "ip route add default"),
        (
            {"outgoing": (("eth0", True), ("wg0", False))},
            ["network-forwarding"],
            "sysctl -w net/ipv4/conf/wg0/forwarding=1",
        ),
        ({"has_dns": False}, ["network-dns"], "lampion serve --dns-server ADDRESS"),
    ],
)
def test_each_gap_is_a_finding_with_its_mend(changes: dict[str, Any], names: list[str], mend: str) -> None:
    findings = assess_network(NetworkFacts(**{**GOOD, **changes}))
    assert [finding.name for finding in findings] == names
    assert [finding.mend for finding in findings] == ([mend] if mend else [])


def test_without_egress_nobody_misses_a_name_server() -> None:
    assert assess_network(NetworkFacts(**{**GOOD, "has_dns": False}), needs_dns=False) == ()
