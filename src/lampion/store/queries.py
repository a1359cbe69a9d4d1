"""Loads the SQL of a concept: `sql/<concept>.sql` holds statements under `-- name: x` and a line of description."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

_HEADER = re.compile(r"^-- name: ([a-z][a-z0-9_]*)\n-- (?!name:)\S.*\n", re.MULTILINE)


@cache
def queries(concept: str) -> Mapping[str, str]:
    """Statements of `sql/<concept>.sql` by name. Raises ValueError where the file breaks the form."""
    text = resources.files("lampion.store").joinpath("sql", f"{concept}.sql").read_text(encoding="utf-8")
    return MappingProxyType(parse_queries(text))


def parse_queries(text: str) -> dict[str, str]:
    """Named statements of a file. Raises ValueError for text outside a statement, an empty one or a repeated name."""
    before, *parts = _HEADER.split(text)
    if before.strip() or not parts:
        raise ValueError("statements must stand under '-- name:' and a line of description")
    found: dict[str, str] = {}
    for name, statement in zip(parts[::2], parts[1::2], strict=True):
        if name in found or not statement.strip() or "-- name:" in statement:
            raise ValueError(f"query {name!r} is repeated, empty or has no description")
        found[name] = statement.strip()
    return found
