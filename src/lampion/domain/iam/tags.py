"""Tags of users, roles and policies, whose keys differ by more than case. Pure.

Docs: IAM user guide, "Tags for AWS Identity and Access Management resources".
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lampion.domain.iam.errors import InvalidInputException, LimitExceededException

_TAGS_MAX: Final = 50
_RESERVED_PREFIX: Final = "aws:"


def with_tags(present: Mapping[str, str], added: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Raises InvalidInputException, LimitExceededException."""
    keys = [key.lower() for key, _ in added]
    if len(set(keys)) < len(keys):
        raise InvalidInputException("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.startswith(_RESERVED_PREFIX) for key in keys):
        raise InvalidInputException("Tag keys may not start with the reserved prefix aws:")
    tags = {**without_tags(present, keys), **dict(added)}
    if len(tags) > _TAGS_MAX:
        raise LimitExceededException(f"The number of tags has reached the maximum limit {_TAGS_MAX}.")
    return tags


def without_tags(present: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """A key that isn't there is no error."""
    gone = {key.lower() for key in keys}
    return {key: value for key, value in present.items() if key.lower() not in gone}
