"""Tags as condition keys, whoever or whatever has them. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

OF_PRINCIPAL: Final = "aws:principaltag/"
OF_REQUEST: Final = "aws:requesttag/"
OF_RESOURCE: Final = "aws:resourcetag/"


def tag_facts(prefix: str, tags: Iterable[tuple[str, str]]) -> dict[str, Sequence[str]]:
    """Condition keys, which know no case. Of tags that differ only by it the first counts: who may add others to a
    resource changes nothing of what policies say of it.
    """
    return {f"{prefix}{key.lower()}": (value,) for key, value in reversed(list(tags))}


def facts_of_request_tags(tags: Sequence[tuple[str, str]]) -> dict[str, Sequence[str]]:
    """Those that a request brings: what they are, and which keys there are."""
    facts = tag_facts(OF_REQUEST, tags)
    return {**facts, "aws:tagkeys": [key for key, _ in tags]} if tags else facts
