"""What a sandbox with a way out reaches, what it is kept from, and that nothing of it stays."""

import asyncio
import os
import socket
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from lampion.sandbox.cgroup_host import owner_name
from lampion.sandbox.driver import SandboxError
from lampion.sandbox.drivers.namespace import NamespaceDriver
from lampion.sandbox.network import firewall
from lampion.sandbox.network.namespaces import inside, namespace_of
from lampion.sandbox.network.router import Outside
from lampion.sandbox.spec import Network, NetworkMode
from tests.sandbox.boxes import CLOCK, WAITING, CopyingDriver, eventually, output_of, read, spec_of, started
from tests.sandbox.conftest import CGROUP_PARENT
from tests.sandbox.internet import DNS, GREETING, HOST, LAN, METADATA, SERVER, ip, tiny_internet

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may make interfaces and firewall rules"),
    pytest.mark.skipif(firewall.find_nft() is None, reason="needs nft; scripts/system-packages network installs it"),
]
EGRESS = Network(NetworkMode.EGRESS)
REACH = """
import socket, sys
def reach(address, port=80):
    try:
        with socket.create_connection((address, port), timeout=TIMEOUT) as peer: return peer.recv(100).decode()
    except OSError as error: return type(error).__name__
"""
SHORT = REACH.replace("TIMEOUT", "0.5")
LONG = REACH.replace("TIMEOUT", "10")
HELLO = GREETING.decode()


@pytest.fixture
def internet():
    with tiny_internet() as made:
        yield made


@pytest.fixture
async def egress(internet):
    driver = NamespaceDriver(CLOCK, CGROUP_PARENT, stock=2, outside=Outside(dns=(IPv4Address(DNS),)))
    yield driver
    await driver.close()


async def told(driver: NamespaceDriver, code: str, expression: str, network: Network = EGRESS) -> Any:
    return eval(await output_of(driver, f"{code}\nprint(repr({expression}))", network=network))


async def test_a_server_on_the_internet_is_reached_and_sees_the_hosts_address(internet, egress):
    assert await told(egress, LONG, f"reach('{SERVER}')") == HELLO
    assert internet.peers == [HOST]


async def test_a_sandbox_prepared_with_a_waiting_process_gets_the_same_way_out(internet):
    driver = CopyingDriver(CLOCK, CGROUP_PARENT, stock=2, outside=Outside(dns=(IPv4Address(DNS),)))
    driver.expect(WAITING)
    try:
        assert await told(driver, LONG, "reach('lampion.example')") == HELLO
        assert await told(driver, SHORT, f"reach('{HOST}', 8080)") == "TimeoutError"
        assert await told(driver, SHORT, f"reach('{SERVER}')", Network()) == "OSError"
    finally:
        await driver.close()


async def test_names_are_looked_up_at_the_servers_given(egress):
    assert await told(egress, LONG, "(socket.gethostbyname('lampion.example'), reach('lampion.example'))") == (
        SERVER,
        HELLO,
    )
    assert await told(egress, "", "open('/etc/resolv.conf').read()") == f"nameserver {DNS}\n"


async def test_the_host_itself_the_metadata_service_and_private_networks_are_out_of_reach(internet, egress):
    ip("route", "add", METADATA, "dev", "lan0")
    targets = [(HOST, 8080), (METADATA, 80), (LAN, 80), ("127.0.0.1", 8080), ("169.254.64.0", 8080), ("0.0.0.0", 8080)]
    answers = await told(egress, SHORT, f"[reach(*target) for target in {targets!r}]")
    assert all(isinstance(answer, str) and answer.endswith("Error") for answer in answers), answers
    assert internet.peers == []


async def test_without_our_rules_on_the_host_the_router_still_keeps_sandboxes_from_it(internet, egress):
    assert await told(egress, LONG, f"reach('{SERVER}')") == HELLO
    firewall.change("flush ruleset")
    assert await told(egress, SHORT, f"reach('{HOST}', 8080)") == "TimeoutError"


async def test_private_networks_can_be_allowed(internet):
    driver = NamespaceDriver(CLOCK, CGROUP_PARENT, outside=Outside(private_networks=True))
    try:
        ip("route", "add", LAN, "via", SERVER)
        assert await told(driver, LONG, f"reach('{LAN}')") == HELLO
    finally:
        await driver.close()


async def test_a_sandbox_with_routes_reaches_those_and_nothing_else(internet, egress):
    ip("route", "add", LAN, "via", SERVER)
    network = Network(routes=("10.9.0.0/24", "10.0.0.0/8", "192.0.2.7/32"))
    answers = await told(egress, SHORT, f"(reach('{LAN}'), reach('{SERVER}'), reach('{HOST}', 8080))", network)
    assert answers == (HELLO, "TimeoutError", "TimeoutError")
    other = Network(routes=("10.8.0.0/16",))
    assert await told(egress, SHORT, f"(reach('{LAN}'), reach('{SERVER}'))", other) == ("TimeoutError",) * 2
    assert await told(egress, "", "open('/etc/resolv.conf').read()", other) == ""


async def test_sandboxes_do_not_reach_one_another(egress):
    listen = """if True:
        import fcntl, socket, struct, time
        s = socket.socket(); s.bind(('0.0.0.0', 7000)); s.listen()
        print(socket.inet_ntoa(fcntl.ioctl(s, 0x8915, struct.pack('256s', b'eth0'))[20:24]), flush=True)
        time.sleep(60)"""
    async with started(egress, spec_of(listen, network=EGRESS)) as sandbox:
        address = (await read(sandbox.output, until=b"\n")).decode().strip()
        assert address.startswith("169.254.")
        assert await told(egress, SHORT, f"reach('{address}', 7000)") == "TimeoutError"


async def test_packets_with_another_source_address_are_dropped(internet, egress):
    sleep = "import time; time.sleep(60)"
    async with started(egress, spec_of(sleep, network=EGRESS)) as sandbox:
        namespace = namespace_of(sandbox.runtime_api)
        send = f"""if True:
            import socket, struct
            def send(source, mark):
                s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'eth0')
                udp = struct.pack('!HHHH', 5000, 9, 8 + len(mark), 0) + mark
                header = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                                     socket.inet_aton(source), socket.inet_aton('{SERVER}'))
                s.sendto(header + udp, ('{SERVER}', 0))
            own = [line.split()[3] for line in __import__('subprocess').run(
                ['ip', '-o', '-4', 'address', 'show', 'eth0'], capture_output=True, text=True).stdout.splitlines()]
            for source in ('{HOST}', '169.254.200.200', '{LAN}', '198.51.100.9', '127.0.0.1'):
                send(source, b'spoofed')
            send(own[0].split('/')[0], b'genuine')"""
        with inside(internet.outside):
            heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            heard.bind((SERVER, 9))
            heard.settimeout(5)
        with heard, inside(namespace):
            subprocess.run(["/usr/bin/python3", "-c", send], check=True, timeout=20)
            content, address = heard.recvfrom(100)
            assert (content, address[0]) == (b"genuine", HOST)
        os.close(namespace)


async def test_nobody_outside_opens_a_connection_to_a_sandbox(internet, egress):
    listen = "import socket, time; s = socket.create_server(('0.0.0.0', 7000)); print(1, flush=True); time.sleep(60)"
    async with started(egress, spec_of(listen, network=EGRESS)) as sandbox:
        await read(sandbox.output, until=b"1")
        ways = {internet.host: ("dev", "lampion-0"), internet.outside: ("via", HOST)}
        for namespace, way in ways.items():
            with inside(namespace):
                for address in ("169.254.64.1", "169.254.192.1"):
                    ip("route", "replace", address, *way)
                    with pytest.raises(TimeoutError):
                        socket.create_connection((address, 7000), timeout=0.5)


async def test_the_function_cannot_change_its_network(egress):
    code = """if True:
        import fcntl, os, socket, struct
        def attempt(action, *arguments):
            try: return action(*arguments) or 'done'
            except OSError as error: return type(error).__name__
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        flags = fcntl.ioctl(s, 0x8913, struct.pack('40s', b'eth0'))
        print(repr((
            attempt(fcntl.ioctl, s, 0x8914, flags),
            attempt(socket.socket, socket.AF_PACKET, socket.SOCK_RAW),
            attempt(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, 0),
            attempt(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1),
            attempt(open, '/proc/sys/net/ipv4/conf/eth0/forwarding', 'w'),
            attempt(os.setgid, 0))))"""
    answers = eval(await output_of(egress, code, network=EGRESS))
    assert set(answers) <= {"PermissionError", "OSError"}, "refused, or not even a family of addresses there"
    assert (answers[0], answers[-1]) == ("PermissionError",) * 2


async def test_there_is_no_ipv6_beyond_loopback(egress):
    code = "addresses = [line.split()[5] for line in open('/proc/net/if_inet6')]"
    assert await told(egress, code, "set(addresses) - {'lo'}") == set()


async def test_a_sandbox_in_another_mode_has_loopback_only(egress):
    names = "sorted(line.split(':')[0].strip() for line in open('/proc/net/dev').readlines()[2:])"
    assert await told(egress, "", names) == ["eth0", "lo"]
    for network in (Network(NetworkMode.NONE), Network(NetworkMode.NONE, ("10.0.0.0/8",)), Network()):
        assert await told(egress, "", names, network) == ["lo"]


async def test_without_leave_a_sandbox_gets_no_way_out_instead_of_another_network(internet):
    driver = NamespaceDriver(CLOCK, CGROUP_PARENT)
    try:
        with pytest.raises(SandboxError, match="no way out"):
            await driver.start(spec_of("", network=EGRESS))
    finally:
        await driver.close()


async def test_twenty_sandboxes_at_a_time_twice_leave_no_interface_address_or_rule(internet, egress):
    for _ in range(2):
        answers = await asyncio.gather(*(told(egress, LONG, f"reach('{SERVER}')") for _ in range(20)))
        assert answers == [HELLO] * 20
    assert await eventually(lambda: egress._egress._router._used == set())
    await egress.close()
    assert firewall.change("list tables") == ""
    assert await eventually(lambda: interfaces() == ["lan0", "lo"])


def interfaces() -> list[str]:
    return sorted(name for _, name in socket.if_nameindex())


async def test_what_a_killed_server_left_is_gone_after_the_next_sweep(internet):
    command = [sys.executable, "-m", "tests.sandbox.egress_holder", CGROUP_PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert "lampion-0" in interfaces()
        assert firewall.change("list tables").count(CGROUP_PARENT) == 1
        process.kill()
    driver = NamespaceDriver(CLOCK, CGROUP_PARENT)
    try:
        await driver.sweep()
        assert firewall.change("list tables") == ""
    finally:
        await driver.close()
    assert await eventually(lambda: interfaces() == ["lan0", "lo"])


async def test_a_sweep_leaves_the_tables_of_living_servers_and_of_others(internet):
    tables = [f"{CGROUP_PARENT}-{owner_name()}", f"{CGROUP_PARENT}x-1-2-3", "filter"]
    for table in tables:
        firewall.change(f"add table inet {table}")
    assert firewall.sweep_tables(CGROUP_PARENT) == 0
    assert [table in firewall.change("list tables") for table in tables] == [True] * 3
