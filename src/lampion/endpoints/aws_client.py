"""Asks configured AWS services: signs, sends, and says in a user's words why there is no answer."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lampion.aws.sigv4_sign import Signer
from lampion.clock.clock import Clock
from lampion.endpoints.errors import ServiceUnreachable
from lampion.endpoints.exchange import HttpAnswer
from lampion.endpoints.http_client import HttpClient
from lampion.endpoints.services import Endpoints, Reach, Service

_USER_AGENT: Final = "lampion"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a service. `path` follows the endpoint's own and is percent-encoded; header values are one line."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    method: str = "POST"
    path: str = "/"


class AwsClient:
    """The signed outbound client. Costs nothing until something is asked."""

    def __init__(self, endpoints: Endpoints, http: HttpClient, clock: Clock) -> None:
        self._endpoints = endpoints
        self._http = http
        self._clock = clock

    def reach(self, service: Service, *, partition: str, region: str) -> Reach:
        """Where `service` is asked. Raises ServiceUnreachable when it isn't configured."""
        return self._endpoints.reach(service, partition=partition, region=region)

    async def ask(self, reach: Reach, call: Call) -> HttpAnswer:
        """The service's answer, whatever its status. Raises ServiceUnreachable, naming service and address."""
        request = self._on_the_wire(reach, call)
        try:
            answer = await self._http.send(reach.address.origin, request)
        except ServiceUnreachable as error:
            raise ServiceUnreachable(f"{reach.service.identifier} at {reach.address}: {error}") from None
        _log.debug("%s at %s answered %d", reach.service.identifier, reach.address, answer.status)
        return answer

    def _on_the_wire(self, reach: Reach, call: Call) -> bytes:
        path, key = f"{reach.address.path}{call.path}", reach.credentials
        signer = Signer(
            key.access_key_id, key.secret_access_key, reach.region, reach.service.signing_name, key.session_token
        )
        headers = {"Host": reach.address.host_header, "User-Agent": _USER_AGENT, **call.headers}
        signed = {name.lower(): value for name, value in headers.items() if name not in _CHANGED_ON_THE_WAY}
        headers |= signer.sign(call.method, path, "", signed, call.body, self._clock.now())
        headers["Content-Length"] = str(len(call.body))
        lines = [f"{call.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header value has a line break")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + call.body


_CHANGED_ON_THE_WAY: Final = frozenset({"User-Agent", "X-Amzn-Trace-Id"})
"""Proxies rewrite these, so that no client signs them."""
