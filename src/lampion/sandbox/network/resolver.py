"""Which servers a sandbox asks for names: those of the host, as far as they can be reached from outside of it."""

from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

_HOSTS_OWN: Final = Path("/etc/resolv.conf")
_BEHIND_SYSTEMD: Final = Path("/run/systemd/resolve/resolv.conf")
"""Where systemd-resolved names the servers behind its own 127.0.0.53."""


def servers_of(text: str) -> tuple[IPv4Address, ...]:
    """The IPv4 servers that a resolv.conf names. Pure."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            try:
                found.append(IPv4Address(words[1]))
            except AddressValueError:
                continue
    return tuple(found)


def reachable(servers: Iterable[IPv4Address], host: Iterable[IPv4Address]) -> tuple[IPv4Address, ...]:
    """Without those that a sandbox is kept from: loopback, link-local and the host's own addresses. Pure."""
    own = set(host)
    return tuple(server for server in servers if not (server.is_loopback or server.is_link_local or server in own))


def host_servers(host: Iterable[IPv4Address]) -> tuple[IPv4Address, ...]:
    """Those of this machine that a sandbox reaches, possibly none."""
    own = tuple(host)
    return reachable(servers_of(_read(_HOSTS_OWN)), own) or reachable(servers_of(_read(_BEHIND_SYSTEMD)), own)


def resolver_file(servers: Iterable[IPv4Address], routes: Iterable[str] | None = None) -> str:
    """A resolv.conf of those servers that lie within `routes` (None: everywhere); empty when there are none. Pure."""
    networks = [IPv4Network(route) for route in routes] if routes is not None else None
    return "".join(
        f"nameserver {server}\n"
        for server in servers
        if networks is None or any(server in network for network in networks)
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
