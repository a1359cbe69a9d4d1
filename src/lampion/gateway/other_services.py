"""Queues, topics, event buses and tables as functions reach them: through this server, which asks with its own keys.

A sandbox has no way to them by itself. Only the session of a function is served, as far as its role's policies, or
--function-access all, let it: never further than the configured key may go.
"""

import json
import logging
import re
from collections.abc import Collection
from html import escape
from typing import Final

import msgspec

from lampion.aws.errors import (
    ExpiredTokenException,
    RequestEntityTooLargeException,
    UnrecognizedClientException,
    WireError,
)
from lampion.aws.sigv4 import Claim, Verifier, check
from lampion.clock.clock import Clock
from lampion.domain.limits import MIB
from lampion.endpoints.aws_client import AwsClient, Call
from lampion.endpoints.errors import ServiceUnreachable
from lampion.endpoints.services import Service
from lampion.gateway.judge import Judge
from lampion.gateway.passed_on_resources import asked_for, check_protocol
from lampion.http.message import Request, RequestHead, Response
from lampion.identity.actors import Actor
from lampion.identity.keys import Keys
from lampion.identity.request_facts import facts_of_resource
from lampion.identity.session_keys import SessionKey
from lampion.identity.temporary_keys import Expired

REACHED: Final = frozenset({Service.SQS, Service.SNS, Service.EVENTBRIDGE, Service.DYNAMODB})
"""All their operations are `POST /`. S3's paths could be this server's own."""

_REQUEST_BYTES: Final = 2 * MIB  # ten messages of 1 MiB together, and the JSON around them
_TABLE_BYTES: Final = 16 * MIB  # 25 items of a batch
_SCOPE: Final = re.compile(r"Credential=[^/\s]{1,128}/\d{8}/([a-z0-9-]{1,64})/([a-z0-9-]{1,64})/aws4_request")
_PASSED_ON: Final[tuple[str, ...]] = ("content-type", "x-amz-target", "x-amzn-query-mode", "x-amzn-trace-id")
_OF_THE_CONNECTION: Final = frozenset(
    ("connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "upgrade")
)

_log = logging.getLogger(__name__)


class _Asked(msgspec.Struct, frozen=True):
    service: Service
    region: str
    claim: Claim


class OtherServices:
    """Those that are configured (gateway.door.Door)."""

    def __init__(
        self,
        client: AwsClient,
        *,
        configured: Collection[Service],
        keys: Keys,
        clock: Clock,
    ) -> None:
        self._client = client
        self._by_name = {service.signing_name: service for service in REACHED.intersection(configured)}
        self._keys = keys
        self._clock = clock

    def serves(self, head: RequestHead) -> bool:
        """Whether it was signed for a service that is reached from here."""
        scope = _SCOPE.search(head.headers.get("authorization", ""))
        return scope is not None and scope[2] in self._by_name

    def accept(self, head: RequestHead) -> int:
        scope = _SCOPE.search(head.headers["authorization"])
        assert scope is not None
        service = self._by_name[scope[2]]
        verifier = Verifier(scope[1], service.signing_name)
        claim = verifier.read_credential(head.method, head.path, head.query, head.headers, self._clock.now())
        head.findings = _Asked(service, scope[1], claim)
        return _allowance(service)

    def too_large(self, head: RequestHead) -> Exception:
        most = _allowance(head.findings.service)
        return RequestEntityTooLargeException(f"Request must be smaller than {most} bytes")

    async def serve(self, request: Request, request_id: str) -> Response:
        asked: _Asked = request.head.findings
        try:
            session, actor = await self._session(asked.claim)
            check(asked.claim, session.secret_access_key, request.body)
            self._check(session, actor, asked, request)
        except WireError as error:
            return _refusal(request, error.status, error.code, error.message, request_id)
        try:
            return await self._passed_on(asked, request)
        except ServiceUnreachable as error:
            _log.warning("a function's request was not passed on: %s", error)
            message = f"{asked.service.identifier} can't be reached from Lampion; the server's log says why."
            return _refusal(request, 503, "ServiceUnavailable", message, request_id)

    async def _session(self, claim: Claim) -> tuple[SessionKey, Actor]:
        """Raises UnrecognizedClientException, ExpiredTokenException."""
        token = claim.security_token
        try:
            session = None if token is None else self._keys.sessions.find(claim.access_key_id, token)
        except Expired:
            raise ExpiredTokenException("The security token included in the request is expired") from None
        actor = None if session is None else await self._keys.functions.actor(session)
        if session is None or actor is None:
            raise UnrecognizedClientException("The security token included in the request is invalid.")
        return session, actor

    def _check(self, session: SessionKey, actor: Actor, asked: _Asked, request: Request) -> None:
        """Raises AccessDeniedException."""
        judge = Judge(region=asked.region, scheme="http", clock=self._clock, record=self._keys.record)
        where = (asked.region, session.account_id)
        headers = request.head.headers
        target = headers.get("x-amz-target", "")
        check_protocol(asked.service, target, headers.get("content-type", ""))
        those = asked_for(asked.service, target, request.body, where)
        for wanted in those.wanted:
            judge.check(actor, wanted, request.head, {**those.facts, **facts_of_resource(wanted[1])})

    async def _passed_on(self, asked: _Asked, request: Request) -> Response:
        """Raises ServiceUnreachable."""
        reach = self._client.reach(asked.service, partition="aws", region=asked.region)
        sent = request.head.headers
        headers = {name: sent[name] for name in _PASSED_ON if name in sent}
        answer = await self._client.ask(reach, Call(headers, request.body))
        told = {name: value for name, value in answer.headers.items() if name not in _OF_THE_CONNECTION}
        return Response(answer.status, answer.body, told)


def _allowance(service: Service) -> int:
    return _TABLE_BYTES if service is Service.DYNAMODB else _REQUEST_BYTES


def _refusal(request: Request, status: int, code: str, message: str, request_id: str) -> Response:
    """In the form of the request: JSON with a target, or a query that is answered with XML."""
    if "x-amz-target" in request.head.headers:
        body = json.dumps({"__type": code, "message": message})
        headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": request_id}
        return Response(status, body.encode(), headers)
    told = f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
    xml = f"<ErrorResponse><Error>{told}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    return Response(status, xml.encode(), {"Content-Type": "text/xml", "x-amzn-RequestId": request_id})
