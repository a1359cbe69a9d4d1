"""How the text of each kind of setting is read. A ValueError says "what is wrong; how to mend it."."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ipaddress import IPv4Address

_COUNT_MAX: Final = 1_000_000
_SECONDS_MAX: Final = 86_400
_SIZE_MIN: Final = 64 * 1024
_UNITS: Final = {"": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}
_SUBNET = re.compile(r"subnet-[0-9a-z]{1,128}")


class AuthMode(StrEnum):
    """Whether callers prove who they are."""

    SIGNED = "signed"
    OPEN = "open"


class ClockChoice(StrEnum):
    """Whether time may be made to jump, for development."""

    MACHINE = "machine"
    ADJUSTABLE = "adjustable"


class SandboxChoice(StrEnum):
    """Which driver makes the sandboxes; AUTO takes the best that works here."""

    AUTO = "auto"
    NAMESPACE = "namespace"
    PROCESS = "process"
    OCI = "oci"


class ArchitecturesChoice(StrEnum):
    """What runs functions of another architecture than this machine's: an emulator, or its own interpreters."""

    EXACT = "exact"
    ANY = "any"
    AUTO = "auto"


class NetworkChoice(StrEnum):
    """What functions without a VPC reach: nothing, this server's AWS API, or that and the internet."""

    NONE = "none"
    GATEWAY = "gateway"
    EGRESS = "egress"


class PrivateNetworks(StrEnum):
    """Whether functions with egress reach private addresses around this machine."""

    DENY = "deny"
    ALLOW = "allow"


class FunctionAccess(StrEnum):
    """What functions may do with this server's AWS API, as long as roles have no policies."""

    NONE = "none"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where the server listens; port 0 means any free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        import ipaddress  # noqa: PLC0415 - costs --help milliseconds that it doesn't need

        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> ListenAddress:
    fix = "Write it as 127.0.0.1:9000 or [::1]:9000; port 0 picks a free one."
    host, colon, port = text.rpartition(":")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65_535:
        raise ValueError(f"is not HOST:PORT; {fix}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"has an IPv6 address without brackets; {fix}")
    if not re.fullmatch(r"[A-Za-z0-9.:-]+", host):
        raise ValueError(f"names no host; {fix}")
    return ListenAddress(host, int(port))


def parse_directory(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError("names no directory; Give a path, such as ~/.local/share/lampion.")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise ValueError("names a home directory that is not known; Give an absolute path.") from None
    return Path.cwd() / path


def parse_file(text: str) -> Path | None:
    """A file's path; an empty text is none."""
    if not text:
        return None
    if "\0" in text:
        raise ValueError("names no file; Give a path, such as ./lampion.toml.")
    try:
        return Path.cwd() / Path(text).expanduser()
    except RuntimeError:
        raise ValueError("names a home directory that is not known; Give an absolute path.") from None


def parse_account_id(text: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", text):
        raise ValueError("is not an AWS account id; Give 12 digits, such as 123456789012.")
    return text


def parse_region(text: str) -> str:
    if not re.fullmatch(r"(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-[0-9]", text):
        raise ValueError("is not an AWS region; Give one such as us-east-1 or eu-central-1.")
    return text


def parse_auth(text: str) -> AuthMode:
    return AuthMode(_one_of(text, [mode.value for mode in AuthMode]))


def parse_clock(text: str) -> ClockChoice:
    return ClockChoice(_one_of(text, [choice.value for choice in ClockChoice]))


def parse_sandbox(text: str) -> SandboxChoice:
    return SandboxChoice(_one_of(text, [choice.value for choice in SandboxChoice]))


def parse_architectures(text: str) -> ArchitecturesChoice:
    return ArchitecturesChoice(_one_of(text, [choice.value for choice in ArchitecturesChoice]))


def parse_runtime_command(text: str) -> tuple[str, ...]:
    """A program's name or path with options, quoted as in a shell."""
    fix = "Write it as runc, /usr/bin/crun or 'runsc --network=host'."
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"can't be read ({error}); {fix}") from None
    if not words or "\0" in text:
        raise ValueError(f"names no program; {fix}")
    if "/" in words[0] and not words[0].startswith("/"):
        raise ValueError(f"has {words[0]!r}, which is neither a name nor an absolute path; {fix}")
    return words


def parse_network(text: str) -> NetworkChoice:
    return NetworkChoice(_one_of(text, [choice.value for choice in NetworkChoice]))


def parse_private_networks(text: str) -> PrivateNetworks:
    return PrivateNetworks(_one_of(text, [choice.value for choice in PrivateNetworks]))


def parse_function_access(text: str) -> FunctionAccess:
    return FunctionAccess(_one_of(text, [choice.value for choice in FunctionAccess]))


def parse_subnet_routes(text: str) -> Mapping[str, tuple[str, ...]]:
    """`subnet=network` pairs separated by commas; a subnet may come several times. An empty text is none."""
    import ipaddress  # noqa: PLC0415 - costs --help milliseconds that it doesn't need

    fix = "Write subnet-0abc=10.0.0.0/16."
    routes: dict[str, tuple[str, ...]] = {}
    for pair in filter(None, text.split(",")):
        subnet, equals, network = pair.partition("=")
        if not equals or not _SUBNET.fullmatch(subnet):
            raise ValueError(f"has {pair!r}, which is not SUBNET=NETWORK; {fix}")
        try:
            routes[subnet] = (*routes.get(subnet, ()), str(ipaddress.IPv4Network(network)))
        except ValueError:
            raise ValueError(f"has {network!r}, which is not an IPv4 network; {fix}") from None
    return MappingProxyType(routes)


def parse_addresses(text: str) -> "tuple[IPv4Address, ...]":
    """IPv4 addresses separated by commas; an empty text is none."""
    import ipaddress  # noqa: PLC0415 - see above

    try:
        return tuple(ipaddress.IPv4Address(word) for word in filter(None, text.split(",")))
    except ValueError:
        raise ValueError("is not an IPv4 address; Give one such as 192.0.2.53.") from None


def parse_registries(text: str) -> "Mapping[str, bool]":
    """Hosts of registries, each with whether it speaks TLS, separated by commas; an empty text is none."""
    found: dict[str, bool] = {}
    for word in filter(None, text.split(",")):
        host = word.removeprefix("http://").removeprefix("https://")
        if not re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?", host):
            raise ValueError("is not a registry's host; Give one such as ghcr.io or http://localhost:5000.")
        found[host] = not word.startswith("http://")
    return found


def _one_of(text: str, allowed: list[str]) -> str:
    if text not in allowed:
        raise ValueError(f"is not known; Use one of: {', '.join(allowed)}.")
    return text


def parse_cgroup_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", text):
        raise ValueError("is not the name of a cgroup; Use letters, digits, '_', '-' and '.', at most 64, no '/'.")
    return text


def parse_switch(text: str) -> bool:
    """A setting that is on or off; an option given without a value means yes."""
    return _one_of(text, ["yes", "no"]) == "yes"


def parse_count(text: str) -> int:
    return _whole_number(text, 1, _COUNT_MAX)


def parse_seconds(text: str) -> int:
    return _whole_number(text, 1, _SECONDS_MAX)


def _whole_number(text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
        raise ValueError(f"is not a whole number in range; Give one from {least} to {most}.")
    return int(text)


def parse_size(text: str) -> int:
    """Bytes from "65536", "64KiB", "4 MiB", "1GiB"."""
    match = re.fullmatch(r"([0-9]{1,12}) ?([A-Za-z]*)", text)
    unit = _UNITS.get(match[2].upper()) if match else None
    if match is None or unit is None:
        raise ValueError("is not a size; Give bytes, or a number with KiB, MiB or GiB, such as 64MiB.")
    size = int(match[1]) * unit
    if not _SIZE_MIN <= size <= 1 << 50:
        raise ValueError("is out of range; Give 64KiB or more.")
    return size
