"""Policies mean the user or role that they named, and not whoever is made under the name later.

Docs: IAM user guide, "AWS JSON policy elements: Principal": the ARN of who is gone becomes his unique id in
the policies that name him, which nobody has again; the ARN of who is renamed follows him.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.domain.policy_grammar import Document, document_text
from lampion.store.iam import IDENTITIES, identity_owner
from lampion.store.kms import GRANTS, KEYS
from lampion.store.policies import POLICIES
from lampion.store.resources import Stored, every

Renamed = Callable[[str], str]
"""From the name of a principal in a policy to the one that takes its place, or to itself."""

_ELEMENTS: Final = ("Principal", "NotPrincipal")


def let_go(stored: Stored, gone: Identity, new_id: Callable[[], str]) -> None:
    """In the transaction that deletes it. `new_id` makes revision ids."""
    sessions = f"arn:aws:sts::{gone.account_id}:assumed-role/{gone.name}/"

    def renamed(name: str) -> str:
        if name == gone.arn:
            return gone.unique_id
        is_session = gone.kind is IdentityKind.ROLE and name.startswith(sessions)
        return f"{gone.unique_id}:{name.removeprefix(sessions)}" if is_session else name

    _rename(stored, renamed, new_id)


def follow(stored: Stored, before: Identity, after: Identity, new_id: Callable[[], str]) -> None:
    """In the transaction that renames it, or moves it to another path."""
    _rename(stored, lambda name: after.arn if name == before.arn else name, new_id)


def _rename(stored: Stored, renamed: Renamed, new_id: Callable[[], str]) -> None:
    """In the policies of all accounts: each may have let it in."""
    for account_id, region in stored.accounts_with(IDENTITIES):
        for role in every(stored, IDENTITIES, account_id, region, owner=identity_owner(IdentityKind.ROLE)):
            trust = _text(role.trust, renamed)
            if trust is not None:
                stored.put(IDENTITIES, replace(role, trust=trust))
    _rename_in_keys(stored, renamed)
    for account_id, region in stored.accounts_with(POLICIES):
        for policy in every(stored, POLICIES, account_id, region):
            document = _document(policy.document, renamed)
            if document != policy.document:
                stored.put(POLICIES, replace(policy, document=document, revision_id=new_id()))


def _rename_in_keys(stored: Stored, renamed: Renamed) -> None:
    for account_id, region in stored.accounts_with(KEYS):
        for key in every(stored, KEYS, account_id, region):
            text = _text(key.policy, renamed)
            if text is not None:
                stored.put(KEYS, replace(key, policy=text))
    for account_id, region in stored.accounts_with(GRANTS):
        for grant in every(stored, GRANTS, account_id, region):
            retiring = None if grant.retiring is None else renamed(grant.retiring)
            changed = replace(grant, grantee=renamed(grant.grantee), retiring=retiring)
            if changed != grant:
                stored.put(GRANTS, changed)


def _text(policy: str, renamed: Renamed) -> str | None:
    """None where nothing changes: then it stays as it was put, to the letter."""
    before = json.loads(policy)
    after = _document(before, renamed)
    return None if after == before else document_text(after)


def _document(document: Document, renamed: Renamed) -> Document:
    statements = document["Statement"]
    if isinstance(statements, dict):
        return {**document, "Statement": _statement(statements, renamed)}
    return {**document, "Statement": [_statement(one, renamed) for one in statements]}


def _statement(statement: dict[str, Any], renamed: Renamed) -> dict[str, Any]:
    return {
        name: _principals(value, renamed) if name in _ELEMENTS and isinstance(value, dict) else value
        for name, value in statement.items()
    }


def _principals(element: dict[str, Any], renamed: Renamed) -> dict[str, Any]:
    named = element.get("AWS")
    if named is None:
        return element
    return {**element, "AWS": renamed(named) if isinstance(named, str) else [renamed(one) for one in named]}
