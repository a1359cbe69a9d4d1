"""Which function URL a request is for: by its host name, or by the path for who can put no name before ours. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from lampion.domain.function_url import PATH_FORM
from lampion.http.message import RequestHead

_MARK: Final = ".lambda-url."
_HOST: Final = re.compile(r"(?P<id>[^.:]+)\.lambda-url\.(?P<region>[^.:]+)\.(?P<domain>[^:]+)(:(?P<port>\d{1,5}))?")
_PLAIN_HOST: Final = re.compile(r"(?P<domain>\[[0-9A-Fa-f:.]+\]|[^:]*)(:(?P<port>\d{1,5}))?")
_PATH: Final = re.compile(rf"{PATH_FORM}(?P<id>[^/]+)(?P<path>/.*)?")
_PORTS: Final = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class Address:
    """`path` is what comes after the URL itself; `domain` the host name by which it was asked for; `port` as text."""

    url_id: str
    domain: str
    port: str
    path: str


def is_function_url_host(host: str) -> bool:
    """Whether a Host header names a function URL, be there one or not: nothing else is served under such names."""
    return _MARK in host.lower()


def address_of(head: RequestHead, *, region: str, scheme: str) -> Address | None:
    """None when it can't be one: another region's, or malformed."""
    host = head.headers.get("host", "").lower()
    if is_function_url_host(host):
        named = _HOST.fullmatch(host)
        if named is None or named["region"] != region or not head.path.startswith("/"):
            return None
        domain = host.partition(":")[0]
        return Address(named["id"], domain, named["port"] or _PORTS[scheme], head.path)
    plain, pathed = _PLAIN_HOST.fullmatch(host), _PATH.fullmatch(head.path)
    if plain is None or pathed is None:
        return None
    return Address(pathed["id"], plain["domain"], plain["port"] or _PORTS[scheme], pathed["path"] or "/")
