"""What is known of a request: condition keys about the caller, about what he asks, and about how he asks it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lampion.domain.resource_arn import account_of
from lampion.http.message import RequestHead
from lampion.identity.actors import Actor
from lampion.identity.callers import NOBODY, Caller, CallerKind
from lampion.identity.tag_facts import OF_RESOURCE

Facts = Mapping[str, Sequence[str]]

_HEADER_CHARACTERS: Final = 2048


SOURCE_ARN: Final = "x-amz-source-arn"
SOURCE_ACCOUNT: Final = "x-amz-source-account"
"""Headers in which a service says for what it asks. They are signed, as all that begin with x-amz- have to be."""


class Asking:
    """How a request came: when, from where, by what. Asked key by key, for most policies look at none."""

    __slots__ = ("_head", "_is_of_service", "_now_epoch_seconds", "_region", "_scheme")

    def __init__(
        self,
        head: RequestHead,
        *,
        now_epoch_seconds: float,
        scheme: str,
        region: str,
        caller: Caller = NOBODY,
    ) -> None:
        """`caller`: only a service is believed what it says for what it asks."""
        self._head = head
        self._is_of_service = caller.kind is CallerKind.SERVICE
        self._now_epoch_seconds = now_epoch_seconds
        self._scheme = scheme
        self._region = region

    def get(self, key: str, /) -> Sequence[str] | None:
        read = _READ.get(key)
        value = None if read is None else read(self)
        return None if value is None else (value,)

    @property
    def head(self) -> RequestHead:
        return self._head

    def sent(self, name: str) -> str | None:
        """A header; the beginning of a long one, which policies would take long to compare."""
        value = self._head.headers.get(name)
        return None if value is None else value[:_HEADER_CHARACTERS]

    @property
    def moment(self) -> str:
        return f"{datetime.fromtimestamp(self._now_epoch_seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"

    @property
    def epoch(self) -> str:
        return str(int(self._now_epoch_seconds))

    @property
    def is_secure(self) -> str:
        return "true" if self._scheme == "https" else "false"

    @property
    def region(self) -> str:
        return self._region

    def source(self, header: str) -> str | None:
        return self._head.headers.get(header) if self._is_of_service else None


_NO_HEAD: Final = RequestHead("POST", "/", "", {}, None)


def asking_within(region: str, now_epoch_seconds: float) -> Asking:
    """What this server asks by itself: from no address, by no program of anybody's."""
    return Asking(_NO_HEAD, now_epoch_seconds=now_epoch_seconds, scheme="https", region=region)


_READ: Final[Mapping[str, Callable[[Asking], str | None]]] = {
    "aws:sourceip": lambda asking: asking.head.client or None,
    "aws:securetransport": lambda asking: asking.is_secure,
    "aws:currenttime": lambda asking: asking.moment,
    "aws:epochtime": lambda asking: asking.epoch,
    "aws:requestedregion": lambda asking: asking.region,
    "aws:viaawsservice": lambda asking: "false",
    "aws:principalisawsservice": lambda asking: "false",
    "aws:sourcearn": lambda asking: asking.source(SOURCE_ARN),
    "aws:sourceaccount": lambda asking: asking.source(SOURCE_ACCOUNT),
    "aws:useragent": lambda asking: asking.sent("user-agent"),
    "aws:referer": lambda asking: asking.sent("referer"),
}


_OF_THE_PLACE: Final = frozenset(
    ("aws:sourceip", "aws:securetransport", "aws:requestedregion", "aws:viaawsservice", "aws:principalisawsservice")
)
"""What is the same the next time that the same caller asks this server from the same address."""


class Known:
    """All of it (conditions.Known). `has_varied` tells whether an answer depends on more than who asks for what
    and from where, `misses_tags` whether it depends on a tag of the resource that isn't among the facts.
    """

    __slots__ = ("_asking", "_fixed", "has_varied", "misses_tags")

    def __init__(self, asking: Asking, *fixed: Facts) -> None:
        self._asking = asking
        self._fixed = fixed
        self.has_varied = False
        self.misses_tags = False

    def get(self, key: str, /) -> Sequence[str] | None:
        for facts in self._fixed:
            value = facts.get(key)
            if value is not None:
                return value
        self.has_varied = self.has_varied or key not in _OF_THE_PLACE
        self.misses_tags |= key.startswith(OF_RESOURCE)
        return self._asking.get(key)


def facts_of_resource(arn: str) -> Facts:
    """What the ARN of a resource tells of it; nothing of "*"."""
    account_id = account_of(arn)
    return {"aws:resourceaccount": (account_id,)} if account_id else {}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and how. `has_session`: with temporary keys."""

    actor: Actor
    asking: Asking
    has_session: bool
