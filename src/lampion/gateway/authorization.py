"""What a caller may do: the policies of his own account and of what he asks for, evaluated at every call.

A yes to what is asked again and again is remembered until any policy changes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lampion.aws.errors import AccessDeniedException
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.iam.identity import IdentityKind
from lampion.gateway.asked_resources import action_of, facts_of, resource_of
from lampion.gateway.authentication import Authentication, Meanwhile, Principal
from lampion.gateway.judge import Judge
from lampion.http.message import Request as HttpRequest
from lampion.http.message import RequestHead
from lampion.identity.actors import Actor
from lampion.identity.execution_roles import lets_lambda_assume
from lampion.identity.request_facts import Asker, Facts
from lampion.identity.resource_policies import ResourcePolicies
from lampion.identity.statements import Policy
from lampion.store.cached_resources import CachedResources, Change
from lampion.store.iam import IDENTITIES, MANAGED_POLICIES, identity_place
from lampion.store.policies import POLICIES, policy_place

INVOCATIONS: Final = frozenset(("Invoke", "InvokeWithResponseStream", "InvokeAsync"))
"""Operations whose path and query say all that policies ask for."""
_KINDS: Final = frozenset((POLICIES.name, IDENTITIES.name, MANAGED_POLICIES.name))
_CAPACITY: Final = 10_000
_FUNCTION: Final = re.compile(r"arn:aws:lambda:([^:]+):(\d{12}):function:([^:]+)(?::([^:]+))?")
_ROLE: Final = re.compile(r"arn:[^:]+:iam::(\d{12}):role/(?:.*/)?([^/]+)")
_PASSED: Final[Facts] = {"iam:passedtoservice": ("lambda.amazonaws.com",)}

_Asked = tuple[str, str, str, str]


class Authorization:
    """For Lambda's API."""

    def __init__(self, judge: Judge, *, resources: CachedResources, region: str) -> None:
        self._judge = judge
        self._resources = resources
        self._policies = ResourcePolicies()
        self._region = region
        self._allowed: dict[_Asked, str] = {}
        self._changes = 0
        resources.subscribe(self._forget)

    async def check(self, principal: Principal, operation: str, members: Mapping[str, Any], head: RequestHead) -> str:
        """The account of what the caller may use, its own or another's. Raises AccessDeniedException."""
        asked = (principal.access_key_id, operation, head.path, head.query)
        remembered = self._allowed.get(asked)
        if remembered is not None:
            return remembered
        changes = self._changes
        actor, account_id = principal.actor, principal.account_id
        resource = resource_of(operation, members, account_id, self._region)
        owner, policies = await self._policies_of(resource, account_id)
        facts = facts_of(operation, members, account_id, self._region)
        wanted = (f"lambda:{action_of(operation)}", resource)
        varies = self._judge.check(actor, wanted, head, facts, (policies, owner))
        if "Role" in members:
            await self._check_role(actor, owner, members["Role"], head)
        is_old = changes != self._changes or actor.epoch.is_over
        if operation in INVOCATIONS and not varies and not is_old:
            if len(self._allowed) >= _CAPACITY:
                self._allowed.clear()
            self._allowed[asked] = owner
        return owner

    def asker(self, principal: Principal, head: RequestHead) -> Asker:
        """Who sent the request, for what else is asked in his name."""
        return Asker(principal.actor, self._judge.asking(head), has_session=principal.has_session)

    async def _check_role(self, actor: Actor, owner: str, role_arn: str, head: RequestHead) -> None:
        """Who gives a function a role gives it what the role may. One that isn't here may nothing, and is taken.

        Raises AccessDeniedException, InvalidParameterValueException.
        """
        named = _ROLE.fullmatch(role_arn)
        if named is None:
            return  # no role can have this name: the model says so
        self._judge.check(actor, ("iam:PassRole", role_arn), head, _PASSED)
        if named[1] != owner:
            raise AccessDeniedException("Cross-account pass role is not allowed.")
        role = await self._resources.get(IDENTITIES, identity_place(owner, IdentityKind.ROLE, named[2]))
        if role is not None and role.arn == role_arn and not lets_lambda_assume(role):
            raise InvalidParameterValueException("The role defined for the function cannot be assumed by Lambda.")

    async def _policies_of(self, resource: str, account_id: str) -> tuple[str, Sequence[Policy]]:
        """The owner of a resource, and its policies. Other accounts' layers are looked after by their own policies."""
        named = _FUNCTION.fullmatch(resource)
        if named is None:
            return account_id, ()
        region, owner, name, qualifier = named.groups()
        stored = await self._resources.get(POLICIES, policy_place(FunctionKey(owner, region, name), qualifier))
        return owner, () if stored is None else (self._policies.read(stored),)

    def _forget(self, change: Change) -> None:
        if change.touches(_KINDS):
            self._changes += 1
            self._allowed.clear()


class OwnDoors:
    """Authentication for doors that AWS doesn't have: whoever may `lampion:Read` or `lampion:Change` comes in."""

    def __init__(self, inner: Authentication, judge: Judge, *, for_functions: bool) -> None:
        """Functions stay out of those that aren't `for_functions`, whatever their roles may."""
        self._inner = inner
        self._judge = judge
        self._for_functions = for_functions

    def read(self, head: RequestHead) -> Any:
        return self._inner.read(head)

    async def verify(self, claim: Any, request: HttpRequest, meanwhile: Meanwhile | None = None) -> Principal:
        principal, head = await self._inner.verify(claim, request, meanwhile), request.head
        if principal.session is not None and not self._for_functions:
            raise AccessDeniedException(f"User: {principal.arn} is not authorized to read {head.path}")
        self._judge.check(principal.actor, ("lampion:Read" if head.method == "GET" else "lampion:Change", "*"), head)
        return principal
