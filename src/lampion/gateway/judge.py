"""Whether a caller may do something: asks the one evaluation of policies with all that is known of the request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lampion.aws.errors import AccessDeniedException
from lampion.clock.clock import Clock
from lampion.http.message import RequestHead
from lampion.identity.actors import Actor
from lampion.identity.call_record import CallRecord
from lampion.identity.callers import NOBODY, Caller
from lampion.identity.denials import denial
from lampion.identity.evaluation import Request, Verdict, Wanted, evaluate
from lampion.identity.request_facts import Asking, Facts, Known
from lampion.identity.statements import Policy
from lampion.identity.tag_facts import facts_of_request_tags

_NO_FACTS: Final[Facts] = MappingProxyType({})
OfResource = tuple[Sequence[Policy], str | None]
"""The policies of a resource, and the account that owns it; None for the caller's own."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What was asked, all that was known of it, and what policies say."""

    request: Request
    known: Known
    verdict: Verdict

    def check(self) -> bool:
        """Whether the same caller could be told something else for the same next time. Raises AccessDeniedException."""
        if not self.verdict.is_allowed:
            raise AccessDeniedException(denial(self.request, self.verdict))
        return self.known.has_varied


class Judge:
    """For every door behind which policies decide."""

    def __init__(self, *, region: str, scheme: str, clock: Clock, record: CallRecord | None = None) -> None:
        """`record` takes what roles call."""
        self._region = region
        self._scheme = scheme
        self._clock = clock
        self._record = record

    def asking(self, head: RequestHead, caller: Caller = NOBODY) -> Asking:
        """What is known of how a request came, now."""
        now = self._clock.now()
        return Asking(head, now_epoch_seconds=now, scheme=self._scheme, region=self._region, caller=caller)

    def check(
        self,
        actor: Actor,
        wanted: Wanted | tuple[str, str],
        head: RequestHead,
        facts: Facts = _NO_FACTS,
        of_resource: OfResource = ((), None),
    ) -> bool:
        """As Weighed.check: raises AccessDeniedException, in AWS's words, unless what is `wanted` is allowed."""
        return self.weigh(actor, wanted, head, facts, of_resource).check()

    def weigh(
        self,
        actor: Actor,
        wanted: Wanted | tuple[str, str],
        head: RequestHead,
        facts: Facts = _NO_FACTS,
        of_resource: OfResource = ((), None),
    ) -> Weighed:
        """`facts` are condition keys about what is asked."""
        action, resource, told = Wanted(*wanted)
        if self._record is not None:
            self._record.note(actor.caller.role_arn, action, resource)
        known = Known(self.asking(head, actor.caller), actor.known, facts)
        request = Request(caller=actor.caller, action=action, resource=resource, known=known, told=told)
        return Weighed(request, known, evaluate(request, actor.policies(*of_resource)))


def facts_of_tags(members: Mapping[str, object]) -> dict[str, Sequence[str]]:
    """The condition keys aws:RequestTag/... and aws:TagKeys, of tags as a mapping or as a list of keys and values."""
    tags, keys = members.get("Tags") or members.get("tags"), members.get("TagKeys") or members.get("tagKeys")
    pairs: list[tuple[str, str]] = []
    if isinstance(tags, Mapping):
        pairs = [(str(key), str(value)) for key, value in tags.items()]
    elif isinstance(tags, list):
        pairs = [(str(tag.get("Key", "")), str(tag.get("Value", ""))) for tag in tags if isinstance(tag, Mapping)]
    if not pairs and isinstance(keys, list):
        return {"aws:tagkeys": [str(key) for key in keys]}
    return facts_of_request_tags(pairs)
