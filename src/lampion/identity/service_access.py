"""Whether a service of AWS may invoke a function: what senders in this server ask before they send.

Only the policy of the function, version or alias has a say. Answers are at hand until any such policy changes.
"""

from dataclasses import dataclass
from typing import Final

from lampion.clock.clock import Clock
from lampion.domain.arn import FunctionKey, parse_function_reference
from lampion.identity.actors import service_actor
from lampion.identity.denials import denial
from lampion.identity.evaluation import Request, evaluate
from lampion.identity.function_policies import FunctionPolicies
from lampion.identity.request_facts import Facts, Known, asking_within
from lampion.store.cached_resources import CachedResources, Change
from lampion.store.policies import POLICIES

_ACTION: Final = "lambda:InvokeFunction"
_KINDS: Final = frozenset((POLICIES.name,))
_CAPACITY: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInvocation:
    """`service` as principals name it (`s3.amazonaws.com`), `source_arn` and `source_account` of the bucket, rule or
    topic for which it asks, None where it says neither. `function_arn` may end in a version or alias.
    """

    service: str
    function_arn: str
    source_arn: str | None = None
    source_account: str | None = None


class ServiceAccess:
    """Asks the function's policy."""

    def __init__(self, resources: CachedResources, clock: Clock) -> None:
        self._clock = clock
        self._policies = FunctionPolicies(resources)
        self._answers: dict[ServiceInvocation, str | None] = {}
        self._changes = 0
        resources.subscribe(self._forget)

    async def denial(self, asked: ServiceInvocation) -> str | None:
        """AWS's sentence, or None where the service may. Raises ValueError for what isn't a function's ARN."""
        if asked in self._answers:
            return self._answers[asked]
        changes = self._changes
        key, qualifier = _function(asked.function_arn)
        policies = await self._policies.of(key, qualifier)
        actor = service_actor(asked.service)
        known = Known(asking_within(key.region, self._clock.now()), actor.known, _sources(asked, key))
        request = Request(caller=actor.caller, action=_ACTION, resource=asked.function_arn, known=known)
        verdict = evaluate(request, actor.policies(policies, key.account_id))
        told = None if verdict.is_allowed else denial(request, verdict)
        if changes == self._changes and not known.has_varied:
            self._keep(asked, told)
        return told

    def _keep(self, asked: ServiceInvocation, told: str | None) -> None:
        if len(self._answers) >= _CAPACITY:
            self._answers.clear()
        self._answers[asked] = told

    def _forget(self, change: Change) -> None:
        if change.touches(_KINDS):
            self._changes += 1
            self._answers.clear()


def _sources(asked: ServiceInvocation, key: FunctionKey) -> Facts:
    sources = {
        "aws:sourcearn": asked.source_arn,
        "aws:sourceaccount": asked.source_account,
        "aws:resourceaccount": key.account_id,
    }
    return {key: (value,) for key, value in sources.items() if value is not None}


def _function(arn: str) -> tuple[FunctionKey, str | None]:
    named = parse_function_reference(arn)
    if not (arn.startswith("arn:") and named.account_id and named.region):
        raise ValueError(f"not a function's ARN: {arn!r}")
    return FunctionKey(named.account_id, named.region, named.name), named.qualifier
