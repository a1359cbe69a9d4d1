"""Tags that a session is begun with, those that go on to the next session of a chain, and the room all of it takes.

Docs: IAM user guide, "Pass session tags in AWS STS".
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lampion.domain.errors import InvalidParameterValueException
from lampion.identity.tag_facts import facts_of_request_tags
from lampion.services.sts.errors import PackedPolicyTooLargeException
from lampion.services.sts.session_policies import SessionPolicies

ALLOTTED_BYTES: Final = 2048
"""For policies and tags, packed. AWS doesn't say how it packs, nor into how much: this is zlib, into as much."""
_TAGS_MAX: Final = 50

Members = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SessionTags:
    """`all` by their keys as given; the `transitive` ones go on to sessions that are begun with this one."""

    all: Mapping[str, str]
    transitive: tuple[str, ...] = ()


def session_tags(members: Members, inherited: Mapping[str, str]) -> SessionTags:
    """Those of the request and, in a chain, those that the calling session hands on. Keys differ by more than case.

    Raises InvalidParameterValueException.
    """
    tags = {tag["Key"]: tag["Value"] for tag in members.get("Tags", ())}
    given = {key.lower() for key in tags}
    transitive = {key.lower() for key in members.get("TransitiveTagKeys", ())}
    if len(given) < len(members.get("Tags", ())):
        raise InvalidParameterValueException(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    if any(key.startswith("aws:") for key in given):
        raise InvalidParameterValueException("Tag keys may not start with the reserved prefix aws:")
    if not transitive <= given:
        raise InvalidParameterValueException("The specified transitive tag key must be included in the requested tags.")
    if given & {key.lower() for key in inherited}:
        raise InvalidParameterValueException(
            "One of the specified tag keys can't be set because it conflicts with a transitive tag key from the "
            "calling session."
        )
    if len(tags) + len(inherited) > _TAGS_MAX:
        raise InvalidParameterValueException(f"A session has at most {_TAGS_MAX} tags.")
    return SessionTags({**inherited, **tags}, (*inherited, *(key for key in tags if key.lower() in transitive)))


def facts_of_session(members: Members) -> Mapping[str, Sequence[str]]:
    """The condition keys that a request for a session brings; tags that are handed on are no part of the request."""
    facts = facts_of_request_tags([(tag["Key"], tag["Value"]) for tag in members.get("Tags", ())])
    if members.get("TransitiveTagKeys"):
        facts["sts:transitivetagkeys"] = members["TransitiveTagKeys"]
    return facts


def packed_percent(policies: SessionPolicies, tags: SessionTags) -> int | None:
    """How much of the room in a token policies and tags take; None where there are none.

    Raises PackedPolicyTooLargeException.
    """
    of_policies = (*policies.documents, *policies.arns)
    parts = (*of_policies, *(text for pair in tags.all.items() for text in pair))
    if not parts:
        return None
    size_bytes = len(zlib.compress("\0".join(parts).encode()))
    percent = -(-100 * size_bytes // ALLOTTED_BYTES)
    if percent > 100:
        told = f"Packed policy consumes {percent}% of allotted space, please use smaller policy."
        of_tags = f"Packed size of session tags consumes {percent}% of allotted space."
        raise PackedPolicyTooLargeException(told if of_policies else of_tags)
    return percent
