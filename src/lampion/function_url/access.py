"""Who may invoke a function by its URL: everybody or a caller who signed, as the function's policies have it. Pure.

Docs: Lambda developer guide, "Control access to Lambda function URLs". As of October 2025 a URL needs both permissions:
for the URL, and for the function by way of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lampion.domain.function_url import FunctionUrlConfig
from lampion.domain.policy_decision import Asked, Decision, account_names, decide
from lampion.domain.policy_document import Statement
from lampion.http.message import RequestHead
from lampion.identity.session_keys import SessionKey

NO_AUTH: Final = "NONE"

_PERMISSIONS: Final = (
    ("lambda:InvokeFunctionUrl", "lambda:functionurlauthtype"),
    ("lambda:InvokeFunction", "lambda:invokedviafunctionurl"),
)
"""What both must be allowed, each with the condition key that only it has."""

Statements = Sequence[Statement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks; nobody in particular has no account. `may_all` is what his own account lets him do."""

    account_id: str | None = None
    session: SessionKey | None = None
    may_all: bool = False

    @property
    def own_names(self) -> frozenset[str]:
        """The names that mean him, and not just his account."""
        if self.session is None:
            return frozenset() if self.account_id is None else account_names(self.account_id)
        return frozenset((self.session.arn, self.session.role_arn))

    @property
    def names(self) -> frozenset[str]:
        return self.own_names if self.account_id is None else self.own_names | account_names(self.account_id)


def is_allowed(
    config: FunctionUrlConfig, statements: Statements, visitor: Visitor, known: Mapping[str, Sequence[str]]
) -> bool:
    """Whether the policies' `statements` and the caller's account let him invoke. `known` is of the request."""
    values = {"lambda:functionurlauthtype": [config.auth_type], "lambda:invokedviafunctionurl": ["true"]}
    return all(
        _is_permitted(config, statements, visitor, (action, {**known, key: values[key]}))
        for action, key in _PERMISSIONS
    )


def _is_permitted(
    config: FunctionUrlConfig,
    statements: Statements,
    visitor: Visitor,
    wanted: tuple[str, Mapping[str, Sequence[str]]],
) -> bool:
    """A caller of the same account needs one yes, his account's or the policy's to himself; a stranger needs both."""
    action, context = wanted

    def ask(names: frozenset[str]) -> Decision:
        return decide(statements, Asked(action=action, resource=config.arn, names=names, context=context))

    decision = ask(visitor.names)
    if decision is Decision.DENIED:
        return False
    if config.auth_type == NO_AUTH:
        return decision is Decision.ALLOWED
    if visitor.account_id != config.key.account_id:
        return visitor.may_all and decision is Decision.ALLOWED
    return visitor.may_all or ask(visitor.own_names) is Decision.ALLOWED


def known_of(head: RequestHead, visitor: Visitor, *, now: float, scheme: str, region: str) -> dict[str, list[str]]:
    """The global condition keys that a request has values for."""
    known = {
        "aws:sourceip": head.client,
        "aws:securetransport": str(scheme == "https").lower(),
        "aws:currenttime": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "aws:epochtime": str(int(now)),
        "aws:requestedregion": region,
        "aws:viaawsservice": "false",
        "aws:principalisawsservice": "false",
        "aws:useragent": head.headers.get("user-agent"),
        "aws:referer": head.headers.get("referer"),
        "aws:principalaccount": visitor.account_id,
        "aws:principalarn": _principal_arn(visitor),
        "aws:principaltype": _principal_type(visitor),
    }
    return {key: [value] for key, value in known.items() if value is not None}


def _principal_arn(visitor: Visitor) -> str | None:
    """IAM tests a session by the ARN of its role."""
    if visitor.session is not None:
        return visitor.session.role_arn
    return None if visitor.account_id is None else f"arn:aws:iam::{visitor.account_id}:root"


def _principal_type(visitor: Visitor) -> str:
    if visitor.session is not None:
        return "AssumedRole"
    return "Anonymous" if visitor.account_id is None else "Account"
