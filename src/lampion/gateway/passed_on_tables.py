"""What a request to DynamoDB is about, to IAM: actions, tables, indexes, condition keys. Pure.

Docs: service authorization reference, "Actions, resources, and condition keys for Amazon DynamoDB"; DynamoDB developer
guide, "Using IAM policy conditions for fine-grained access control", "IAM with PartiQL", "Transactions and IAM".
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lampion.aws.errors import AccessDeniedException
from lampion.identity.request_facts import Facts

Where = tuple[str, str]
"""Region and account."""
Members = Mapping[str, Any]

_STATEMENTS: Final = frozenset(("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"))
_PARTIQL: Final = ("PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete")
_SPACE: Final = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_NAMED: Final = re.compile(
    rf'\b(?:from|into|update)\b{_SPACE}(?:"([^"]+)"(?:{_SPACE}\.{_SPACE}"([^"]+)")?|([\w.-]+))',
    re.IGNORECASE | re.DOTALL,
)
_NAMES_MAX: Final = 100
_TRANSACTIONS: Final = ("TransactGetItems", "TransactWriteItems")
_OF_TRANSACTIONS: Final = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_BATCHES: Final = ("BatchGetItem", "BatchWriteItem")
_BY_INDEX: Final = ("Query", "Scan")
_OF_ONE_ITEM: Final = ("GetItem", "PutItem", "UpdateItem", "DeleteItem")
_TABLES: Final = ("TableName", "TargetTableName", "SourceTableName")
_ARNS: Final = ("TableArn", "SourceTableArn", "ResourceArn", "StreamArn", "BackupArn", "ExportArn", "ImportArn")
_UNREAD: Final = ("\0",)
"""What isn't known of a request, as the value of a condition key: policies that name what may be aren't met."""


@dataclass(frozen=True, slots=True)
class AskedFor:
    """Actions as IAM names them, each with an ARN or "*", and the condition keys that the request brings."""

    wanted: Sequence[tuple[str, str]]
    facts: Facts = field(default_factory=dict)


def of_tables(name: str, members: Members, where: Where) -> AskedFor:
    """The operation `name`. Raises AttributeError, KeyError, TypeError or ValueError for members that aren't its own,
    and AccessDeniedException for PartiQL that names more tables than are looked at.
    """
    if name in _STATEMENTS:
        pairs = [(action, one) for one in _of_statements(members, where) for action in _PARTIQL]
    elif name in _TRANSACTIONS:
        parts = [(_OF_TRANSACTIONS[kind], part) for one in members["TransactItems"] for kind, part in one.items()]
        pairs = [(action, _table(part["TableName"], where)) for action, part in parts]
    elif name in _BATCHES:
        pairs = [(name, _table(one, where)) for one in members["RequestItems"]]
    elif name in _BY_INDEX and members.get("IndexName"):
        pairs = [(name, f"{_table(members['TableName'], where)}/index/{text_of(members['IndexName'])}")]
    else:
        pairs = [(name, one) for one in _named(members, where)]
    wanted = list(dict.fromkeys((f"dynamodb:{action}", arn) for action, arn in pairs or [(name, "*")]))
    return AskedFor(wanted, _facts(name, members))


def _table(name: Any, where: Where) -> str:
    """A table is named, or given by its ARN."""
    region, account_id = where
    text = text_of(name)
    return text if text.startswith("arn:") else f"arn:aws:dynamodb:{region}:{account_id}:table/{text}"


def text_of(value: Any) -> str:
    """Raises TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _named(members: Members, where: Where) -> Iterable[str]:
    yield from (_table(members[one], where) for one in _TABLES if one in members)
    yield from (text_of(members[one]) for one in _ARNS if one in members)
    if "GlobalTableName" in members:
        yield f"arn:aws:dynamodb::{where[1]}:global-table/{text_of(members['GlobalTableName'])}"


def _of_statements(members: Members, where: Where) -> Sequence[str]:
    """Everything, and what the statements seem to name: a policy that denies one of these is listened to."""
    those = [members] if "Statement" in members else members.get("Statements") or members.get("TransactStatements")
    found = {match.groups() for one in those or () for match in _NAMED.finditer(text_of(one["Statement"]))}
    if len(found) > _NAMES_MAX:
        raise AccessDeniedException(f"Functions name at most {_NAMES_MAX} tables in a request of PartiQL.")
    arns = ["*"]
    for quoted, index, bare in found:
        table = _table(quoted or bare, where)
        arns += [table, f"{table}/index/{index}"] if index else [table]
        if bare and "." in bare:
            name, _, of_table = bare.partition(".")
            arns += [_table(name, where), f"{_table(name, where)}/index/{of_table}"]
    return arns


def _facts(name: str, members: Members) -> Facts:
    """Of those about items; which of a key's attributes is the leading one is only known where there is one."""
    if name in _STATEMENTS:
        return {**_ITEMS_UNREAD, "dynamodb:fulltablescan": ("true",)}
    facts: dict[str, Sequence[str]] = {}
    if name in (*_OF_ONE_ITEM, *_BATCHES, *_BY_INDEX, *_TRANSACTIONS):
        facts |= _ITEMS_UNREAD
        key = members.get("Key")
        if isinstance(key, dict) and len(key) == 1:
            facts["dynamodb:leadingkeys"] = [text_of(value) for one in key.values() for value in one.values()]
    for member in ("ReturnValues", "ReturnConsumedCapacity"):
        if member in members:
            facts[f"dynamodb:{member.lower()}"] = (text_of(members[member]),)
    if name in _BY_INDEX:
        facts["dynamodb:select"] = (text_of(members.get("Select") or _default_select(members)),)
    if name in _TRANSACTIONS:
        facts["dynamodb:enclosingoperation"] = (name,)
    return facts


def _default_select(members: Members) -> str:
    if "ProjectionExpression" in members or "AttributesToGet" in members:
        return "SPECIFIC_ATTRIBUTES"
    return "ALL_PROJECTED_ATTRIBUTES" if "IndexName" in members else "ALL_ATTRIBUTES"


_ITEMS_UNREAD: Final[Facts] = {"dynamodb:leadingkeys": _UNREAD, "dynamodb:attributes": _UNREAD}
