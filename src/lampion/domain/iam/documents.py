"""The documents of IAM's own policies: what identities may do, and who may assume a role. Pure.

Docs: IAM user guide, "IAM JSON policy elements reference". Refusals are in IAM's words.
"""

import json
import re
from typing import Any, Final

from lampion.domain.iam.errors import LimitExceededException, MalformedPolicyDocumentException
from lampion.domain.policy_document import matches
from lampion.domain.policy_grammar import Dialect, Document, MalformedPolicy, document_text, parse
from lampion.domain.principal import is_principal

MANAGED_BYTES: Final = 6144
TRUST_BYTES: Final = 2048
"""White space not counted."""

_ACTION: Final = re.compile(r"\*|[a-z0-9-]+:[\w*?.-]+", re.IGNORECASE | re.ASCII)
_SID: Final = re.compile(r"[0-9A-Za-z]*")
_TRUST_ACTIONS: Final = (
    *("assumerole", "assumerolewithsaml", "assumerolewithwebidentity"),
    *("tagsession", "setsourceidentity", "setcontext"),
)
_ARN: Final = re.compile(r"arn:[^:]*:[^:]*(:.*)?|\*", re.DOTALL)


def permissions_of(text: str) -> Document:
    """A policy of an identity, in it or managed. Raises MalformedPolicyDocumentException."""
    return _parsed(text, _PERMISSIONS)


def trust_of(text: str) -> Document:
    """A role's trust policy. Raises MalformedPolicyDocumentException, LimitExceededException."""
    document = _parsed(text, _TRUST)
    if size_bytes(text) > TRUST_BYTES:
        raise LimitExceededException(f"Cannot exceed quota for ACLSizePerRole: {TRUST_BYTES}")
    return document


def check_managed_size(text: str) -> None:
    """Raises LimitExceededException."""
    if size_bytes(text) > MANAGED_BYTES:
        raise LimitExceededException(f"Cannot exceed quota for PolicySize: {MANAGED_BYTES}")


def size_bytes(text: str) -> int:
    """As IAM counts it: without white space, but for what is within a value, which each evaluation has to do with.

    Of a document that is one.
    """
    within = document_text(json.loads(text))
    return max(len("".join(text.split()).encode()), len(within.encode()))


def _parsed(text: str, dialect: Dialect) -> Document:
    try:
        return parse(text, dialect)
    except MalformedPolicy as error:
        raise MalformedPolicyDocumentException(str(error)) from None


def _check_action(action: str) -> None:
    if not _ACTION.fullmatch(action):
        raise MalformedPolicy("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")


def _check_trust_action(action: str) -> None:
    service, _, name = action.lower().partition(":")
    if service != "sts" or not any(matches(name, one) for one in _TRUST_ACTIONS):
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
        those = [named] if isinstance(named, str) else named
        if not isinstance(those, list) or not those or not all(isinstance(text, str) for text in those):
            raise MalformedPolicy("Syntax errors in policy.")
        for text in those:
            if not is_principal(kind, text):
                raise MalformedPolicy(f'Invalid principal in policy: "{kind.upper()}":"{text}"')


def _check_sid(sid: str) -> None:
    if not _SID.fullmatch(sid):
        raise MalformedPolicy(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*"
        )


_PERMISSIONS: Final = Dialect(
    check_action=_check_action,
    check_resource=_check_resource,
    check_sid=_check_sid,
    no_principal="Policy document should not specify a principal.",
)
_TRUST: Final = Dialect(
    check_action=_check_trust_action,
    check_principal=_check_principal,
    check_sid=_check_sid,
    no_json="This policy contains invalid Json",
)
