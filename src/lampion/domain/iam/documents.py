"""The documents of IAM's own policies: what identities may do, and who may assume a role. Pure.

Docs: IAM user guide, "IAM JSON policy elements reference". Refusals are in IAM's words.
"""

import re
from typing import Any, Final

from lampion.domain.iam.errors import LimitExceededException, MalformedPolicyDocumentException
from lampion.domain.policy_grammar import Dialect, Document, MalformedPolicy, parse
from lampion.domain.principal import is_principal

MANAGED_BYTES: Final = 6144
TRUST_BYTES: Final = 2048
"""White space not counted."""

_ACTION: Final = re.compile(r"\*|[a-z0-9-]+:[\w*?.-]+", re.IGNORECASE | re.ASCII)
_TRUST_ACTION: Final = re.compile(r"sts:[a-z*?]+", re.IGNORECASE | re.ASCII)
_ARN: Final = re.compile(r"arn:[^:]*:[^:]*(:.*)?|\*", re.DOTALL)


def permissions_of(text: str) -> Document:
    """A policy of an identity, in it or managed. Raises MalformedPolicyDocumentException."""
    return _parsed(text, Dialect(check_action=_check_action, check_resource=_check_resource))


def trust_of(text: str) -> Document:
    """A role's trust policy. Raises MalformedPolicyDocumentException, LimitExceededException."""
    document = _parsed(text, Dialect(check_action=_check_trust_action, check_principal=_check_principal))
    if size_bytes(text) > TRUST_BYTES:
        raise LimitExceededException(f"Cannot exceed quota for ACLSizePerRole: {TRUST_BYTES}")
    return document


def check_managed_size(text: str) -> None:
    """Raises LimitExceededException."""
    if size_bytes(text) > MANAGED_BYTES:
        raise LimitExceededException(f"Cannot exceed quota for PolicySize: {MANAGED_BYTES}")


def size_bytes(text: str) -> int:
    """As IAM counts it: without white space."""
    return len("".join(text.split()).encode())


def _parsed(text: str, dialect: Dialect) -> Document:
    try:
        return parse(text, dialect)
    except MalformedPolicy as error:
        raise MalformedPolicyDocumentException(str(error)) from None


def _check_action(action: str) -> None:
    if not _ACTION.fullmatch(action):
        raise MalformedPolicy("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")


def _check_trust_action(action: str) -> None:
    if not _TRUST_ACTION.fullmatch(action):
        raise MalformedPolicy("AssumeRole policy may only specify STS AssumeRole actions.")


def _check_resource(resource: str) -> None:
    if not _ARN.fullmatch(resource):
        raise MalformedPolicy(f'Resource {resource} must be in ARN format or "*".')


def _check_principal(element: Any) -> None:
    if element == "*":
        return
    if not isinstance(element, dict) or not element:
        raise MalformedPolicy("Syntax errors in policy.")
    for kind, named in element.items():
        for text in named if isinstance(named, list) else [named]:
            if not isinstance(text, str):
                raise MalformedPolicy("Syntax errors in policy.")
            if not is_principal(kind, text):
                raise MalformedPolicy(f'Invalid principal in policy: "{kind}":"{text}"')
