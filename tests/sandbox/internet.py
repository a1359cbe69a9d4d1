"""A host and an internet for tests: network namespaces of the test's own, so that this machine's stay as they are."""

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lampion.sandbox.network import links
from lampion.sandbox.network.namespaces import current_namespace, enter, enter_new_namespace, inside
from lampion.sandbox.network.netlink import RoutingSocket

SERVER = "203.0.113.2"
"""A machine on the internet."""
LAN = "10.9.0.2"
"""A machine of the private network around the host."""
HOST = "203.0.113.1"
METADATA = "169.254.169.254"
DNS = SERVER
GREETING = b"hello from outside"


@dataclass
class Internet:
    """What was set up. `peers` are the addresses that connections came from, as the internet saw them."""

    host: int
    outside: int
    peers: list[str] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def listen(self, namespace: int, address: str, port: int) -> None:
        """Greet whoever connects."""
        with inside(namespace):
            listener = socket.create_server((address, port))
        self.sockets.append(listener)
        self._run(self._greet, listener)

    def answer_names(self, address: str) -> None:
        """A name server that knows one address for every name."""
        with inside(self.outside):
            asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            asked.bind((address, 53))
        self.sockets.append(asked)
        self._run(self._answer, asked)

    def _run(self, target, asked: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(asked,), daemon=True)
        thread.start()
        self.threads.append(thread)

    def _greet(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, address = listener.accept()
                self.peers.append(address[0])
                with peer:
                    peer.sendall(GREETING)

    def _answer(self, asked: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                query, address = asked.recvfrom(512)
                if not query:
                    return  # shut down
                is_for_address = query[query.index(b"\0", 12) + 2] == 1
                answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(SERVER) if is_for_address else b""
                question = query[12 : query.index(b"\0", 12) + 5]
                header = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if answer else b"\0\0") + bytes(4)
                asked.sendto(header + question + answer, address)

    def close(self) -> None:
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self.threads:
            thread.join(5)
        os.close(self.host)
        os.close(self.outside)


def ip(*words: str) -> None:
    """The `ip` program, in this thread's network namespace."""
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)


def _new_namespace() -> int:
    made: list[int] = []

    def make() -> None:
        enter_new_namespace()
        made.append(current_namespace())

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]


@contextmanager
def tiny_internet() -> Iterator[Internet]:
    """This thread is on a host with one way out for the duration of the block."""
    before = current_namespace()
    internet = Internet(_new_namespace(), _new_namespace())
    enter(internet.host)
    try:
        _connect(internet)
        yield internet
    finally:
        enter(before)
        os.close(before)
        internet.close()


def _connect(internet: Internet) -> None:
    ip("link", "set", "lo", "up")
    with RoutingSocket() as here:
        here.do(links.make_pair(links.End("lan0"), links.End("lan1", namespace=internet.outside)))
    ip("address", "add", f"{HOST}/24", "dev", "lan0")
    ip("link", "set", "lan0", "up")
    ip("route", "add", "default", "via", SERVER)
    Path("/proc/sys/net/ipv4/conf/lan0/forwarding").write_text("1")
    with inside(internet.outside):
        ip("link", "set", "lo", "up")
        for address in (f"{SERVER}/24", f"{LAN}/32", f"{METADATA}/32"):
            ip("address", "add", address, "dev", "lan1")
        ip("link", "set", "lan1", "up")
    internet.listen(internet.outside, "0.0.0.0", 80)
    internet.answer_names(DNS)
    for address in ("127.0.0.1", HOST):
        internet.listen(internet.host, address, 8080)
