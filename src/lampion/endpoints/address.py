"""Addresses of services: URLs as users write them, and AWS's own by partition and region. Pure."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

_DNS_SUFFIXES: Final = {
    "aws": "amazonaws.com",
    "aws-us-gov": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}
"""By partition. Source: the partitions of AWS's endpoint data, as botocore ships them."""
_REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where to connect."""

    host: str
    port: int
    is_tls: bool


@dataclass(frozen=True, slots=True)
class Address:
    """An origin and the path under which a service lives there: "" or "/..." without a slash at its end."""

    origin: Origin
    path: str = ""

    @property
    def host_header(self) -> str:
        """As a client writes it: no port where it is the scheme's own, brackets around IPv6."""
        origin = self.origin
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        is_usual = origin.port == _DEFAULT_PORTS["https" if origin.is_tls else "http"]
        return host if is_usual else f"{host}:{origin.port}"

    def __str__(self) -> str:
        return f"{'https' if self.origin.is_tls else 'http'}://{self.host_header}{self.path}"


def parse_address(url: str) -> Address:
    """The address in a URL. Raises ValueError, saying what is wrong, for what isn't http(s)://host[:port][/path]."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("is not a URL that begins with http:// or https:// and names a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a user name or password in it")
    if parts.query or parts.fragment:
        raise ValueError("has a query or a fragment")
    if not url.isascii() or re.search(r"[\x00-\x20\x7f\"<>\\]", url):
        raise ValueError("has characters that no URL may have")
    is_tls = parts.scheme == "https"
    origin = Origin(parts.hostname, port or _DEFAULT_PORTS[parts.scheme], is_tls)
    return Address(origin, quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~-._"))


def aws_address(host_name: str, partition: str, region: str) -> Address:
    """AWS's own endpoint, such as sqs.us-east-1.amazonaws.com. Raises ValueError where AWS has none."""
    suffix = _DNS_SUFFIXES.get(partition)
    if suffix is None:
        raise ValueError(f"AWS has no partition {partition!r}")
    if not _REGION.fullmatch(region):
        raise ValueError(f"AWS has no region {region!r}")
    return Address(Origin(f"{host_name}.{region}.{suffix}", 443, is_tls=True))
