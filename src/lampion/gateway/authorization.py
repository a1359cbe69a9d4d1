"""What a caller may do: the policies of his own account and of what he asks for, evaluated at every call.

A yes to what is asked again and again is remembered until any policy changes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lampion.aws.errors import AccessDeniedException
from lampion.clock.clock import Clock
from lampion.domain.arn import FunctionKey
from lampion.gateway.asked_resources import action_of, facts_of, resource_of
from lampion.gateway.authentication import Authentication, Meanwhile, Principal
from lampion.http.message import Request as HttpRequest
from lampion.http.message import RequestHead
from lampion.identity.actors import Actor
from lampion.identity.denials import denial
from lampion.identity.evaluation import Request, evaluate
from lampion.identity.request_facts import Asking, Facts, Known
from lampion.identity.resource_policies import ResourcePolicies
from lampion.identity.statements import Policy
from lampion.store.cached_resources import CachedResources, Change
from lampion.store.iam import IDENTITIES, MANAGED_POLICIES
from lampion.store.policies import POLICIES, policy_place

_REMEMBERED: Final = frozenset(("Invoke", "InvokeWithResponseStream", "InvokeAsync"))
"""Operations whose path and query say all that policies ask for."""
_KINDS: Final = frozenset((POLICIES.name, IDENTITIES.name, MANAGED_POLICIES.name))
_CAPACITY: Final = 10_000
_FUNCTION: Final = re.compile(r"arn:aws:lambda:([^:]+):(\d{12}):function:([^:]+)(?::([^:]+))?")
_PASSED_TO: Final[Facts] = {"iam:passedtoservice": ("lambda.amazonaws.com",)}

_Asked = tuple[str, str, str, str]


class Authorization:
    """For Lambda's API."""

    def __init__(self, *, resources: CachedResources, region: str, scheme: str, clock: Clock) -> None:
        self._resources = resources
        self._policies = ResourcePolicies()
        self._region = region
        self._scheme = scheme
        self._clock = clock
        self._allowed: dict[_Asked, str] = {}
        resources.subscribe(self._forget)

    async def check(self, principal: Principal, operation: str, members: Mapping[str, Any], head: RequestHead) -> str:
        """The account of what may be used, of its owner's own or another's. Raises AccessDeniedException."""
        asked = (principal.access_key_id, operation, head.path, head.query)
        remembered = self._allowed.get(asked)
        if remembered is not None:
            return remembered
        actor = principal.actor
        resource = resource_of(operation, members, principal.account_id, self._region)
        owner, policies = await self._policies_of(resource, principal.account_id)
        known = self._known(actor, head, facts_of(operation, members, principal.account_id, self._region))
        request = Request(caller=actor.caller, action=f"lambda:{action_of(operation)}", resource=resource, known=known)
        _decide(request, actor, policies, owner)
        if "Role" in members:
            self._check_pass_role(actor, members["Role"], head)
        if operation in _REMEMBERED and not known.has_varied:
            if len(self._allowed) >= _CAPACITY:
                self._allowed.clear()
            self._allowed[asked] = owner
        return owner

    def _check_pass_role(self, actor: Actor, role_arn: str, head: RequestHead) -> None:
        """Who gives a function a role gives it what the role may."""
        known = self._known(actor, head, _PASSED_TO)
        request = Request(caller=actor.caller, action="iam:PassRole", resource=role_arn, known=known)
        _decide(request, actor, (), actor.caller.account_id or "")

    def _known(self, actor: Actor, head: RequestHead, facts: Facts) -> Known:
        asking = Asking(head, now_epoch_seconds=self._clock.now(), scheme=self._scheme, region=self._region)
        return Known(asking, actor.known, facts)

    async def _policies_of(self, resource: str, account_id: str) -> tuple[str, Sequence[Policy]]:
        """The owner of a resource, and its policies. Other accounts' layers are looked after by their own policies."""
        named = _FUNCTION.fullmatch(resource)
        if named is None:
            return account_id, ()
        region, owner, name, qualifier = named.groups()
        stored = await self._resources.get(POLICIES, policy_place(FunctionKey(owner, region, name), qualifier))
        return owner, () if stored is None else (self._policies.read(stored),)

    def _forget(self, change: Change) -> None:
        if self._allowed and change.touches(_KINDS):
            self._allowed.clear()


def _decide(request: Request, actor: Actor, policies: Sequence[Policy], owner: str) -> None:
    """Raises AccessDeniedException."""
    verdict = evaluate(request, actor.policies(policies, owner))
    if not verdict.is_allowed:
        raise AccessDeniedException(denial(request, verdict))


class AccountsOnly:
    """Authentication for doors that AWS doesn't have: functions stay out unless they may do everything."""

    def __init__(self, inner: Authentication) -> None:
        self._inner = inner

    def read(self, head: RequestHead) -> Any:
        return self._inner.read(head)

    async def verify(self, claim: Any, request: HttpRequest, meanwhile: Meanwhile | None = None) -> Principal:
        principal = await self._inner.verify(claim, request, meanwhile)
        if principal.session is not None:
            raise AccessDeniedException(f"User: {principal.session.arn} is not authorized to read {request.head.path}")
        return principal
