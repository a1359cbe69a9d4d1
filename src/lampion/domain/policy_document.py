"""Policy documents: the grammar of IAM's policy language, as far as a policy attached to a function may use it. Pure.

Docs: IAM user guide, "Grammar of the IAM JSON policy language"; Lambda developer guide, "Working with resource-based
policies in Lambda". Refusals are in IAM's words.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

from lampion.domain import limits
from lampion.domain.errors import (
    InvalidParameterValueException,
    PolicyLengthExceededException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from lampion.domain.principal import check_principal

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
_ACTION: Final = re.compile(r"\*|lambda:[a-z*?]+", re.IGNORECASE | re.ASCII)
_ARN: Final = re.compile(r"arn:(aws[a-z-]*|\*):(lambda|\*):[^\s:]*:[^\s:]*:\S+")
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


def parse_document(text: str, arn: str) -> Document:
    """The policy that `text` holds, for the function, version or alias of `arn`; `Statement` becomes a list.

    Raises InvalidParameterValueException for what isn't a policy, or can't be one of this resource.
    """
    document = _parsed(text)
    if not isinstance(document, dict) or not document.keys() <= _MEMBERS:
        _refuse(_SYNTAX)
    if document.get("Version", VERSION) not in _VERSIONS:
        _refuse("The policy must contain a valid version string")
    if not isinstance(document.get("Id", ""), str):
        _refuse(_SYNTAX)
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        _refuse(_SYNTAX)
    for statement in statements:
        _check_statement(statement, arn)
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if len(set(sids)) < len(sids):
        _refuse("Statement IDs (SID) in a single policy must be unique.")
    return {**document, "Statement": statements}


def document_text(value: Document | Statement) -> str:
    """A document or a statement as AWS writes it: JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def check_size(text: str) -> None:
    """Raises PolicyLengthExceededException for a policy that is longer than any may be."""
    size_bytes = len(text.encode())
    if size_bytes > limits.POLICY_BYTES:
        raise PolicyLengthExceededException(
            f"The final policy size ({size_bytes}) is bigger than the limit ({limits.POLICY_BYTES})."
        )


def statement_taken(sid: str) -> ResourceConflictException:
    """AWS's answer to a permission whose statement id another one has."""
    return ResourceConflictException(
        f"The statement id ({sid}) provided already exists. Please provide a new statement id, "
        "or remove the existing statement."
    )


def statement_missing(sid: str) -> ResourceNotFoundException:
    """AWS's answer to who takes back a permission that isn't there."""
    return ResourceNotFoundException(f"Statement {sid} is not found in resource policy.")


def policy_missing() -> ResourceNotFoundException:
    """AWS's answer where nothing was ever permitted."""
    return ResourceNotFoundException("No policy is associated with the given resource.")


def texts(value: Any) -> list[str]:
    """An element that may be one text or several (`Action`, `Resource`, a kind of principal), as a list."""
    return [value] if isinstance(value, str) else list(value)


def condition_keys(statement: Statement) -> Iterator[str]:
    """The condition keys that a statement looks at, in lower case: IAM takes them in any."""
    for tests in statement.get("Condition", {}).values():
        yield from (key.lower() for key in tests)


def matches(pattern: str, text: str) -> bool:
    """Whether IAM's wildcards in `pattern` (`*`, `?`) can stand for `text`; in time bounded by the text's length."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    at, in_text, star, star_text = 0, 0, -1, 0
    while in_text < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, star_text = at, in_text
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[in_text]):
            at, in_text = at + 1, in_text + 1
        elif star >= 0:  # the last star takes one character more
            star_text += 1
            at, in_text = star + 1, star_text
        else:
            return False
    return not pattern[at:].strip("*")


def _refuse(message: str) -> NoReturn:
    raise InvalidParameterValueException(message)


def _parsed(text: str) -> Any:
    try:
        value = json.loads(
            text, object_pairs_hook=_members, parse_int=_whole, parse_float=_fraction, parse_constant=_no_number
        )
        document_text(value).encode()  # lone surrogates: no text can hold them
    except (ValueError, RecursionError):
        _refuse(_SYNTAX)
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


def _check_statement(statement: Any, arn: str) -> None:
    if not isinstance(statement, dict) or not statement.keys() <= _STATEMENT_MEMBERS:
        _refuse(_SYNTAX)
    if statement.get("Effect") not in ("Allow", "Deny") or not isinstance(statement.get("Sid", ""), str):
        _refuse(_SYNTAX)
    check_principal(_one_of(statement, "Principal", "Missing required field Principal"))
    actions = _texts_of(statement, "Action", "Policy statement must contain actions.")
    if not all(_ACTION.fullmatch(action) for action in actions):
        _refuse("Policy statement action out of service scope!")
    resources = _texts_of(statement, "Resource", "Policy statement must contain resources.")
    if "Resource" in statement:
        _check_resources(resources, arn)
    _check_condition(statement.get("Condition", {}))


def _one_of(statement: Statement, name: str, missing: str) -> Any:
    """`name` or its opposite, exactly one of which a statement has."""
    given = [statement[one] for one in (name, f"Not{name}") if one in statement]
    if not given:
        _refuse(missing)
    if len(given) > 1:
        _refuse(_SYNTAX)
    return given[0]


def _texts_of(statement: Statement, name: str, missing: str) -> list[str]:
    value = _one_of(statement, name, missing)
    if not isinstance(value, str | list) or not all(isinstance(one, str) for one in value):
        _refuse(_SYNTAX)
    if not value:
        _refuse(missing)
    return texts(value)


def _check_resources(resources: Sequence[str], arn: str) -> None:
    """A policy speaks of what it is attached to, and a function's also of its versions and aliases."""
    for resource in resources:
        if resource != "*" and not _ARN.fullmatch(resource):
            _refuse(f'Resource {resource} must be in ARN format or "*".')
        parts = resource.split(":")[: arn.count(":") + 1]  # without the qualifier where the policy is a function's
        if not matches(resource, arn) and not (_is_function(arn) and matches(":".join(parts), arn)):
            _refuse("Policy has invalid resource")


def _is_function(arn: str) -> bool:
    """Whether `arn` has no qualifier: arn:aws:lambda:region:account:function:name."""
    return arn.count(":") == 6


def _check_condition(condition: Any) -> None:
    if not isinstance(condition, dict):
        _refuse(_SYNTAX)
    for operator, tests in condition.items():
        if not _OPERATOR.fullmatch(operator):
            _refuse(f"Invalid Condition type : {operator}.")
        if not isinstance(tests, dict) or not tests:
            _refuse(_SYNTAX)
        for values in tests.values():
            if not all(
                isinstance(one, str | int | float) for one in (values if isinstance(values, list) else [values])
            ):
                _refuse(_SYNTAX)
