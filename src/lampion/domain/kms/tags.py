"""Tags of keys. Pure.

Docs: KMS developer guide, "Tags in AWS KMS"; KMS API reference, TagResource.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lampion.domain.kms.errors import LimitExceededException, TagException

TAGS_MAX: Final = 50
_RESERVED: Final = "aws:"


def with_tags(present: Mapping[str, str], added: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Raises TagException, LimitExceededException."""
    keys = [key for key, _ in added]
    if len(set(keys)) < len(keys):
        raise TagException("Duplicate tag keys")
    _check_keys(keys)
    tags = {**present, **dict(added)}
    if len(tags) > TAGS_MAX:
        raise LimitExceededException("Too many tags")
    return tags


def without_tags(present: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """A key that isn't there is no error. Raises TagException for AWS's own."""
    gone = frozenset(keys)
    _check_keys(gone)
    return {key: value for key, value in present.items() if key not in gone}


def _check_keys(keys: Iterable[str]) -> None:
    if any(key.lower().startswith(_RESERVED) for key in keys):
        raise TagException("Tags beginning with aws: are reserved")
