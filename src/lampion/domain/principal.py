"""Principals: whom a policy's statement may name, and how. Pure; whether somebody has that name is not known here.

Docs: IAM user guide, "AWS JSON policy elements: Principal".
"""

import re
from typing import Any, Final

from lampion.domain.errors import InvalidParameterValueException

_ACCOUNT: Final = r"[0-9]{12}"
_IDENTITY: Final = (
    rf"arn:aws[a-z-]*:(iam::({_ACCOUNT}:(root|(user|role)/[\w+=,.@/-]+)|cloudfront:user/[\w -]+)"
    rf"|sts::{_ACCOUNT}:(assumed-role|federated-user)/[\w+=,.@/-]+)"
)
_UNIQUE_ID: Final = r"A(ID|RO)A[A-Z0-9]{17}(:[\w+=,.@-]+)?"
"""Of who was named and is gone (services.iam.principals): so policies show him, and may be put again."""
_SERVICE: Final = r"([a-z0-9-]+\.)+(amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|aws\.internal|amazon\.com)"

_KINDS: Final = {
    kind: re.compile(pattern, re.ASCII)
    for kind, pattern in {
        "AWS": rf"\*|{_ACCOUNT}|{_IDENTITY}|{_UNIQUE_ID}",
        "Service": _SERVICE,
        "Federated": rf"arn:aws[a-z-]*:iam::{_ACCOUNT}:(saml|oidc)-provider/\S+|[a-z0-9-]+(\.[a-z0-9-]+)+",
        "CanonicalUser": r"[0-9a-f]{64}",
    }.items()
}


def principal_of(text: str) -> Any:
    """What AddPermission's `Principal` becomes in a statement: an account becomes the ARN of its root.

    Raises InvalidParameterValueException for what names nobody.
    """
    if text == "*":
        return text
    if re.fullmatch(_ACCOUNT, text):
        return {"AWS": f"arn:aws:iam::{text}:root"}
    for kind in ("AWS", "Service"):
        if _KINDS[kind].fullmatch(text):
            return {kind: text}
    raise _invalid()


def is_principal(kind: str, text: str) -> bool:
    """Whether there can be somebody of that kind and name."""
    return kind in _KINDS and _KINDS[kind].fullmatch(text) is not None


def check_principal(principal: Any) -> None:
    """The element Principal or NotPrincipal of a statement. Raises InvalidParameterValueException."""
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        raise _invalid()
    for kind, named in principal.items():
        texts = [named] if isinstance(named, str) else named
        if not isinstance(texts, list) or not texts:
            raise _invalid()
        if not all(isinstance(text, str) and is_principal(kind, text) for text in texts):
            raise _invalid()


def _invalid() -> InvalidParameterValueException:
    return InvalidParameterValueException(
        "The provided principal was invalid. Please check the principal and try again."
    )
