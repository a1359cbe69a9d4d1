"""Whether a request is allowed: IAM's policy evaluation, whole. Pure.

Docs: IAM user guide, "Policy evaluation logic", with "... for requests within a single account", "Cross-account policy
evaluation logic" and "Permissions boundaries for IAM entities". There are no organizations here, so no policies of
theirs (SCP, RCP).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from lampion.identity.callers import Caller
from lampion.identity.conditions import Known
from lampion.identity.statements import Grant, Policy, Statement


class PolicyType(Enum):
    """As AWS's refusals name them."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"


class Wanted(NamedTuple):
    """What a caller wants: an action as IAM names it (`lambda:GetFunction`), on the resource of an ARN, or "*".

    `told`: what refusals call the resource, where not by its ARN.
    """

    action: str
    resource: str
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """See Wanted; what is `known` besides."""

    caller: Caller
    action: str
    resource: str
    known: Known
    told: str = ""

    def meets(self, statement: Statement) -> bool:
        return statement.applies(self.action.lower(), self.resource, self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """Those that a request meets. `session` is None where a session was begun without any, and for who has none.

    `resource` is the policy of what is asked for, which `resource_account_id` owns; None for the caller's own account.
    `must_be_named`: without a word from that policy nobody has access, whatever his own policies say: so it is with
    keys of KMS, and with roles that are to be assumed.
    """

    identity: Sequence[Policy] = ()
    boundary: Policy | None = None
    session: Sequence[Policy] | None = None
    resource: Sequence[Policy] = ()
    resource_account_id: str | None = None
    must_be_named: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`by` names the kind of policy that denies, or is missing; `policy` is the one that denies."""

    is_allowed: bool
    by: PolicyType | None = None
    is_explicit: bool = False
    policy: Policy | None = None


ALLOWED = Verdict(is_allowed=True)


def evaluate(request: Request, policies: Policies) -> Verdict:
    """A denial anywhere is final. Otherwise what grants must do so in every kind of policy that has a say."""
    denial = _denial(request, policies)
    if denial is not None:
        return denial
    missing = _missing(request, policies, _grant(request, policies.resource))
    return ALLOWED if missing is None else Verdict(is_allowed=False, by=missing)


def _denial(request: Request, policies: Policies) -> Verdict | None:
    for kind, those in _by_kind(policies):
        for policy in those:
            if any(one.denies and one.grant(request.caller) and request.meets(one) for one in policy.statements):
                return Verdict(is_allowed=False, by=kind, is_explicit=True, policy=policy)
    return None


def _by_kind(policies: Policies) -> Iterable[tuple[PolicyType, Iterable[Policy]]]:
    yield PolicyType.IDENTITY, policies.identity
    yield PolicyType.RESOURCE, policies.resource
    yield PolicyType.BOUNDARY, () if policies.boundary is None else (policies.boundary,)
    yield PolicyType.SESSION, policies.session or ()


def _missing(request: Request, policies: Policies, grant: Grant) -> PolicyType | None:
    """The kind of policy that should allow, and doesn't."""
    caller = request.caller
    owner = policies.resource_account_id or caller.account_id
    if caller.account_id is None:  # a service, or nobody in particular: nobody's own policies speak for it
        return None if grant is Grant.ITSELF else PolicyType.RESOURCE
    is_foreign = owner != caller.account_id
    if grant is Grant.NONE and (is_foreign or policies.must_be_named):
        return PolicyType.RESOURCE if is_foreign else _missing_of_own(request, policies) or PolicyType.RESOURCE
    if not is_foreign and grant is Grant.ITSELF:
        return None
    return _missing_of_own(request, policies, is_granted=grant is Grant.ROLE and not is_foreign)


def _missing_of_own(request: Request, policies: Policies, *, is_granted: bool = False) -> PolicyType | None:
    """Of the caller's own policies. What bounds them bounds, too, what its role is granted (`is_granted`)."""
    if not is_granted and not _allow(request, policies.identity):
        return PolicyType.IDENTITY
    if policies.boundary is not None and not _allow(request, (policies.boundary,)):
        return PolicyType.BOUNDARY
    if policies.session is not None and not _allow(request, policies.session):
        return PolicyType.SESSION
    return None


def _allow(request: Request, policies: Iterable[Policy]) -> bool:
    return any(not one.denies and request.meets(one) for policy in policies for one in policy.statements)


def _grant(request: Request, policies: Iterable[Policy]) -> Grant:
    """The strongest of what the resource's policies grant."""
    grants = (
        one.grant(request.caller)
        for policy in policies
        for one in policy.statements
        if not one.denies and request.meets(one)
    )
    return max(grants, default=Grant.NONE)
