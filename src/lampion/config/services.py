"""How the AWS services that Lampion calls are configured: `[services.<name>]` tables and AWS's usual variables.

A table wins over AWS_ENDPOINT_URL_<SERVICE>, that over AWS_ENDPOINT_URL; a table without keys uses the server's AWS_*.
Tables and variables are named by AWS's identifiers for service-specific endpoints.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lampion.endpoints.address import Address, parse_address
from lampion.endpoints.services import Credentials, Endpoints, Service, ServiceEndpoint

if TYPE_CHECKING:
    from lampion.config.values import ListenAddress

SECRET_VARIABLES: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
AWS_ITSELF: Final = "aws"
_KEYS: Final = ("access_key_id", "secret_access_key", "session_token")
_MEMBERS: Final = ("endpoint", "region", *_KEYS)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class ServiceProblem(Exception):
    """A setting of a service that can't be used: its source, its value if it may be shown, a remedy."""

    def __init__(self, source: str, value: str, problem: str, fix: str) -> None:
        super().__init__(source, value, problem, fix)
        self.source = source
        self.value = value
        self.problem = problem
        self.fix = fix


def endpoints_from(tables: Mapping[str, Any], environ: Mapping[str, str], listen: "ListenAddress") -> Endpoints:
    """The services that have an endpoint. Raises ServiceProblem.

    AWS_ENDPOINT_URL is ignored where it is this server's own address, which `lampion env` sets for clients.
    """
    known = {service.identifier: service for service in Service}
    for name in tables:
        if name not in known:
            fix = f"Use one of: {', '.join(known)}."
            raise ServiceProblem(f"[services.{name}]", name, "is no service that Lampion calls", fix)
    found = {service: _service(name, tables.get(name, {}), environ, listen) for name, service in known.items()}
    ca_bundle = environ.get("AWS_CA_BUNDLE")
    return Endpoints(
        {service: endpoint for service, endpoint in found.items() if endpoint is not None},
        Path(ca_bundle) if ca_bundle else None,
    )


def _service(name: str, table: Any, environ: Mapping[str, str], listen: "ListenAddress") -> ServiceEndpoint | None:
    members = _checked(name, table)
    credentials = _credentials(name, members) or _credentials_of_environment(environ)
    region = members.get("region")
    if members.get("endpoint") == AWS_ITSELF:
        return ServiceEndpoint(None, credentials, region)
    address = _address(name, members, environ, listen)
    return None if address is None else ServiceEndpoint(address, credentials, region)


def _checked(name: str, table: Any) -> Mapping[str, str]:
    where = f"[services.{name}]"
    if not isinstance(table, dict):
        raise ServiceProblem(where, name, "is no table", f'Write [services.{name}], and below it endpoint = "...".')
    for member, value in table.items():
        if member not in _MEMBERS:
            raise ServiceProblem(where, member, "is not known there", f"Use some of: {', '.join(_MEMBERS)}.")
        if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable():
            raise ServiceProblem(where, member, "is not a text of printable characters", 'Write it as "...".')
    return table


def _address(
    name: str, members: Mapping[str, str], environ: Mapping[str, str], listen: "ListenAddress"
) -> Address | None:
    variable = f"AWS_ENDPOINT_URL_{name.upper()}"
    places = (
        (f"[services.{name}] endpoint", members.get("endpoint")),
        (variable, environ.get(variable)),
        ("AWS_ENDPOINT_URL", environ.get("AWS_ENDPOINT_URL")),
    )
    for source, url in places:
        if url:
            address = _parsed(source, url)
            return None if source == "AWS_ENDPOINT_URL" and _is_own(address, listen) else address
    return None


def _parsed(source: str, url: str) -> Address:
    try:
        return parse_address(url)
    except ValueError as error:
        shown = "..." if "@" in url else url  # there may be a password in it
        fix = 'Write it as http://127.0.0.1:4566; in the configuration file "aws" means AWS itself.'
        raise ServiceProblem(source, shown, str(error), fix) from None


def _is_own(address: Address, listen: "ListenAddress") -> bool:
    host = address.origin.host
    return address.origin.port == listen.port and (host == listen.host or (host in _LOOPBACK and listen.is_loopback))


def _credentials(name: str, members: Mapping[str, str]) -> Credentials | None:
    if not any(member in members for member in _KEYS):
        return None
    if "access_key_id" not in members or "secret_access_key" not in members:
        fix = "Give access_key_id and secret_access_key, or neither."
        raise ServiceProblem(f"[services.{name}]", name, "has half of a key", fix)
    return Credentials(members["access_key_id"], members["secret_access_key"], members.get("session_token"))


def _credentials_of_environment(environ: Mapping[str, str]) -> Credentials | None:
    key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    return Credentials(key, secret, environ.get("AWS_SESSION_TOKEN") or None) if key and secret else None
