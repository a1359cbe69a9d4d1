"""The policy simulator: SimulatePrincipalPolicy, SimulateCustomPolicy, and which condition keys policies look at."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final, TypeVar

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.documents import permissions_of
from lampion.domain.iam.errors import InvalidInputException, NoSuchEntityException
from lampion.identity.actors import Actor
from lampion.identity.callers import Caller, CallerKind
from lampion.identity.directory import Directory
from lampion.identity.evaluation import Policies, Request
from lampion.identity.simulation import Simulated, context, keys_in, simulate
from lampion.identity.statements import Policy, Source, read_policy
from lampion.services.iam.rooms import PAGE, IamRooms, Members

T = TypeVar("T")

_QUESTIONS_MAX: Final = 10_000
"""Actions by resources, of which a page shows 1000 at most."""
_DOCUMENT_CHARACTERS_MAX: Final = 262_144
"""Of all documents together."""
_WORK_MAX: Final = 5_000_000
"""Questions on a page by characters of documents: a second or two."""
_TOO_MUCH: Final = "Invalid Input: too much to simulate at once; ask with fewer actions, resources or policies."


@dataclass(frozen=True, slots=True)
class _Question:
    caller: Caller
    policies: Policies


class SimulationApi:
    """Decides as the doors do, and changes nothing: one at a time, beside the server's other work, and only so much."""

    def __init__(self, rooms: IamRooms, directory: Directory) -> None:
        self._rooms = rooms
        self._directory = directory
        self._turn = asyncio.Lock()

    @operation("SimulatePrincipalPolicy")
    async def simulate_principal_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        _check_size(members)
        actor = await self._actor(members["PolicySourceArn"], context)

        def answer() -> Mapping[str, Any]:
            identity = (*actor.identity, *_inputs(members, "PolicyInputList"))
            policies = replace(actor.policies(_resource_policy(members)), identity=identity, session=None)
            question = _Question(actor.caller, _bounded(policies, members))
            return self._answer("SimulatePrincipalPolicy", members, question)

        return await self._apart(answer)

    @operation("SimulateCustomPolicy")
    async def simulate_custom_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        _check_size(members)
        arn = members.get("CallerArn", f"arn:aws:iam::{context.account_id}:user/simulated")
        caller = Caller(CallerKind.USER, context.account_id, arn)

        def answer() -> Mapping[str, Any]:
            policies = Policies(identity=_inputs(members, "PolicyInputList"), resource=_resource_policy(members))
            return self._answer("SimulateCustomPolicy", members, _Question(caller, _bounded(policies, members)))

        return await self._apart(answer)

    @operation("GetContextKeysForPrincipalPolicy")
    async def get_context_keys_for_principal_policy(
        self, context: RequestContext, members: Members
    ) -> Mapping[str, Any]:
        _check_size(members)
        actor = await self._actor(members["PolicySourceArn"], context)
        keys = await self._apart(lambda: keys_in([*actor.identity, *_inputs(members, "PolicyInputList")]))
        return {"ContextKeyNames": keys}

    @operation("GetContextKeysForCustomPolicy")
    async def get_context_keys_for_custom_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        _check_size(members)
        return {"ContextKeyNames": await self._apart(lambda: keys_in(_inputs(members, "PolicyInputList")))}

    async def _apart(self, work: Callable[[], T]) -> T:
        async with self._turn:
            return await asyncio.to_thread(work)

    async def _actor(self, arn: str, context: RequestContext) -> Actor:
        """Raises InvalidInputException, NoSuchEntityException."""
        _, _, path = arn.partition(f"arn:aws:iam::{context.account_id}:")
        kind, name = path.partition("/")[0], path.rpartition("/")[2]
        account_id = context.account_id
        if kind == "role":
            actor = await self._directory.role(account_id, name)
        elif kind == "group":
            actor = await self._directory.group(account_id, name)
        elif kind == "user":
            actor = await self._directory.user_named(account_id, name)
        else:
            raise InvalidInputException(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
        if actor is None:
            raise NoSuchEntityException(f"Invalid Entity Arn: {arn} does not exist.")
        return actor

    def _answer(self, name: str, members: Members, question: _Question) -> Mapping[str, Any]:
        known = context((one["ContextKeyName"], one["ContextKeyValues"]) for one in members.get("ContextEntries", ()))
        asked = list(product(members["ActionNames"], members.get("ResourceArns") or ["*"]))
        owner = members.get("ResourceOwner")
        policies = replace(question.policies, resource_account_id=None if owner is None else _account(owner))
        numbered = [(f"{number:09}", *one) for number, one in enumerate(asked)]
        shown, more = self._rooms.page(name, members, numbered, lambda one: one[0])
        results = []
        for _, action, resource in shown:
            request = Request(caller=question.caller, action=action, resource=resource, known=known)
            results.append(_shape(action, resource, simulate(request, policies)))
        return {"EvaluationResults": results, **more}


def _check_size(members: Members) -> None:
    """Raises InvalidInputException for what would keep the server busy."""
    questions = len(members.get("ActionNames", ())) * max(1, len(members.get("ResourceArns", ())))
    documents = [*members.get("PolicyInputList", ()), *members.get("PermissionsBoundaryPolicyInputList", ())]
    characters = sum(map(len, documents)) + len(members.get("ResourcePolicy", ""))
    shown = min(questions, members.get("MaxItems", PAGE))
    if questions > _QUESTIONS_MAX or characters > _DOCUMENT_CHARACTERS_MAX or shown * characters > _WORK_MAX:
        raise InvalidInputException(_TOO_MUCH)


def _inputs(members: Members, member: str) -> tuple[Policy, ...]:
    """Raises MalformedPolicyDocumentException."""
    documents = members.get(member, ())
    return tuple(
        read_policy(permissions_of(text), Source(f"{member}.{number}", "none"))
        for number, text in enumerate(documents, 1)
    )


def _bounded(policies: Policies, members: Members) -> Policies:
    bounds = _inputs(members, "PermissionsBoundaryPolicyInputList")
    return replace(policies, boundary=bounds[0]) if bounds else policies


def _resource_policy(members: Members) -> Sequence[Policy]:
    """Raises InvalidInputException for what is no JSON."""
    text = members.get("ResourcePolicy")
    if text is None:
        return ()
    try:
        return (read_policy(json.loads(text), Source("ResourcePolicy", "resource")),)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidInputException("Invalid Input: the resource policy is malformed.") from None


def _account(owner: str) -> str:
    return owner.split(":")[4] if owner.startswith("arn:") and owner.count(":") >= 5 else owner


def _shape(action: str, resource: str, simulated: Simulated) -> Mapping[str, Any]:
    within = simulated.within_boundary
    return {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": simulated.decision,
        "MatchedStatements": [{"SourcePolicyId": one.name, "SourcePolicyType": one.kind} for one in simulated.matched],
        "MissingContextValues": list(simulated.missing),
        "PermissionsBoundaryDecisionDetail": None if within is None else {"AllowedByPermissionsBoundary": within},
    }
