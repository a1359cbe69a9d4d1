"""Who may invoke a function by its URL: everybody or a caller who signed, as the function's policies have it. Pure.

Docs: Lambda developer guide, "Control access to Lambda function URLs". As of October 2025 a URL needs both permissions:
for the URL, and for the function by way of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lampion.domain.function_url import FunctionUrlConfig
from lampion.http.message import RequestHead
from lampion.identity.callers import NOBODY, Caller, CallerKind, root
from lampion.identity.evaluation import Policies, Request, evaluate
from lampion.identity.session_keys import SessionKey
from lampion.identity.statements import EVERYTHING, Policy

NO_AUTH: Final = "NONE"

_PERMISSIONS: Final = (
    ("lambda:InvokeFunctionUrl", "lambda:functionurlauthtype"),
    ("lambda:InvokeFunction", "lambda:invokedviafunctionurl"),
)
"""What both must be allowed, each with the condition key that only it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks, and whether his own account lets him do everything, or nothing."""

    caller: Caller = NOBODY
    may_all: bool = False


def visitor_of(account_id: str, session: SessionKey | None, *, may_all: bool) -> Visitor:
    """Somebody who signed: with a key of the account, or with one of a function's session."""
    if session is None:
        return Visitor(caller=root(account_id), may_all=may_all)
    caller = Caller(CallerKind.ROLE_SESSION, account_id, session.arn, session.role_arn)
    return Visitor(caller=caller, may_all=may_all)


def is_allowed(
    config: FunctionUrlConfig, policies: Sequence[Policy], visitor: Visitor, known: Mapping[str, Sequence[str]]
) -> bool:
    """Whether the function's `policies` and the caller's account let him invoke. `known` is of the request."""
    values = {"lambda:functionurlauthtype": [config.auth_type], "lambda:invokedviafunctionurl": ["true"]}
    those = Policies(
        identity=(EVERYTHING,) if visitor.may_all else (),
        resource=policies,
        resource_account_id=config.key.account_id,
    )
    return all(
        evaluate(
            Request(caller=visitor.caller, action=action, resource=config.arn, known={**known, key: values[key]}),
            those,
        ).is_allowed
        for action, key in _PERMISSIONS
    )


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
        "aws:principalaccount": visitor.caller.account_id,
        "aws:principalarn": visitor.caller.role_arn or visitor.caller.arn or None,
        "aws:principaltype": visitor.caller.kind.value,
    }
    return {key: [value] for key, value in known.items() if value is not None}
