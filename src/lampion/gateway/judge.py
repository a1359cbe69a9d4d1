"""Whether a caller may do something: asks the one evaluation of policies with all that is known of the request."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from lampion.aws.errors import AccessDeniedException
from lampion.clock.clock import Clock
from lampion.http.message import RequestHead
from lampion.identity.actors import Actor
from lampion.identity.call_record import CallRecord
from lampion.identity.callers import NOBODY, Caller
from lampion.identity.denials import denial
from lampion.identity.evaluation import Request, Wanted, evaluate
from lampion.identity.request_facts import Asking, Facts, Known
from lampion.identity.statements import Policy

_NO_FACTS: Final[Facts] = MappingProxyType({})


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
        of_resource: tuple[Sequence[Policy], str | None] = ((), None),
    ) -> bool:
        """Raises AccessDeniedException, in AWS's words, unless what is `wanted` is allowed.

        `facts` are condition keys about what is asked, `of_resource` the policies of the resource and the account that
        owns it. Whether the same caller could be told something else for the same next time.
        """
        action, resource, told = Wanted(*wanted)
        if self._record is not None and actor.caller.role_arn is not None:
            self._record.note(actor.caller.role_arn, action, resource)
        known = Known(self.asking(head, actor.caller), actor.known, facts)
        request = Request(caller=actor.caller, action=action, resource=resource, known=known, told=told)
        verdict = evaluate(request, actor.policies(*of_resource))
        if not verdict.is_allowed:
            raise AccessDeniedException(denial(request, verdict))
        return known.has_varied


def facts_of_tags(members: Mapping[str, object]) -> dict[str, Sequence[str]]:
    """The condition keys aws:RequestTag/... and aws:TagKeys, of tags as a mapping or as a list of keys and values."""
    tags, keys = members.get("Tags") or members.get("tags"), members.get("TagKeys") or members.get("tagKeys")
    pairs: list[tuple[str, str]] = []
    if isinstance(tags, Mapping):
        pairs = [(str(key), str(value)) for key, value in tags.items()]
    elif isinstance(tags, list):
        pairs = [(str(tag.get("Key", "")), str(tag.get("Value", ""))) for tag in tags if isinstance(tag, Mapping)]
    facts: dict[str, Sequence[str]] = {f"aws:requesttag/{key.lower()}": (value,) for key, value in pairs}
    if pairs:
        facts["aws:tagkeys"] = [key for key, _ in pairs]
    elif isinstance(keys, list):
        facts["aws:tagkeys"] = [str(key) for key in keys]
    return facts
