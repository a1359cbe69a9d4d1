"""What a caller may do: the policies of his own account and of what he asks for, evaluated at every call.

A yes to what is asked again and again is remembered until any policy changes.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from lampion.aws.errors import AccessDeniedException
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.gateway.asked_resources import action_of, also_wanted, facts_of, function_of, passed_role, resource_of
from lampion.gateway.authentication import Authentication, Meanwhile, Principal
from lampion.gateway.judge import Judge, OfResource, facts_of_tags
from lampion.gateway.stored_facts import StoredFacts
from lampion.http.message import Request as HttpRequest
from lampion.http.message import RequestHead
from lampion.identity.actors import Actor
from lampion.identity.callers import CallerKind
from lampion.identity.evaluation import Wanted
from lampion.identity.execution_roles import lets_lambda_assume
from lampion.identity.function_policies import FunctionPolicies
from lampion.identity.request_facts import Asker, Facts
from lampion.identity.statements import Policy
from lampion.identity.tag_facts import OF_RESOURCE, tag_facts
from lampion.store.cached_resources import CachedResources, Change
from lampion.store.iam import IDENTITIES, MANAGED_POLICIES, identity_place
from lampion.store.policies import POLICIES

INVOCATIONS: Final = frozenset(("Invoke", "InvokeWithResponseStream", "InvokeAsync"))
"""Operations whose path and query say all that policies ask for."""
_KINDS: Final = frozenset((POLICIES.name, IDENTITIES.name, MANAGED_POLICIES.name))
_CAPACITY: Final = 10_000
_REMEMBERED_CHARACTERS: Final = 1024
"""Of path and query: nobody fills the memory with queries that mean nothing."""
_FUNCTION: Final = re.compile(r"arn:aws:lambda:([^:]+):(\d{12}):function:([^:]+)(?::([^:]+))?")
_ROLE: Final = re.compile(r"arn:[^:]*:iam::(\d{12}):role/?(?:.*/)?([^/]{1,64})")
_ARN_CHARACTERS: Final = 10_000
_PASSED_TO: Final = "lambda.amazonaws.com"
_TAG_OF_ROLE: Final = "iam:resourcetag/"
_OF_A_MAPPING: Final = frozenset(("GetEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping"))
_NO_POLICIES: Final[OfResource] = ((), None)

_READ_OR_CHANGE: Final[Mapping[str, str]] = MappingProxyType({"GET": "lampion:Read"})

_Asked = tuple[str, str, str, str, str]
"""Key, operation, path, query, and the address of who asks."""


class Authorization:
    """For Lambda's API."""

    def __init__(self, judge: Judge, *, resources: CachedResources, region: str) -> None:
        self._judge = judge
        self._resources = resources
        self._policies = FunctionPolicies(resources)
        self._stored = StoredFacts(resources)
        self._region = region
        self._allowed: dict[_Asked, str] = {}
        self._changes = 0
        resources.subscribe(self._forget)

    async def check(self, principal: Principal, operation: str, members: Mapping[str, Any], head: RequestHead) -> str:
        """The account of what the caller may use, its own or another's. Raises AccessDeniedException."""
        asked = (principal.access_key_id, operation, head.path, head.query, head.client)
        remembered = self._allowed.get(asked)
        if remembered is not None:
            return remembered
        changes = self._changes
        owner, varies = await self._judged(principal, operation, members, head)
        is_old = changes != self._changes or principal.actor.epoch.is_over
        is_short = len(head.path) + len(head.query) <= _REMEMBERED_CHARACTERS
        if operation in INVOCATIONS and is_short and not varies and not is_old:
            if len(self._allowed) >= _CAPACITY:
                self._allowed.clear()
            self._allowed[asked] = owner
        return owner

    async def _judged(
        self, principal: Principal, operation: str, members: Mapping[str, Any], head: RequestHead
    ) -> tuple[str, bool]:
        """The owner, and whether the same caller could be told something else for the same next time.

        Raises AccessDeniedException.
        """
        actor, account_id = principal.actor, principal.account_id
        resource = resource_of(operation, members, account_id, self._region)
        owner, policies = await self._policies_of(resource, account_id)
        if actor.caller.kind is CallerKind.SERVICE and owner != account_id:
            policies = ()  # whoever can make a key in one account must not reach another one by it
        wanted, varies = Wanted(f"lambda:{action_of(operation)}", resource), False
        for facts in await self._facts(operation, members, account_id, owner):
            varies |= await self._check(actor, wanted, head, facts, (policies, owner))
        for also in also_wanted(operation, members, account_id, self._region):
            of_resource = (policies, owner) if also.resource == resource else _NO_POLICIES
            varies |= await self._check(actor, also, head, facts_of_tags(members), of_resource)
        role_arn = passed_role(members)
        if role_arn is not None:
            await self._check_role(actor, owner, role_arn, resource, head)
        return owner, varies

    def asker(self, principal: Principal, head: RequestHead) -> Asker:
        """Who sent the request, for what else is asked in his name."""
        return Asker(principal.actor, self._judge.asking(head), has_session=principal.has_session)

    async def shown(
        self, principal: Principal, operation: str, members: Mapping[str, Any], head: RequestHead, output: Any
    ) -> Any:
        """What the caller may see of an answer: GetFunction tells tags only to who may ListTags, too."""
        if operation != "GetFunction" or not output.get("Tags"):
            return output
        try:
            arn = function_of(members, principal.account_id, self._region)
            await self.check(principal, "ListTags", {"Resource": arn}, head)
        except AccessDeniedException as error:
            return {**output, "Tags": None, "TagsError": {"ErrorCode": error.code, "Message": error.message}}
        return output

    async def _check(
        self, actor: Actor, wanted: Wanted, head: RequestHead, facts: Facts, of_resource: OfResource
    ) -> bool:
        """As Judge.check; tags of the resource are looked up only where a policy asks for one."""
        weighed = self._judge.weigh(actor, wanted, head, facts, of_resource)
        is_own = of_resource[1] in (None, actor.caller.account_id)
        if weighed.known.misses_tags and is_own:  # else one's policies would tell the tags of others' functions
            tags = await self._stored.tags(wanted.resource)
            self._judge.check(actor, wanted, head, {**facts, **tags}, of_resource)
            return True
        return weighed.check()

    async def _facts(self, operation: str, members: Mapping[str, Any], account_id: str, owner: str) -> Sequence[Facts]:
        """Several, where all must be allowed: who makes a mapping invoke another function, has to do with both."""
        facts = {**facts_of(operation, members, account_id, self._region), "aws:resourceaccount": (owner,)}
        if operation not in _OF_A_MAPPING:
            return (facts,)
        functions = [*await self._stored.functions_of_mapping(account_id, self._region, str(members.get("UUID")))]
        functions += facts.get("lambda:functionarn", ())
        return [{**facts, "lambda:functionarn": (arn,)} for arn in functions] or (facts,)

    async def _check_role(self, actor: Actor, owner: str, role_arn: str, taker: str, head: RequestHead) -> None:
        """Who gives a function (`taker`) a role gives it what the role may. One that isn't here may nothing, and is
        taken. Raises AccessDeniedException, InvalidParameterValueException.
        """
        named = _ROLE.fullmatch(role_arn) if len(role_arn) <= _ARN_CHARACTERS else None
        role = await self._role(owner, named[2], role_arn) if named is not None and named[1] == owner else None
        tags = {} if role is None else role.tags
        facts: Facts = {
            "iam:passedtoservice": (_PASSED_TO,),
            "iam:associatedresourcearn": (taker,),
            **tag_facts(OF_RESOURCE, tags.items()),
            **tag_facts(_TAG_OF_ROLE, tags.items()),
        }
        self._judge.check(actor, ("iam:PassRole", role_arn), head, facts)
        if named is None:
            return  # no role can have this name, and the function may nothing with it
        if named[1] != owner:
            raise AccessDeniedException("Cross-account pass role is not allowed.")
        if role is not None and not lets_lambda_assume(role):
            raise InvalidParameterValueException("The role defined for the function cannot be assumed by Lambda.")

    async def _role(self, account_id: str, name: str, arn: str) -> Identity | None:
        """None where there is none of this ARN."""
        place = identity_place(account_id, IdentityKind.ROLE, name)
        role = await self._resources.get(IDENTITIES, place, keeps_absent=False)
        return role if role is not None and role.arn == arn else None

    async def _policies_of(self, resource: str, account_id: str) -> tuple[str, Sequence[Policy]]:
        """The owner of a resource, and its policies. Other accounts' layers are looked after by their own policies."""
        named = _FUNCTION.fullmatch(resource)
        if named is None:
            return account_id, ()
        region, owner, name, qualifier = named.groups()
        return owner, await self._policies.of(FunctionKey(owner, region, name), qualifier)

    def _forget(self, change: Change) -> None:
        if change.touches(_KINDS):
            self._changes += 1
            self._allowed.clear()


class OwnDoors:
    """Authentication for doors that AWS doesn't have: whoever may `lampion:Read` or `lampion:Change` comes in."""

    def __init__(
        self,
        inner: Authentication,
        judge: Judge,
        *,
        for_functions: bool,
        actions: Mapping[str, str] = _READ_OR_CHANGE,
        only_account: str | None = None,
    ) -> None:
        """Functions stay out of those that aren't `for_functions`, whatever their roles may; so do other accounts of
        those that are about the server as a whole, and `only_account`'s. `actions` by method.
        """
        self._inner = inner
        self._judge = judge
        self._for_functions = for_functions
        self._actions = actions
        self._only_account = only_account

    def read(self, head: RequestHead) -> Any:
        return self._inner.read(head)

    async def verify(self, claim: Any, request: HttpRequest, meanwhile: Meanwhile | None = None) -> Principal:
        principal, head = await self._inner.verify(claim, request, meanwhile), request.head
        is_strange = self._only_account not in (None, principal.account_id)
        if is_strange or (principal.session is not None and not self._for_functions):
            raise AccessDeniedException(f"User: {principal.arn} is not authorized to read {head.path}")
        self._judge.check(principal.actor, (self._actions.get(head.method, "lampion:Change"), "*"), head)
        return principal
