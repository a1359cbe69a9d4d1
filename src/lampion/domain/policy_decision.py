"""What resource-based policies say to a request: allowed, denied, or nothing. Pure.

Docs: IAM user guide, "Policy evaluation logic". What a caller's own account lets it do is not known here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lampion.domain.policy_condition import Context, meets
from lampion.domain.policy_document import Statement, matches, texts


class Decision(Enum):
    """The policies' word; a request that they are SILENT on needs another policy that allows it."""

    ALLOWED = "Allow"
    DENIED = "Deny"
    SILENT = "Silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who wants to do what with which resource.

    `names` are those by which a principal may name the caller: account, ARNs. Nobody has none, and is still everybody.
    """

    action: str
    resource: str
    names: frozenset[str]
    context: Context


def decide(statements: Iterable[Statement], asked: Asked) -> Decision:
    """A Deny outweighs every Allow."""
    effects = {statement["Effect"] for statement in statements if _applies(statement, asked)}
    if "Deny" in effects:
        return Decision.DENIED
    return Decision.ALLOWED if "Allow" in effects else Decision.SILENT


def account_names(account_id: str) -> frozenset[str]:
    """The names that stand for a whole account."""
    return frozenset((account_id, f"arn:aws:iam::{account_id}:root"))


def _applies(statement: Statement, asked: Asked) -> bool:
    return (
        _element(statement, "Principal", lambda principal: _names(principal, asked.names))
        and _element(statement, "Action", lambda action: _any(action, asked.action.lower(), lower=True))
        and _element(statement, "Resource", lambda resource: _any(resource, asked.resource))
        and meets(statement.get("Condition", {}), asked.context)
    )


def _element(statement: Statement, name: str, holds: Any) -> bool:
    """`name`, or its opposite: a statement has exactly one of them."""
    if name in statement:
        return bool(holds(statement[name]))
    return not holds(statement[f"Not{name}"])


def _any(patterns: Any, text: str, *, lower: bool = False) -> bool:
    return any(matches(pattern.lower() if lower else pattern, text) for pattern in texts(patterns))


def _names(principal: Any, names: frozenset[str]) -> bool:
    if not isinstance(principal, Mapping):
        return bool(principal == "*")
    named = texts(principal.get("AWS", []))
    return "*" in named or not names.isdisjoint(named)
