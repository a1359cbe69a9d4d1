"""Tags: what a resource may have, and what adding and removing leave of them. Pure.

Source: Lambda developer guide, page "Using tags on Lambda functions", section "Tag restrictions".
"""

from collections.abc import Iterable, Mapping
from typing import Final

from lampion.domain import limits
from lampion.domain.errors import InvalidParameterValueException

_RESERVED_PREFIX: Final = "aws:"


def check_tags(tags: Mapping[str, str]) -> None:
    """For a new resource. Raises InvalidParameterValueException for too many, and for AWS's own."""
    _check_keys(tags)
    _check_number(tags)


def tags_with(present: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """A tag that is there already gets the new value. Raises InvalidParameterValueException; AWS names no reason
    when there is nothing to add.
    """
    if not added:
        raise InvalidParameterValueException("An error occurred and the request cannot be processed.")
    _check_keys(added)
    tags = {**present, **added}
    _check_number(tags)
    return tags


def tags_without(present: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """A key that isn't there is no error. Raises InvalidParameterValueException for AWS's own."""
    removed = frozenset(keys)
    _check_keys(removed)
    return {key: value for key, value in present.items() if key not in removed}


def _check_keys(keys: Iterable[str]) -> None:
    if any(map(_is_reserved, keys)):
        raise InvalidParameterValueException("aws: prefixed tag key names are not allowed for external use.")


def _check_number(tags: Mapping[str, str]) -> None:
    """AWS's own tags don't count."""
    if sum(not _is_reserved(key) for key in tags) > limits.TAGS_MAX:
        raise InvalidParameterValueException("Number of tags exceeds resource tag limit.")


def _is_reserved(key: str) -> bool:
    return key.lower().startswith(_RESERVED_PREFIX)
