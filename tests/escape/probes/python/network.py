"""P25-P28, P30, P31: the host's network, other machines, and being seen there."""

import errno
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from .attempts import SECRET, Attempts, probe

_PATIENCE_SECONDS = 1.5


def banner(family: int, address: Any) -> Callable[[], bytes]:
    """What a listener says first."""

    def ask() -> bytes:
        with socket.socket(family) as made:
            made.settimeout(_PATIENCE_SECONDS)
            made.connect(address)
            return made.recv(4096)

    return ask


def reaches(family: int, address: Any) -> Callable[[], str]:
    """Whether anybody listens."""

    def connect() -> str:
        with socket.socket(family) as made:
            made.settimeout(_PATIENCE_SECONDS)
            made.connect(address)
            return "connected"

    return connect


@probe("P25")
def reach_the_hosts_loopback(a: Attempts) -> None:
    port = a.targets["listener_port"]
    for address in ("127.0.0.1", "127.0.0.2", "0.0.0.0", *a.targets["host_addresses"]):
        a.attempt(f"listener at {address}", banner(socket.AF_INET, (address, port)), SECRET.search)
    a.attempt("listener at ::1", banner(socket.AF_INET6, ("::1", port)), SECRET.search)
    a.attempt("listener by mapped address", banner(socket.AF_INET6, ("::ffff:127.0.0.1", port)), SECRET.search)
    a.attempt("sibling's listener", banner(socket.AF_INET, ("127.0.0.1", a.targets["sibling_port"])), SECRET.search)


@probe("P26")
def reach_unix_sockets(a: Attempts) -> None:
    a.attempt("abstract socket", banner(socket.AF_UNIX, "\0" + a.targets["abstract"]), SECRET.search)
    a.attempt("sibling's abstract socket", banner(socket.AF_UNIX, "\0" + a.targets["sibling_abstract"]), SECRET.search)
    a.attempt("socket in a directory", banner(socket.AF_UNIX, a.targets["unix_socket"]), SECRET.search)
    for path in ("/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/systemd/private", "/dev/log"):
        a.attempt(path, reaches(socket.AF_UNIX, path))


@probe("P27")
def reach_the_metadata_service(a: Attempts) -> None:
    a.attempt("169.254.169.254", reaches(socket.AF_INET, ("169.254.169.254", 80)))
    a.attempt("169.254.170.2", reaches(socket.AF_INET, ("169.254.170.2", 80)))
    a.attempt("fd00:ec2::254", reaches(socket.AF_INET6, ("fd00:ec2::254", 80)))
    a.attempt("metadata by mapped address", reaches(socket.AF_INET6, ("::ffff:169.254.169.254", 80)))


@probe("P28")
def spoof_and_scan(a: Attempts) -> None:
    def raw(protocol: int) -> Callable[[], str]:
        def open_it() -> str:
            with socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol) as made:
                return f"descriptor {made.fileno()}"

        return open_it

    def foreign_source() -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.setsockopt(socket.IPPROTO_IP, 19, 1)  # IP_TRANSPARENT
            made.bind(("192.0.2.77", 0))
            return "bound to a foreign address"

    def packet() -> str:
        with socket.socket(17, socket.SOCK_RAW, socket.htons(3)) as made:
            return f"descriptor {made.fileno()}"

    a.attempt("raw ICMP", raw(1))
    a.attempt("raw IP", raw(255))
    a.attempt("packets and ARP", packet)
    a.attempt("foreign source address", foreign_source)
    doors = a.targets["doors"]
    a.attempt("port scan of loopback", lambda: [p for p in _open_ports("127.0.0.1", 20_000) if p not in doors], len)
    for address in a.targets["host_addresses"]:
        a.attempt(f"port scan of {address}", lambda: _open_ports(address, 1024), len)
    a.attempt("other devices than loopback", lambda: [n for _, n in socket.if_nameindex() if n != "lo"], len)


def _open_ports(address: str, most: int) -> list[int]:
    found = []
    for port in range(1, most):
        with socket.socket() as made:
            made.settimeout(0.05)
            result = made.connect_ex((address, port))
            if result == 0:
                found.append(port)
            if result in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EPERM, errno.EAGAIN):
                break
    return found


@probe("P30")
def leak_by_names(a: Attempts) -> None:
    question = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + b"\x06leaked\x07invalid\x00\x00\x01\x00\x01"

    def ask(address: str, port: int) -> Callable[[], bytes]:
        def send() -> bytes:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
                made.settimeout(_PATIENCE_SECONDS)
                made.connect((address, port))
                made.send(question)
                return made.recv(512)

        return send

    def resolve() -> list[Any]:
        try:
            return socket.getaddrinfo("leaked.invalid", 80)
        except socket.gaierror as error:
            raise OSError(errno.EAGAIN, str(error)) from error

    for address in ("127.0.0.1", *a.targets["host_addresses"]):
        a.attempt(f"the host's name server at {address}", ask(address, a.targets["udp_port"]))
    a.attempt("a public name server", ask("192.0.2.53", 53))
    a.attempt("the resolver", resolve)


@probe("P31")
def be_seen_on_the_host(a: Attempts) -> None:
    def privileged() -> str:
        with socket.socket() as made:
            made.bind(("0.0.0.0", 80))
            return "bound to port 80"

    a.attempt("privileged port", privileged)
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("0.0.0.0", a.targets["visible_port"]))
        made.listen()
        # Whether the host can connect is seen from there.
        time.sleep(1.0)
