"""A second, slow and simple evaluation of raw policy documents, to compare the first one with.

It shares nothing with it: documents are read again at each question, wildcards are matched by recursion, and the rules
are written down as AWS's flow charts show them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
Who = Mapping[str, str]
"""`kind` (root, user, session, service, nobody), `account`, `arn`, `role`; what one doesn't have is missing."""


def is_like(text: str, wanted: str) -> bool:
    """Whether `wanted`, with wildcards, stands for `text`."""
    if not wanted:
        return not text
    if wanted[0] == "*":
        return is_like(text, wanted[1:]) or (text != "" and is_like(text[1:], wanted))
    return text != "" and wanted[0] in ("?", text[0]) and is_like(text[1:], wanted[1:])


def is_arn_like(text: str, wanted: str) -> bool:
    if wanted == "*":
        return True
    parts, patterns = text.split(":", 5), wanted.split(":", 5)
    return len(parts) == 6 and all(is_like(*pair) for pair in zip(parts, patterns, strict=True))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def says(statement: Document, name: str, holds: Any) -> bool:
    if name in statement:
        return any(holds(one) for one in as_list(statement[name]))
    return not any(holds(one) for one in as_list(statement[f"Not{name}"]))


def is_met(statement: Document, known: Mapping[str, Sequence[str]]) -> bool:
    for operator, tests in statement.get("Condition", {}).items():
        for key, value in tests.items():
            values = known.get(key.lower())
            wanted = as_list(value)
            if operator == "StringEquals" and not (values and values[0] in wanted):
                return False
            if operator == "StringNotEquals" and values and values[0] in wanted:
                return False
            if operator == "StringLikeIfExists" and values and not any(is_like(values[0], one) for one in wanted):
                return False
            if operator == "ForAllValues:StringEquals" and not all(one in wanted for one in values or ()):
                return False
            if operator == "ForAnyValue:StringLike" and not any(
                is_like(have, want) for have in values or () for want in wanted
            ):
                return False
            if operator == "Null" and (values is None) != (wanted[0] == "true"):
                return False
    return True


def concerns(statement: Document, action: str, resource: str, known: Mapping[str, Sequence[str]]) -> bool:
    return (
        says(statement, "Action", lambda one: is_like(action.lower(), one.lower()))
        and says(statement, "Resource", lambda one: is_arn_like(resource, one))
        and is_met(statement, known)
    )


def names(who: Who, level: str) -> list[tuple[str, str]]:
    """Of its own, of its role, of its account."""
    account = [("AWS", who["account"]), ("AWS", f"arn:aws:iam::{who['account']}:root")] if "account" in who else []
    if level == "account":
        return account
    if level == "role":
        return [("AWS", who["role"])] if "role" in who else []
    if who["kind"] == "root":
        return account
    if who["kind"] == "service":
        return [("Service", who["arn"])]
    return [("AWS", who["arn"])] if "arn" in who else []


def is_listed(principal: Any, those: list[tuple[str, str]]) -> bool:
    if principal == "*":
        return True
    return "*" in as_list(principal.get("AWS", [])) or any(
        name in as_list(principal.get(kind, [])) for kind, name in those
    )


def granted_as(statement: Document, who: Who) -> str | None:
    """By which level of names a resource's statement means the caller."""
    if "NotPrincipal" in statement:
        levels = [level for level in ("own", "role", "account") if names(who, level)]
        listed = [is_listed(statement["NotPrincipal"], names(who, level)) for level in levels]
        if not levels:
            listed = [is_listed(statement["NotPrincipal"], [])]
            levels = ["own"]
        spared = all(listed) if statement["Effect"] == "Deny" else any(listed)
        return None if spared else "own"
    for level in ("own", "role", "account"):
        if is_listed(statement["Principal"], names(who, level)):
            return level
    return None


def is_allowed(
    who: Who,
    action: str,
    resource: str,
    known: Mapping[str, Sequence[str]],
    *,
    identity: Sequence[Document],
    boundary: Document | None,
    session: Sequence[Document] | None,
    of_resource: Document | None,
    owner: str,
    must_be_named: bool,
) -> bool:
    def all_statements(documents: Sequence[Document]) -> list[Any]:
        return [one for document in documents for one in as_list(document["Statement"])]

    def has(documents: Sequence[Document], effect: str) -> bool:
        return any(
            one["Effect"] == effect and concerns(one, action, resource, known) for one in all_statements(documents)
        )

    own = [*identity, *([boundary] if boundary else []), *(session or [])]
    of_resources = (
        [one for one in all_statements([of_resource]) if concerns(one, action, resource, known)]
        if (of_resource)
        else []
    )
    if has(own, "Deny") or any(one["Effect"] == "Deny" and granted_as(one, who) for one in of_resources):
        return False
    granted = {granted_as(one, who) for one in of_resources if one["Effect"] == "Allow"}
    identity_allows, boundary_allows = has(identity, "Allow"), boundary is None or has([boundary], "Allow")
    session_allows = session is None or has(session, "Allow")
    all_of_own = identity_allows and boundary_allows and session_allows
    if "account" not in who:
        return "own" in granted
    if who["account"] != owner:
        return all_of_own and bool(granted & {"own", "role", "account"})
    if "own" in granted:
        return True
    if "role" in granted and boundary_allows and session_allows:
        return True
    if must_be_named and not granted & {"role", "account"}:
        return False
    return all_of_own
