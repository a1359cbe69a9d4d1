"""Actors: who signs with a key, with all that his own account's policies say of him."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from lampion.identity.callers import NOBODY, Caller, service
from lampion.identity.evaluation import Policies
from lampion.identity.statements import Policy
from lampion.identity.tag_facts import OF_PRINCIPAL, tag_facts
from lampion.identity.temporary_keys import Standing


class Epoch:
    """The time in which nothing of IAM changes in an account: what was read in it holds until `is_over`."""

    __slots__ = ("is_over",)

    def __init__(self) -> None:
        self.is_over = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """`identity` and `boundary` are of the user or the role, `session` of the session alone; `known` are condition keys
    that are about the caller, and don't change as long as he doesn't. All of it was so in its `epoch`. `standing` is
    what the caller's temporary key says, where STS gave it out; `handed_on` are the tags that sessions have which are
    begun with it.
    """

    caller: Caller
    user_id: str
    identity: Sequence[Policy] = ()
    boundary: Policy | None = None
    session: Sequence[Policy] | None = None
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)
    epoch: Epoch = field(default_factory=Epoch, compare=False)
    standing: Standing | None = None

    @property
    def handed_on(self) -> Mapping[str, str]:
        standing = self.standing
        return {} if standing is None else {key: standing.tags[key] for key in standing.transitive_tag_keys}

    def policies(
        self, resource: Sequence[Policy] = (), owner: str | None = None, *, must_be_named: bool = False
    ) -> Policies:
        """Together with those of a resource, which `owner` owns; see Policies.must_be_named."""
        return Policies(
            identity=self.identity,
            boundary=self.boundary,
            session=self.session,
            resource=resource,
            resource_account_id=owner,
            must_be_named=must_be_named,
        )


def known_of(caller: Caller, user_id: str, tags: Mapping[str, str], **more: str) -> Mapping[str, Sequence[str]]:
    """The global condition keys about a caller; `more` by name without "aws:"."""
    known = {
        "aws:principalaccount": caller.account_id,
        "aws:principalarn": caller.role_arn or caller.arn or None,
        "aws:principaltype": caller.kind.value,
        "aws:userid": user_id or None,
        **{f"aws:{name}": value for name, value in more.items()},
    }
    facts = {key: (value,) for key, value in known.items() if value is not None}
    return {**facts, **tag_facts(OF_PRINCIPAL, tags.items())}


@lru_cache(maxsize=256)
def service_actor(name: str) -> Actor:
    """A service of AWS. It has no policies, and no account: what it may, the policies of resources say."""
    known = {"aws:principalisawsservice": "true", "aws:principalservicename": name, "aws:principaltype": "Service"}
    facts: dict[str, Sequence[str]] = {key: (value,) for key, value in known.items()}
    facts["aws:principalservicenameslist"] = (name,)
    return Actor(caller=service(name), user_id="", known=facts)


ANYBODY: Final = Actor(caller=NOBODY, user_id="", known=known_of(NOBODY, "", {}))
"""Who didn't say who he is."""
