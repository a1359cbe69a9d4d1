"""What ECR says of parameters that break its rules: the first of them, in its words. Pure.

Texts are AWS's, as those who got them published. Some members ECR looks at itself, and words it otherwise than the
front of all its services does ("must" for "Member must").
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final

from lampion.aws.validator import Fault
from lampion.domain.image import is_digest, is_tag
from lampion.registry.errors import InvalidParameterException, InvalidTagParameterException, TooManyTagsException

_OWN: Final = frozenset(("repositoryName", "registryId"))
_FRONT: Final = "Member must"
_FRONTS_PATTERN: Final = "must satisfy regular expression pattern: "
_TAG_PATTERN: Final = "[a-zA-Z0-9-_.]+"
_DIGEST_PATTERN: Final = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+"
_DIGEST: Final = "sha256:[a-f0-9]{64}"
_TAGS_MAX: Final = 50
_KEY_CHARACTERS_MAX: Final = 128
_VALUE_CHARACTERS_MAX: Final = 256
_RESERVED: Final = "aws:"


def refusal(faults: Sequence[Fault]) -> InvalidParameterException:
    """What breaks the model's constraints."""
    first = faults[0]
    constraint = first.constraint
    if first.at in _OWN and constraint.startswith(_FRONT):
        constraint = constraint.removeprefix("Member ")
        if constraint.startswith(_FRONTS_PATTERN):
            constraint = _pattern(constraint.removeprefix(_FRONTS_PATTERN).replace(r"\/", "/"))
    return invalid(first.at, constraint)


def invalid(at: str, constraint: str) -> InvalidParameterException:
    return InvalidParameterException(f"Invalid parameter at '{at}' failed to satisfy constraint: '{constraint}'")


class ImageFault(Enum):
    """What makes an image identifier one: its failure code where each image is answered by itself, and the reason."""

    NOTHING = "MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"
    DIGEST = "InvalidImageDigest", f"Invalid request parameters: image digest should satisfy the regex '{_DIGEST}'"
    TAG = "InvalidImageTag", f"Invalid request parameters: image tag should satisfy the regex '{_TAG_PATTERN}'"


def image_fault(identifier: Mapping[str, str]) -> ImageFault | None:
    """What is wrong with it; None when the image may be looked for."""
    if not identifier:
        return ImageFault.NOTHING
    if "imageDigest" in identifier and not is_digest(identifier["imageDigest"]):
        return ImageFault.DIGEST
    if "imageTag" in identifier and not is_tag(identifier["imageTag"]):
        return ImageFault.TAG
    return None


def check_image(identifier: Mapping[str, str]) -> None:
    """Where all images are answered together. Raises InvalidParameterException."""
    match image_fault(identifier):
        case ImageFault.NOTHING:
            raise InvalidParameterException(ImageFault.NOTHING.value[1])
        case ImageFault.DIGEST:
            raise invalid("imageDigest", _pattern(_DIGEST_PATTERN))
        case ImageFault.TAG:
            raise invalid("imageTag", _pattern(_TAG_PATTERN))


def checked_tags(tags: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """A repository's tags. Raises InvalidTagParameterException, TooManyTagsException."""
    found = {tag["Key"]: tag["Value"] for tag in tags}
    for key, value in found.items():
        is_fit = 0 < len(key) <= _KEY_CHARACTERS_MAX and len(value) <= _VALUE_CHARACTERS_MAX
        if not is_fit or key.lower().startswith(_RESERVED):
            raise InvalidTagParameterException("Tag parameters are invalid")
    if len(found) != len(tags):
        raise InvalidTagParameterException("Tag parameters are invalid")
    if len(found) > _TAGS_MAX:
        raise TooManyTagsException(f"A repository can have at most {_TAGS_MAX} tags")
    return found


def _pattern(pattern: str) -> str:
    return f"must satisfy regular expression '{pattern}'"
