"""IAM identities: users, groups and roles, with the policies in them and on them. Pure.

Docs: IAM user guide, "IAM identifiers", "IAM and AWS STS quotas".
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from lampion.domain.iam.documents import size_bytes
from lampion.domain.iam.errors import (
    DeleteConflictException,
    EntityAlreadyExistsException,
    LimitExceededException,
    NoSuchEntityException,
    UnmodifiableEntityException,
)


class IdentityKind(StrEnum):
    """As ARNs have it."""

    USER = "user"
    GROUP = "group"
    ROLE = "role"


ID_PREFIXES: Final = {IdentityKind.USER: "AIDA", IdentityKind.GROUP: "AGPA", IdentityKind.ROLE: "AROA"}
INLINE_BYTES: Final = {IdentityKind.USER: 2048, IdentityKind.GROUP: 5120, IdentityKind.ROLE: 10_240}
"""Of all policies in one identity together, white space not counted."""
ATTACHED_MAX: Final = {IdentityKind.USER: 10, IdentityKind.GROUP: 10, IdentityKind.ROLE: 10}
GROUPS_MAX: Final = 10
SERVICE_ROLES_PATH: Final = "/aws-service-role/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """`inline` are documents by policy name, `attached` ARNs of managed policies in the order of attaching.

    `groups` are a user's; `trust` is a role's document, who may assume it.
    """

    kind: IdentityKind
    account_id: str
    path: str
    name: str
    unique_id: str
    created_epoch_seconds: int
    inline: dict[str, str] = field(default_factory=dict)
    attached: tuple[str, ...] = ()
    boundary: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    trust: str = ""
    description: str = ""
    max_session_seconds: int = 3600

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account_id}:{self.kind}{self.path}{self.name}"


def is_service_linked(identity: Identity) -> bool:
    return identity.kind is IdentityKind.ROLE and identity.path.startswith(SERVICE_ROLES_PATH)


def check_modifiable(identity: Identity) -> None:
    """Raises UnmodifiableEntityException for what a service of AWS made."""
    if is_service_linked(identity):
        raise UnmodifiableEntityException(
            f"Cannot perform the operation on the protected role '{identity.name}' - this role is only modifiable "
            "by AWS"
        )


def missing(kind: IdentityKind, name: str) -> NoSuchEntityException:
    return NoSuchEntityException(f"The {kind} with name {name} cannot be found.")


def taken(kind: IdentityKind, name: str) -> EntityAlreadyExistsException:
    return EntityAlreadyExistsException(f"{kind.capitalize()} with name {name} already exists.")


def with_inline(identity: Identity, name: str, document: str) -> Identity:
    """With a policy in it, instead of one of that name. Raises LimitExceededException."""
    inline = {**identity.inline, name: document}
    most = INLINE_BYTES[identity.kind]
    if sum(map(size_bytes, inline.values())) > most:
        raise LimitExceededException(
            f"Maximum policy size of {most} bytes exceeded for {identity.kind} {identity.name}"
        )
    return replace(identity, inline=inline)


def inline_missing(identity: Identity, name: str) -> NoSuchEntityException:
    return NoSuchEntityException(f"The {identity.kind} policy with name {name} cannot be found.")


def without_inline(identity: Identity, name: str) -> Identity:
    """Raises NoSuchEntityException."""
    if name not in identity.inline:
        raise inline_missing(identity, name)
    return replace(identity, inline={one: text for one, text in identity.inline.items() if one != name})


def with_attached(identity: Identity, arn: str) -> Identity:
    """One that is attached already stays as it is. Raises LimitExceededException."""
    if arn in identity.attached:
        return identity
    most = ATTACHED_MAX[identity.kind]
    if len(identity.attached) >= most:
        raise LimitExceededException(f"Cannot exceed quota for PoliciesPer{identity.kind.capitalize()}: {most}")
    return replace(identity, attached=(*identity.attached, arn))


def without_attached(identity: Identity, arn: str) -> Identity:
    """Raises NoSuchEntityException."""
    if arn not in identity.attached:
        raise NoSuchEntityException(f"Policy {arn} was not found.")
    return replace(identity, attached=tuple(one for one in identity.attached if one != arn))


def check_deletable(identity: Identity) -> None:
    """Raises DeleteConflictException while something hangs on it."""
    if identity.attached:
        raise DeleteConflictException("Cannot delete entity, must detach all policies first.")
    if identity.inline:
        raise DeleteConflictException("Cannot delete entity, must delete policies first.")
    if identity.groups:
        raise DeleteConflictException("Cannot delete entity, must remove users from group first.")
