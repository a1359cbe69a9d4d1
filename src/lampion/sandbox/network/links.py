"""What we ask of the kernel about interfaces, addresses and routes (rtnetlink(7)). Pure: values in, requests out."""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from lampion.sandbox.network.netlink import (
    CREATE,
    Request,
    attribute,
    attributes_of,
    number_attribute,
    text_attribute,
)

_NEW_LINK: Final = 16
_NEW_ADDRESS: Final = 20
_GET_ADDRESS: Final = 22
_NEW_ROUTE: Final = 24
_GET_ROUTE: Final = 26
_LINK: Final = struct.Struct("=BxHiII")
_ADDRESS: Final = struct.Struct("=BBBBI")
_ROUTE: Final = struct.Struct("=BBBBBBBBI")
_IPV4: Final = 2
# Attributes of a link.
_MAC: Final = 1
_NAME: Final = 3
_LINK_INFO: Final = 18
_ALIAS: Final = 20
_GROUP: Final = 27
_NAMESPACE: Final = 28
_INFO_KIND: Final = 1
_INFO_DATA: Final = 2
_VETH_PEER: Final = 1
# Attributes of an address and of a route.
_PREFIX_ADDRESS: Final = 1
_LOCAL_ADDRESS: Final = 2
_DESTINATION: Final = 1
_OUT_INTERFACE: Final = 4
_UP: Final = 0x1
_NO_ARP: Final = 0x80
_MAIN_TABLE: Final = 254
_BY_ADMINISTRATOR: Final = 4
_SCOPE_LINK: Final = 253
_UNICAST: Final = 1
_MAC_OF_BOTH: Final = bytes((2, 0, 0, 0, 0, 1))


@dataclass(frozen=True, slots=True)
class End:
    """One end of a veth pair. `namespace` is a descriptor, None the socket's own; `index` 0 lets the kernel choose."""

    name: str
    index: int = 0
    namespace: int | None = None
    group: int = 0
    alias: str = ""


def make_pair(one: End, other: End) -> Request:
    """A new veth pair. `one` is up; `other`, which has no peer yet when the kernel makes it, can't be.

    Nobody asks or answers with ARP on it: both ends have the same hardware address, which a device without ARP puts
    into every frame. So there is nothing to spoof on that level.
    """
    peer = attribute(_VETH_PEER, _end(other, _NO_ARP))
    kind = text_attribute(_INFO_KIND, "veth") + attribute(_INFO_DATA, peer)
    return Request(_NEW_LINK, _end(one, _NO_ARP | _UP) + attribute(_LINK_INFO, kind), CREATE)


def _end(end: End, flags: int) -> bytes:
    content = _LINK.pack(0, 0, end.index, flags, flags)
    content += text_attribute(_NAME, end.name) + attribute(_MAC, _MAC_OF_BOTH) + number_attribute(_GROUP, end.group)
    if end.alias:
        content += text_attribute(_ALIAS, end.alias)
    return content if end.namespace is None else content + number_attribute(_NAMESPACE, end.namespace)


def raise_link(index: int) -> Request:
    return Request(_NEW_LINK, _LINK.pack(0, 0, index, _UP, _UP))


def add_address(index: int, address: IPv4Address, prefix_length: int = 32) -> Request:
    header = _ADDRESS.pack(_IPV4, prefix_length, 0, 0, index)
    content = attribute(_LOCAL_ADDRESS, address.packed) + attribute(_PREFIX_ADDRESS, address.packed)
    return Request(_NEW_ADDRESS, header + content, CREATE)


def add_route(index: int, network: IPv4Network) -> Request:
    """All of `network` is reached by sending into the interface; no router's address is needed."""
    length = network.prefixlen
    header = _ROUTE.pack(_IPV4, length, 0, 0, _MAIN_TABLE, _BY_ADMINISTRATOR, _SCOPE_LINK, _UNICAST, 0)
    destination = attribute(_DESTINATION, network.network_address.packed) if length else b""
    return Request(_NEW_ROUTE, header + destination + number_attribute(_OUT_INTERFACE, index), CREATE)


def find_route(address: IPv4Address) -> Request:
    """Ask how `address` would be reached; `interface_of` reads the answer. OSError when there is no way."""
    header = _ROUTE.pack(_IPV4, 32, 0, 0, 0, 0, 0, 0, 0)
    return Request(_GET_ROUTE, header + attribute(_DESTINATION, address.packed))


def interface_of(route: bytes) -> int:
    """The number of the interface that a route leaves by."""
    (index,) = struct.unpack("=I", attributes_of(route[_ROUTE.size :])[_OUT_INTERFACE])
    assert isinstance(index, int)
    return index


def list_addresses() -> Request:
    """Dump all IPv4 addresses; `address_of` reads each."""
    return Request(_GET_ADDRESS, _ADDRESS.pack(_IPV4, 0, 0, 0, 0))


def address_of(content: bytes) -> IPv4Address:
    found = attributes_of(content[_ADDRESS.size :])
    return IPv4Address(found.get(_LOCAL_ADDRESS) or found[_PREFIX_ADDRESS])
