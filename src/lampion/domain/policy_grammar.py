"""The grammar of IAM's policy language, whatever a policy is attached to. Pure.

Docs: IAM user guide, "Grammar of the IAM JSON policy language". What is refused is said in IAM's words.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

Document = dict[str, Any]
"""A policy document in IAM's own spelling, members in the order in which they were written."""
Statement = dict[str, Any]

VERSION: Final = "2012-10-17"

_SYNTAX: Final = "Syntax errors in policy."
_VERSIONS: Final = (VERSION, "2008-10-17")
_MEMBERS: Final = frozenset(("Version", "Id", "Statement"))
_STATEMENT_MEMBERS: Final = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)
_BASE_OPERATORS: Final = (
    *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    *("StringLike", "StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals"),
    *("NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan"),
    *("DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress"),
    *("NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"),
)
_OPERATOR: Final = re.compile(
    rf"((ForAllValues|ForAnyValue):)?(({'|'.join(_BASE_OPERATORS)})(IfExists)?|Null)", re.IGNORECASE | re.ASCII
)


class MalformedPolicy(ValueError):
    """What isn't a policy, or can't be one of its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What policies of one kind say beside what all say. Each check raises MalformedPolicy.

    `check_principal` is None where a policy names nobody, `check_resource` where it names no resource; `no_json` and
    `no_principal` are what is said of a text that isn't JSON, and of a name where nobody is named.
    """

    check_action: Callable[[str], None]
    check_principal: Callable[[Any], None] | None = None
    check_resource: Callable[[str], None] | None = None
    check_sid: Callable[[str], None] | None = None
    no_json: str = _SYNTAX
    no_principal: str = "Has prohibited field {}"


def parse(text: str, dialect: Dialect) -> Document:
    """The policy that `text` holds; `Statement` becomes a list. Raises MalformedPolicy."""
    document = _parsed(text, dialect.no_json)
    if not isinstance(document, dict) or not document.keys() <= _MEMBERS:
        raise MalformedPolicy(_SYNTAX)
    if document.get("Version", VERSION) not in _VERSIONS:
        raise MalformedPolicy("The policy must contain a valid version string")
    if not isinstance(document.get("Id", ""), str):
        raise MalformedPolicy(_SYNTAX)
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise MalformedPolicy(_SYNTAX)
    for statement in statements:
        _check_statement(statement, dialect)
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if len(set(sids)) < len(sids):
        raise MalformedPolicy("Statement IDs (SID) in a single policy must be unique.")
    return {**document, "Statement": statements}


def document_text(value: Document | Statement) -> str:
    """A document or a statement as AWS writes it: JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def texts(value: Any) -> list[str]:
    """An element that may be one text or several (`Action`, `Resource`, a kind of principal), as a list."""
    return [value] if isinstance(value, str) else list(value)


def _parsed(text: str, no_json: str) -> Any:
    try:
        value = json.loads(
            text, object_pairs_hook=_members, parse_int=_whole, parse_float=_fraction, parse_constant=_no_number
        )
        document_text(value).encode()  # lone surrogates: no text can hold them
    except (ValueError, RecursionError):
        raise MalformedPolicy(no_json) from None
    return value


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is written twice")
    return members


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) >= 2**63:
        raise ValueError("a number too large to be kept")
    return number


def _fraction(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number too large to be kept")
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"not JSON: {text}")


def _check_statement(statement: Any, dialect: Dialect) -> None:
    if not isinstance(statement, dict) or not statement.keys() <= _STATEMENT_MEMBERS:
        raise MalformedPolicy(_SYNTAX)
    if statement.get("Effect") not in ("Allow", "Deny") or not isinstance(statement.get("Sid", ""), str):
        raise MalformedPolicy(_SYNTAX)
    if dialect.check_sid is not None:
        dialect.check_sid(statement.get("Sid", ""))
    if dialect.check_principal is None:
        _check_absent(statement, "Principal", dialect.no_principal)
    else:
        dialect.check_principal(_one_of(statement, "Principal", "Missing required field Principal"))
    for action in _texts_of(statement, "Action", "Policy statement must contain actions."):
        dialect.check_action(action)
    if dialect.check_resource is None:
        _check_absent(statement, "Resource", "Has prohibited field {}")
    else:
        resources = _texts_of(statement, "Resource", "Policy statement must contain resources.")
        for resource in resources if "Resource" in statement else ():
            dialect.check_resource(resource)
    _check_condition(statement.get("Condition", {}))


def _check_absent(statement: Statement, name: str, refusal: str) -> None:
    for one in (name, f"Not{name}"):
        if one in statement:
            raise MalformedPolicy(refusal.format(one))


def _one_of(statement: Statement, name: str, missing: str) -> Any:
    """`name` or its opposite, exactly one of which a statement has."""
    given = [statement[one] for one in (name, f"Not{name}") if one in statement]
    if not given:
        raise MalformedPolicy(missing)
    if len(given) > 1:
        raise MalformedPolicy(_SYNTAX)
    return given[0]


def _texts_of(statement: Statement, name: str, missing: str) -> list[str]:
    value = _one_of(statement, name, missing)
    if not isinstance(value, str | list) or not all(isinstance(one, str) for one in value):
        raise MalformedPolicy(_SYNTAX)
    if not value:
        raise MalformedPolicy(missing)
    return texts(value)


def _check_condition(condition: Any) -> None:
    if not isinstance(condition, dict):
        raise MalformedPolicy(_SYNTAX)
    for operator, tests in condition.items():
        if not _OPERATOR.fullmatch(operator):
            raise MalformedPolicy(f"Invalid Condition type : {operator}.")
        if not isinstance(tests, dict) or not tests:
            raise MalformedPolicy(_SYNTAX)
        for values in tests.values():
            if not all(
                isinstance(one, str | int | float) for one in (values if isinstance(values, list) else [values])
            ):
                raise MalformedPolicy(_SYNTAX)
