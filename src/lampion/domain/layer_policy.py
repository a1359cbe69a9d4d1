"""Who beside its own account may use a layer version: the policy of AddLayerVersionPermission. Pure."""

import re
from dataclasses import dataclass, replace
from typing import Final

from lampion.domain.errors import ResourceNotFoundException
from lampion.domain.function_rules import revision_mismatch
from lampion.domain.layer import LayerKey
from lampion.domain.policy_document import check_size, policy_missing, statement_missing, statement_taken
from lampion.domain.policy_grammar import VERSION, Statement, document_text
from lampion.domain.principal import principal_of

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

    def document(self, resource: str) -> Statement:
        """The statement as IAM writes it, about the layer version `resource`."""
        document: Statement = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Principal": principal_of(self.principal),
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
        return document_text({"Version": VERSION, "Id": "default", "Statement": statements})


def check_layer_revision(policy: LayerPolicy | None, revision_id: str | None) -> None:
    """Raises PreconditionFailedException unless the caller's RevisionId, if it sent one, is the current one."""
    if revision_id is not None and (policy is None or policy.revision_id != revision_id):
        raise revision_mismatch("GetLayerPolicy")


def with_statement(policy: LayerPolicy, statement: LayerStatement, *, revision_id: str) -> LayerPolicy:
    """Raises ResourceConflictException for a Sid that is taken, PolicyLengthExceededException."""
    if any(one.sid == statement.sid for one in policy.statements):
        raise statement_taken(statement.sid)
    changed = replace(policy, statements=(*policy.statements, statement), revision_id=revision_id)
    check_size(changed.text())
    return changed


def without_statement(policy: LayerPolicy | None, sid: str, *, revision_id: str) -> LayerPolicy:
    """Raises ResourceNotFoundException when no statement has that Sid."""
    if policy is None or all(one.sid != sid for one in policy.statements):
        raise statement_missing(sid)
    rest = tuple(one for one in policy.statements if one.sid != sid)
    return replace(policy, statements=rest, revision_id=revision_id)


def policy_text(policy: LayerPolicy | None) -> str:
    """Raises ResourceNotFoundException where nothing was ever permitted, or nothing is any more."""
    if policy is None:
        raise policy_missing()
    if not policy.statements:
        raise ResourceNotFoundException(f"Layer version {policy.resource} does not have any resource policy.")
    return policy.text()
