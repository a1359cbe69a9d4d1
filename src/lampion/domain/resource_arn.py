"""ARNs of what belongs to other services, taken apart."""

from dataclasses import dataclass
from typing import Final

_PARTS: Final = 6


@dataclass(frozen=True, slots=True)
class ResourceArn:
    """`arn:partition:service:region:account:resource`; buckets have neither region nor account."""

    partition: str
    service: str
    region: str
    account_id: str
    resource: str


def parse_resource_arn(text: str) -> ResourceArn:
    """Raises ValueError when `text` is no ARN."""
    parts = text.split(":", _PARTS - 1)
    if len(parts) != _PARTS or parts[0] != "arn" or not parts[5]:
        raise ValueError(f"not an ARN: {text!r}")
    return ResourceArn(*parts[1:])


def is_arn(text: str) -> bool:
    """Whether `text` has all parts of an ARN."""
    try:
        parse_resource_arn(text)
    except ValueError:
        return False
    return True


def region_of(arn: str) -> str:
    """The region part of an ARN; empty where there is none."""
    return _part(arn, 3)


def account_of(arn: str) -> str:
    """The account part of an ARN; empty where there is none."""
    return _part(arn, 4)


def _part(arn: str, number: int) -> str:
    parts = arn.split(":", _PARTS - 1)
    return parts[number] if len(parts) == _PARTS else ""


def service_of(arn: str) -> str:
    """The service part of an ARN; empty where there is none."""
    parts = arn.split(":", 3)
    return parts[2] if len(parts) > 2 else ""
