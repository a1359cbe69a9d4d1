"""Policy documents attached to a function, a version or an alias: what they may say, and what all of them share. Pure.

Docs: Lambda developer guide, "Working with resource-based policies in Lambda". Refusals are in IAM's words.
"""

import re
from collections.abc import Iterator
from typing import Final

from lampion.domain import limits
from lampion.domain.errors import (
    InvalidParameterValueException,
    PolicyLengthExceededException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from lampion.domain.policy_grammar import Dialect, Document, MalformedPolicy, Statement, parse
from lampion.domain.principal import check_principal

_ACTION: Final = re.compile(r"\*|lambda:[a-z*?]+", re.IGNORECASE | re.ASCII)
_ARN: Final = re.compile(r"arn:(aws[a-z-]*|\*):(lambda|\*):[^\s:]*:[^\s:]*:\S+")


def parse_document(text: str, arn: str) -> Document:
    """The policy that `text` holds, for the function, version or alias of `arn`; `Statement` becomes a list.

    Raises InvalidParameterValueException for what isn't a policy, or can't be one of this resource.
    """

    def check_resource(resource: str) -> None:
        _check_resource(resource, arn)

    dialect = Dialect(check_action=_check_action, check_principal=check_principal, check_resource=check_resource)
    try:
        return parse(text, dialect)
    except MalformedPolicy as error:
        raise InvalidParameterValueException(str(error)) from None


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


def _check_action(action: str) -> None:
    if not _ACTION.fullmatch(action):
        raise MalformedPolicy("Policy statement action out of service scope!")


def _check_resource(resource: str, arn: str) -> None:
    """A policy speaks of what it is attached to, and a function's also of its versions and aliases."""
    if resource != "*" and not _ARN.fullmatch(resource):
        raise MalformedPolicy(f'Resource {resource} must be in ARN format or "*".')
    parts = resource.split(":")[: arn.count(":") + 1]  # without the qualifier where the policy is a function's
    if not matches(resource, arn) and not (_is_function(arn) and matches(":".join(parts), arn)):
        raise MalformedPolicy("Policy has invalid resource")


def _is_function(arn: str) -> bool:
    """Whether `arn` has no qualifier: arn:aws:lambda:region:account:function:name."""
    return arn.count(":") == 6
