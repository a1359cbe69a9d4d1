"""Where aliases are kept: with their function, by name."""

from collections.abc import Sequence
from typing import Final

from lampion.domain.alias import Alias
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import Function
from lampion.domain.version import version_number
from lampion.store.resources import Kind, Place, Stored, every, function_owner


def alias_place(key: FunctionKey, name: str) -> Place:
    return Place.of_function(key, name)


ALIASES: Final = Kind("alias", Alias, place=lambda alias: alias_place(alias.key, alias.name))


def qualified(stored: Stored, key: FunctionKey, qualifier: str | None) -> Function | None:
    """What a qualifier names: $LATEST (as None does), a version, an alias's main version; None when there is none."""
    name = qualifier or LATEST
    if version_number(name) is None:
        alias = stored.get(ALIASES, alias_place(key, name))
        return None if alias is None else stored.function(key, alias.function_version)
    return stored.function(key, name)


def aliases_of(stored: Stored, key: FunctionKey) -> Sequence[Alias]:
    """All aliases of a function, by name."""
    return every(stored, ALIASES, key.account_id, key.region, owner=function_owner(key.name))
