"""Policies that a session is begun with: documents and managed ones, and how much of both there may be."""

from dataclasses import dataclass
from typing import Any, Final

from lampion.aws.errors import AccessDeniedException, ValidationException
from lampion.domain.iam.documents import permissions_of
from lampion.services.sts.errors import PackedPolicyTooLargeException

_CHARACTERS_MAX: Final = 2048
_ARNS_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class SessionPolicies:
    """`documents` is one or none, `arns` are managed policies."""

    documents: tuple[str, ...]
    arns: tuple[str, ...]


def session_policies(members: dict[str, Any]) -> SessionPolicies:
    """Raises MalformedPolicyDocumentException, ValidationException, PackedPolicyTooLargeException."""
    arns = tuple(one["arn"] for one in members.get("PolicyArns", ()))
    documents = (members["Policy"],) if "Policy" in members else ()
    if len(arns) > _ARNS_MAX:
        raise ValidationException(
            f"1 validation error detected: Value '{list(arns)}' at 'policyArns' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_ARNS_MAX}"
        )
    characters = sum(map(len, (*documents, *arns)))
    if characters > _CHARACTERS_MAX:
        percent = -(-100 * characters // _CHARACTERS_MAX)
        raise PackedPolicyTooLargeException(
            f"Packed policy consumes {percent}% of allotted space, please use smaller policy."
        )
    for document in documents:
        permissions_of(document)
    return SessionPolicies(documents, arns)


def refuse_mfa(members: dict[str, Any]) -> None:
    """Nobody has a device here. Who names one is refused, and not given keys that lack what he asks for.

    Raises AccessDeniedException.
    """
    if "SerialNumber" in members or "TokenCode" in members:
        raise AccessDeniedException(
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is "
            "valid and associated with this user."
        )
