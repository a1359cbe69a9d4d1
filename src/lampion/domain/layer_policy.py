"""Who beside its own account may use a layer version: the policy of AddLayerVersionPermission. Pure."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Final

from lampion.domain.errors import (
    PolicyLengthExceededException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from lampion.domain.function_rules import revision_mismatch
from lampion.domain.layer import LayerKey

POLICY_BYTES_MAX: Final = 20_480
"""Developer guide, "Lambda quotas": resource-based policy."""
_ANYBODY: Final = "*"
_ROOT = re.compile(r"arn:(?:aws[a-zA-Z-]*):iam::(\d{12}):root")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStatement:
    """One permission; `principal` is an account, "*", or an account's root ARN."""

    sid: str
    action: str
    principal: str
    organization_id: str | None = None

    def allows(self, account_id: str) -> bool:
        """Accounts here are in no organization: what is granted to one, lets in nobody."""
        if self.organization_id is not None:
            return False
        root = _ROOT.fullmatch(self.principal)
        return self.principal in (_ANYBODY, account_id) or (root is not None and root[1] == account_id)

    def document(self, resource: str) -> dict[str, Any]:
        """The statement as IAM writes it, about the layer version `resource`."""
        is_account = self.principal.isdecimal()
        principal = f"arn:aws:iam::{self.principal}:root" if is_account else self.principal
        document: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Principal": principal if principal == _ANYBODY else {"AWS": principal},
            "Action": self.action,
            "Resource": resource,
        }
        if self.organization_id is not None:
            document["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": self.organization_id}}
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPolicy:
    """A version's permissions. It stays when the last one, or the version, is gone: AWS's answers tell it from none."""

    key: LayerKey
    number: int
    revision_id: str
    statements: tuple[LayerStatement, ...] = ()

    @property
    def resource(self) -> str:
        return self.key.version_arn(self.number)

    def allows(self, account_id: str) -> bool:
        return any(statement.allows(account_id) for statement in self.statements)

    def text(self) -> str:
        """The policy as GetLayerVersionPolicy answers it, in JSON."""
        statements = [statement.document(self.resource) for statement in self.statements]
        return to_json({"Version": "2012-10-17", "Id": "default", "Statement": statements})


def to_json(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def check_layer_revision(policy: LayerPolicy | None, revision_id: str | None) -> None:
    """Raises PreconditionFailedException unless the caller's RevisionId, if it sent one, is the current one."""
    if revision_id is not None and (policy is None or policy.revision_id != revision_id):
        raise revision_mismatch("GetLayerPolicy")


def with_statement(policy: LayerPolicy, statement: LayerStatement, *, revision_id: str) -> LayerPolicy:
    """Raises ResourceConflictException for a Sid that is taken, PolicyLengthExceededException."""
    if any(one.sid == statement.sid for one in policy.statements):
        raise ResourceConflictException(
            f"The statement id ({statement.sid}) provided already exists. "
            "Please provide a new statement id, or remove the existing statement."
        )
    changed = replace(policy, statements=(*policy.statements, statement), revision_id=revision_id)
    size_bytes = len(changed.text().encode())
    if size_bytes > POLICY_BYTES_MAX:
        raise PolicyLengthExceededException(
            f"The final policy size ({size_bytes}) is bigger than the limit ({POLICY_BYTES_MAX})."
        )
    return changed


def without_statement(policy: LayerPolicy | None, sid: str, *, revision_id: str) -> LayerPolicy:
    """Raises ResourceNotFoundException when no statement has that Sid."""
    if policy is None or all(one.sid != sid for one in policy.statements):
        raise ResourceNotFoundException(f"Statement {sid} is not found in resource policy.")
    rest = tuple(one for one in policy.statements if one.sid != sid)
    return replace(policy, statements=rest, revision_id=revision_id)


def policy_text(policy: LayerPolicy | None) -> str:
    """Raises ResourceNotFoundException where nothing was ever permitted, or nothing is any more."""
    if policy is None:
        raise ResourceNotFoundException("No policy is associated with the given resource.")
    if not policy.statements:
        raise ResourceNotFoundException(f"Layer version {policy.resource} does not have any resource policy.")
    return policy.text()
