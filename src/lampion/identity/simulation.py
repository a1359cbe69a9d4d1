"""What would be decided, and why: one evaluation with its reasons. Pure.

Docs: IAM API reference, SimulatePrincipalPolicy; IAM user guide, "IAM policy testing with the IAM policy simulator".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lampion.identity.conditions import Known, keys_of
from lampion.identity.evaluation import Policies, PolicyType, Request, Verdict, evaluate
from lampion.identity.statements import Policy, Source, Statement

ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY = "allowed", "explicitDeny", "implicitDeny"


@dataclass(frozen=True, slots=True)
class Simulated:
    """`matched` are the sources of the statements that decided; `missing` condition keys that policies look at and the
    request has no value for; `within_boundary` is None where there is no boundary.
    """

    verdict: Verdict
    matched: Sequence[Source]
    missing: Sequence[str]
    within_boundary: bool | None

    @property
    def decision(self) -> str:
        if self.verdict.is_allowed:
            return ALLOWED
        return EXPLICIT_DENY if self.verdict.is_explicit else IMPLICIT_DENY


def simulate(request: Request, policies: Policies) -> Simulated:
    verdict = evaluate(request, policies)
    everywhere = [*policies.identity, *policies.resource]
    decisive = verdict.is_allowed or verdict.is_explicit
    matched = [
        policy.source or Source("PolicyInputList", "none")
        for policy in everywhere
        for statement in policy.statements
        if decisive and statement.denies is not verdict.is_allowed and _speaks(statement, request)
    ]
    bounds = [] if policies.boundary is None else [policies.boundary]
    keys = keys_in([*everywhere, *bounds, *(policies.session or ())])
    return Simulated(
        verdict=verdict,
        matched=matched,
        missing=[key for key in keys if request.known.get(key) is None],
        within_boundary=None if policies.boundary is None else verdict.by is not PolicyType.BOUNDARY,
    )


def keys_in(policies: Iterable[Policy]) -> list[str]:
    """The condition keys that they look at, in lower case and in order."""
    return sorted({key for policy in policies for one in policy.statements for key in keys_of(one.condition)})


def context(entries: Iterable[tuple[str, Sequence[str]]]) -> Known:
    """What a simulation is told of a request: values by condition key."""
    return {name.lower(): values for name, values in entries}


def _speaks(statement: Statement, request: Request) -> bool:
    return bool(statement.grant(request.caller)) and request.meets(statement)
