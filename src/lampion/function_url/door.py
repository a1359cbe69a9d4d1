"""Function URLs over HTTP: find the URL, answer preflights, check the caller, run the function, answer as it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from lampion.aws.errors import (
    AccessDeniedException,
    MissingAuthenticationTokenException,
    RequestEntityTooLargeException,
    serialize_error,
)
from lampion.aws.model import ServiceModel
from lampion.aws.wire import WireAnswer
from lampion.clock.clock import Clock
from lampion.domain.errors import ApiError, ResourceNotFoundException
from lampion.domain.function import Function
from lampion.domain.function_url import STREAMING, FunctionUrlConfig, account_of_url_id
from lampion.domain.invocation import Invocation
from lampion.domain.limits import API_REQUEST_BYTES, SYNC_PAYLOAD_BYTES
from lampion.domain.trace_header import Trace
from lampion.function_url.access import NO_AUTH, is_allowed
from lampion.function_url.address import Address, address_of
from lampion.function_url.answers import Labels, Stream, as_it_comes, buffered, nothing_there, own_headers
from lampion.function_url.cors import is_preflight, preflight_headers, with_cors
from lampion.function_url.event import Caller, Received, event_of
from lampion.http.message import Request, RequestHead, Response, StreamedResponse
from lampion.identity.actors import ANYBODY, Actor
from lampion.identity.callers import CallerKind
from lampion.identity.function_policies import FunctionPolicies
from lampion.identity.request_facts import Asking
from lampion.identity.statements import Policy
from lampion.invoke.invoker import Invoker
from lampion.invoke.offered import check_offered
from lampion.invoke.qualifier import Target
from lampion.invoke.tracing import Tracing
from lampion.store.cached_resources import CachedResources
from lampion.store.function_urls import FUNCTION_URLS

_FORBIDDEN: Final = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
_TRACE_HEADER: Final = "x-amzn-trace-id"


class Principal(Protocol):
    """The caller: its account, the access key it used, and who it is to policies."""

    @property
    def account_id(self) -> str: ...

    @property
    def access_key_id(self) -> str: ...

    @property
    def actor(self) -> Actor: ...


class Authentication(Protocol):
    """Who signed a request. Both raise AWS's error for a signature that isn't right."""

    def read(self, head: RequestHead) -> Any: ...

    async def verify(self, claim: Any, request: Request) -> Principal: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and as what the listener in front of the door serves, and whose signatures it takes."""

    region: str
    scheme: str
    authentication: Authentication


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request to a URL that there is."""

    config: FunctionUrlConfig
    address: Address
    request: Request
    request_id: str


class FunctionUrlDoor:
    """Every function URL of this server (gateway.door.Door)."""

    def __init__(
        self,
        listening: Listening,
        *,
        service: ServiceModel,
        resources: CachedResources,
        invoker: Invoker,
        clock: Clock,
        tracing: Tracing,
    ) -> None:
        self._listening = listening
        self._service = service
        self._resources = resources
        self._policies = FunctionPolicies(resources)
        self._invoker = invoker
        self._clock = clock
        self._tracing = tracing

    def accept(self, head: RequestHead) -> int:
        head.findings = address_of(head, region=self._listening.region, scheme=self._listening.scheme)
        return API_REQUEST_BYTES

    def too_large(self, head: RequestHead) -> Exception:
        return _too_large()

    async def serve(self, request: Request, request_id: str) -> Response | StreamedResponse:
        address: Address | None = request.head.findings
        config = None if address is None else await self._find(address.url_id)
        if address is None or config is None:
            nothing = nothing_there(request_id)
            return Response(nothing.status, nothing.body, nothing.headers)
        visit = _Visit(config, address, request, request_id)
        if config.cors and is_preflight(request.head):
            labels = Labels(request_id, self._trace(visit, None).header)
            return Response(200, b"", own_headers(labels) + preflight_headers(config.cors, request.head))
        answer = await self._answer(visit)
        headers = with_cors(config.cors, request.head, answer.headers)
        if isinstance(answer, Stream):
            return StreamedResponse(answer.status, headers, answer.pieces, answer.close)
        return Response(answer.status, answer.body, headers)

    async def _answer(self, visit: _Visit) -> WireAnswer | Stream:
        """What the function answers, or why it doesn't; without the headers of CORS."""
        try:
            caller = await self._admit(visit)
            return await self._run(visit, caller)
        except ResourceNotFoundException:
            return nothing_there(visit.request_id)  # the alias is gone, or the function this very moment
        except ApiError as error:
            return serialize_error(self._service, error, visit.request_id)

    async def _find(self, url_id: str) -> FunctionUrlConfig | None:
        account_id = account_of_url_id(url_id)
        if account_id is None:
            return None
        return await self._resources.find(FUNCTION_URLS, account_id, self._listening.region, by=url_id)

    async def _admit(self, visit: _Visit) -> Caller | None:
        """The caller, where the URL asks who it is. Raises AccessDeniedException, and what signatures raise."""
        if visit.config.auth_type == NO_AUTH:
            await self._check(visit, ANYBODY)
            return None
        principal = await self._authenticate(visit.request)
        if principal.actor.caller.kind is CallerKind.SERVICE and principal.account_id != visit.config.key.account_id:
            raise AccessDeniedException(_FORBIDDEN)  # a service's key is good for the functions of its account
        await self._check(visit, principal.actor)
        return _caller(principal)

    async def _authenticate(self, request: Request) -> Principal:
        try:
            claim = self._listening.authentication.read(request.head)
        except MissingAuthenticationTokenException:
            raise AccessDeniedException(_FORBIDDEN) from None
        return await self._listening.authentication.verify(claim, request)

    async def _check(self, visit: _Visit, actor: Actor) -> None:
        listening, now = self._listening, self._clock.now()
        asking = Asking(
            visit.request.head,
            now_epoch_seconds=now,
            scheme=listening.scheme,
            region=listening.region,
            caller=actor.caller,
        )
        if not is_allowed(visit.config, await self._policies_of(visit.config), actor, asking):
            raise AccessDeniedException(_FORBIDDEN)

    async def _policies_of(self, config: FunctionUrlConfig) -> Sequence[Policy]:
        """The function's and the alias's; which of their statements speak of the URL's ARN, they say themselves."""
        of_function = await self._policies.of(config.key, None)
        return (
            of_function if config.alias is None else (*of_function, *await self._policies.of(config.key, config.alias))
        )

    async def _run(self, visit: _Visit, caller: Caller | None) -> WireAnswer | Stream:
        """Raises ApiError for what keeps the function from running."""
        target = Target(visit.config.key, visit.config.alias)
        function = await self._invoker.check(target)
        check_offered(function)
        trace = self._trace(visit, function)
        payload = event_of(self._received(visit, caller, trace))
        if len(payload) > SYNC_PAYLOAD_BYTES:
            raise _too_large()
        invocation = Invocation(
            request_id=visit.request_id,
            invoked_arn=target.arn,
            payload=payload,
            trace_id=trace.header,
            times_in_chain=trace.times_in_chain,
        )
        labels = Labels(visit.request_id, trace.header)
        if visit.config.invoke_mode == STREAMING:
            return await as_it_comes(await self._invoker.invoke_streamed(target, function, invocation), labels)
        return buffered(await self._invoker.invoke(target, function, invocation), labels)

    def _trace(self, visit: _Visit, function: Function | None) -> Trace:
        """Of what `function` does for it, if that is known."""
        return self._tracing.trace(visit.request.head.headers.get(_TRACE_HEADER), visit.config.key, function)

    def _received(self, visit: _Visit, caller: Caller | None, trace: Trace) -> Received:
        address = visit.address
        return Received(
            head=visit.request.head,
            body=visit.request.body,
            path=address.path,
            url_id=address.url_id,
            domain=address.domain,
            scheme=self._listening.scheme,
            port=address.port,
            request_id=visit.request_id,
            trace_root=trace.header.partition(";")[0],
            now=self._clock.now(),
            caller=caller,
        )


def _caller(principal: Principal) -> Caller:
    return Caller(
        account_id=principal.account_id,
        access_key_id=principal.access_key_id,
        user_id=principal.actor.user_id,
        user_arn=principal.actor.caller.arn,
    )


def _too_large() -> RequestEntityTooLargeException:
    return RequestEntityTooLargeException(
        f"Request must be smaller than {SYNC_PAYLOAD_BYTES} bytes for the InvokeFunction operation"
    )
