"""Who may do what with a key of KMS: its policy and the caller's own, and grants beside them.

Docs: KMS developer guide, "Determining access to AWS KMS keys", "Condition keys for AWS KMS", "Grants in AWS KMS".
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from lampion.aws.errors import AccessDeniedException
from lampion.domain.kms.alias import KeyReference
from lampion.domain.kms.grant import Grant
from lampion.domain.kms.key import ALGORITHM, ORIGIN, SPEC, USAGE, Key
from lampion.identity.call_record import CallRecord
from lampion.identity.denials import denial
from lampion.identity.evaluation import PolicyType, Request, Verdict, evaluate
from lampion.identity.request_facts import Asker, Facts, Known
from lampion.identity.statements import EVERYTHING, Policy, Source, read_policy
from lampion.identity.tag_facts import OF_RESOURCE, tag_facts
from lampion.store.cached_resources import CachedResources
from lampion.store.kms import ALIAS_NAMES, GRANTS_BY_KEY

_SOURCE: Final = Source("KeyPolicy", "resource")
_POLICIES_READ: Final = 1024
_CIPHERTEXT: Final = "the resource associated with this ciphertext"
_NOT_THERE: Final = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based "
    "policy explicitly denies access"
)

FACTS_OF_KIND: Final[Facts] = {
    "kms:keyorigin": (ORIGIN,),
    "kms:keyspec": (SPEC,),
    "kms:keyusage": (USAGE,),
    "kms:multiregion": ("false",),
}
"""Condition keys that are alike for all keys here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What decides beside key and caller. `context` is None where an operation has no encryption context, `named` how
    the request names the key, None where a ciphertext does; `grant` is one to be given out; `via_service` is the
    service that asks on the caller's behalf (`lambda.us-east-1.amazonaws.com`).
    """

    context: Mapping[str, str] | None = None
    named: KeyReference | None = None
    grant: Grant | None = None
    via_service: str | None = None
    facts: Facts = field(default_factory=dict)


class KeyAccess:
    """Asks the one evaluation of policies."""

    def __init__(self, resources: CachedResources, record: CallRecord | None = None) -> None:
        """`record` takes what roles call."""
        self._resources = resources
        self._record = record

    async def check(self, asker: Asker, operation: str, key: Key, asked: Asked) -> None:
        """Raises AccessDeniedException. `operation` as its action is called: ReEncryptFrom."""
        request = await self._request(asker, operation, key, asked)
        self._note(request)
        is_others = asker.actor.caller.account_id != key.account_id
        if is_others and not await self._lets_in(request, asker, operation, key, asked):
            arn = key.arn if asked.named is None else asked.named.arn
            self.check_absent(asker, operation, arn, key.account_id, asked)
        verdict = _judged(request, asker, key)
        if verdict.is_allowed:
            return
        if verdict.is_explicit or not await self._is_granted(request, asker, operation, key, asked):
            raise AccessDeniedException(_refusal(request, verdict, key.account_id, asked))

    async def check_not_denied(self, asker: Asker, operation: str, key: Key, asked: Asked) -> None:
        """For who needs nobody's yes: that nobody says no. Raises AccessDeniedException."""
        request = await self._request(asker, operation, key, asked)
        verdict = _judged(request, asker, key)
        if verdict.is_explicit:
            raise AccessDeniedException(denial(request, verdict))

    async def check_retiring(self, asker: Asker, key: Key, grant: Grant | None) -> None:
        """Whether the grant names the caller as one who may end it: as its retiring principal, as its grantee where it
        permits that, or as the account that gave it. Raises AccessDeniedException, also for a grant that isn't there.
        """
        request = await self._request(asker, "RetireGrant", key, Asked())
        self._note(request)
        verdict = _judged(request, asker, key)
        if not verdict.is_explicit:
            named = [] if grant is None else [grant.issuer, grant.retiring]
            if grant is not None and grant.permits("RetireGrant", {}):
                named.append(grant.grantee)
            verdict = _given_to([one for one in named if one is not None], request, asker)
        if not verdict.is_allowed:
            is_others = request.caller.account_id != key.account_id
            looks_absent = is_others and not (verdict.is_explicit and verdict.by is not PolicyType.RESOURCE)
            nothing = _of_nothing(request, f"resource: {key.arn}")
            raise AccessDeniedException(nothing if looks_absent else denial(request, verdict))

    async def may_change_policy(self, asker: Asker, key: Key) -> bool:
        """Whether the caller could put another policy on a key that is as this one."""
        request = await self._request(asker, "PutKeyPolicy", key, Asked())
        return _judged(request, asker, key).is_allowed

    def check_own(self, asker: Asker, operation: str, resource: str, facts: Facts) -> None:
        """For what no key's policy speaks of, as far as the caller's own policies do. Raises AccessDeniedException."""
        request = _of(asker, operation, resource, facts)
        self._note(request)
        verdict = evaluate(request, asker.actor.policies())
        if not verdict.is_allowed:
            raise AccessDeniedException(denial(request, verdict))

    def check_absent(self, asker: Asker, operation: str, arn: str, owner: str, asked: Asked) -> None:
        """For a key that isn't there. Only who may use the keys of its account learns that.

        Raises AccessDeniedException.
        """
        request = _of(asker, operation, arn, asked.facts)
        self._note(request)
        verdict = evaluate(request, asker.actor.policies((), owner))
        if asked.named is None:
            raise AccessDeniedException(_of_nothing(request, _CIPHERTEXT))
        if not verdict.is_allowed:
            raise AccessDeniedException(_refusal(request, verdict, owner, asked))

    def _note(self, request: Request) -> None:
        if self._record is not None:
            self._record.note(request.caller.role_arn, request.action, request.resource)

    async def _request(self, asker: Asker, operation: str, key: Key, asked: Asked) -> Request:
        aliases = (await self._resources.see(ALIAS_NAMES, key.account_id, key.region)).get(key.key_id)
        return _of(asker, operation, key.arn, {**_facts_of(key, asked, aliases), **asked.facts})

    async def _lets_in(self, request: Request, asker: Asker, operation: str, key: Key, asked: Asked) -> bool:
        """Whether the key's policy or a grant does. Before, nothing of the key is known to the caller's own policies:
        else he would learn from what they say of it whether it is there, and what its tags are.
        """
        anybody = replace(asker.actor, identity=(EVERYTHING,), boundary=None, session=None)
        verdict = _judged(request, replace(asker, actor=anybody), key)
        if verdict.is_allowed or verdict.is_explicit:
            return verdict.is_allowed
        return await self._is_granted(request, asker, operation, key, asked)

    async def _is_granted(self, request: Request, asker: Asker, operation: str, key: Key, asked: Asked) -> bool:
        """By a grant. It is enough by itself, for callers of other accounts as well."""
        grants = (await self._resources.see(GRANTS_BY_KEY, key.account_id, key.region)).get(key.key_id, ())
        grantees = [
            grant.grantee
            for grant in grants
            if grant.permits(operation, asked.context or {})
            and (asked.grant is None or grant.admits_grant(asked.grant))
        ]
        return _given_to(grantees, request, asker).is_allowed


def _given_to(principals: Sequence[str], request: Request, asker: Asker) -> Verdict:
    """Where these and nobody else may, whosever the key is."""
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "*", "Resource": "*"}
    given = read_policy({"Statement": statement})
    return evaluate(request, asker.actor.policies((given,), must_be_named=True))


def _judged(request: Request, asker: Asker, key: Key) -> Verdict:
    return evaluate(request, asker.actor.policies((_read(key.policy),), key.account_id, must_be_named=True))


def _of(asker: Asker, operation: str, resource: str, facts: Facts) -> Request:
    caller = asker.actor.caller
    of_caller = {} if caller.account_id is None else {"kms:calleraccount": (caller.account_id,)}
    known = Known(asker.asking, asker.actor.known, of_caller, facts)
    return Request(caller=caller, action=f"kms:{operation}", resource=resource, known=known)


def _facts_of(key: Key, asked: Asked, aliases: Sequence[str] | None) -> dict[str, Sequence[str]]:
    facts: dict[str, Sequence[str]] = {
        **FACTS_OF_KIND,
        "aws:resourceaccount": (key.account_id,),
        **tag_facts(OF_RESOURCE, key.tags.items()),
    }
    if aliases:
        facts["kms:resourcealiases"] = aliases
    if asked.named is not None and asked.named.alias is not None:
        facts["kms:requestalias"] = (asked.named.alias,)
    if asked.via_service is not None:
        facts["kms:viaservice"] = (asked.via_service,)
    if asked.context is not None:
        facts["kms:encryptionalgorithm"] = (ALGORITHM,)
        facts |= facts_of_context(asked.context)
    return facts


def facts_of_context(context: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """Condition keys about an encryption context. Only kms:EncryptionContextKeys tells the keys in it apart: those that
    differ only by case are one condition key with several values, of which none hides another.
    """
    values: dict[str, list[str]] = {}
    for key, value in context.items():
        values.setdefault(f"kms:encryptioncontext:{key.lower()}", []).append(value)
    facts: dict[str, Sequence[str]] = {**values}
    if context:
        facts["kms:encryptioncontextkeys"] = list(context)
    return facts


def facts_of_grant(grant: Grant, *, is_for_aws: bool = False) -> dict[str, Sequence[str]]:
    """Condition keys about a grant that is to be given out. `is_for_aws`: a service asks for it, for its own use."""
    facts: dict[str, Sequence[str]] = {
        "kms:granteeprincipal": (grant.grantee,),
        "kms:grantoperations": grant.operations,
        "kms:grantisforawsresource": ("true" if is_for_aws else "false",),
        **facts_of_context(grant.equals or grant.subset),
    }
    if grant.retiring is not None:
        facts["kms:retiringprincipal"] = (grant.retiring,)
    if grant.equals or grant.subset:
        facts["kms:grantconstrainttype"] = ("EncryptionContextEquals" if grant.equals else "EncryptionContextSubset",)
    return facts


def _refusal(request: Request, verdict: Verdict, owner: str, asked: Asked) -> str:
    """Callers of other accounts don't learn what is there, nor what it is called."""
    if request.caller.account_id == owner or verdict.by is not PolicyType.RESOURCE:
        return denial(request, verdict)
    return _of_nothing(request, _CIPHERTEXT if asked.named is None else f"resource: {asked.named.arn}")


def _of_nothing(request: Request, what: str) -> str:
    return f"User: {request.caller.arn} is not authorized to perform: {request.action} on {what} {_NOT_THERE}"


@lru_cache(maxsize=_POLICIES_READ)
def _read(policy: str) -> Policy:
    return read_policy(json.loads(policy), _SOURCE)
