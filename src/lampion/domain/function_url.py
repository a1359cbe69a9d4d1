"""Function URLs: what is configured of an HTTP endpoint of a function or an alias, and the address it has. Pure.

Shape: FunctionUrlConfig (botocore `lambda` 2015-03-31).
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import Document

URL_ID_RANDOM_BYTES: Final = 15
INVOKE_MODE_DEFAULT: Final = "BUFFERED"
STREAMING: Final = "RESPONSE_STREAM"
PATH_FORM: Final = "/_lampion/function-urls/"
"""How a URL is written for a server that is reached by IP address, before which no name can be put."""

_ACCOUNT_DIGITS: Final = 12
_ACCOUNT_BYTES: Final = 5
_URL_ID: Final = re.compile(r"[a-z2-7]{32}")
_HEADER_LISTS: Final = ("AllowHeaders", "ExposeHeaders")
_HOST: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?P<port>:\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUrlConfig:
    """One function has one for `$LATEST` (`alias` is None) and one for each alias.

    `invoke_mode` is None while no caller has named one; then it is BUFFERED. Times are in microseconds.
    """

    key: FunctionKey
    alias: str | None = None
    url_id: str
    auth_type: str
    cors: Document | None = None
    invoke_mode: str | None = None
    created_epoch_us: int
    last_modified_epoch_us: int

    @property
    def arn(self) -> str:
        return self.key.arn if self.alias is None else self.key.qualified_arn(self.alias)

    @property
    def own_id(self) -> str:
        """What tells it from the function's others, and sorts it: `$LATEST` comes before every alias."""
        return self.alias or LATEST


def url_id_of(account_id: str, random: bytes) -> str:
    """The id of an account's new URL, with URL_ID_RANDOM_BYTES random bytes: as long as AWS's, of such characters.

    As on AWS, one can tell the account by it: a request brings nothing else by which to find the configuration.
    """
    return base64.b32encode(random + int(account_id).to_bytes(_ACCOUNT_BYTES)).decode().lower()


def account_of_url_id(url_id: str) -> str | None:
    """The account whose URL has this id; None for what was never one."""
    if _URL_ID.fullmatch(url_id) is None:
        return None
    number = int.from_bytes(base64.b32decode(url_id.upper())[-_ACCOUNT_BYTES:])
    return f"{number:012d}" if number < 10**_ACCOUNT_DIGITS else None


def normalised_cors(sent: Mapping[str, Any]) -> Document | None:
    """As AWS keeps it: names of headers in lower case; none at all when nothing is in it."""
    return {
        name: [header.lower() for header in value] if name in _HEADER_LISTS else value for name, value in sent.items()
    } or None


def url_address(config: FunctionUrlConfig, host: str, scheme: str = "http") -> str:
    """The URL for a caller who reached this server by `host` (its Host header).

    As AWS's, with this server's name in place of on.aws. Every name under localhost is this machine (RFC 6761).
    """
    match = _HOST.fullmatch(host)
    name, port = (match["name"].lower(), match["port"] or "") if match else ("", "")
    try:
        address = ip_address(name.strip("[]"))
    except ValueError:
        domain = name or "localhost"
    else:
        if not address.is_loopback:
            return f"{scheme}://{name}{port}{PATH_FORM}{config.url_id}/"
        domain = "localhost"
    return f"{scheme}://{config.url_id}.lambda-url.{config.key.region}.{domain}{port}/"
