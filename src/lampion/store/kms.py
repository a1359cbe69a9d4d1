"""Where KMS keeps keys, aliases and grants: in an account and region."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lampion.domain.arn import FunctionKey
from lampion.domain.kms.alias import Alias
from lampion.domain.kms.grant import Grant
from lampion.domain.kms.key import Key, key_missing
from lampion.store.cached_resources import View
from lampion.store.resources import Kind, Place, Stored, every

KEY_OWNER: Final = "kms:key"
ALIAS_OWNER: Final = "kms:alias"


@dataclass(frozen=True, slots=True)
class MasterKeyCheck:
    """Something that only the master key opens which wraps the keys of this store, and where that key is.

    `place` is the place's name, `sealed_key` what a KMS elsewhere makes the key of, for this `installation` alone.
    `seal` is what proves that ciphertexts are this server's, wrapped, where it is older than the master key.
    """

    sealed: bytes = field(repr=False)
    place: str = ""
    installation: str = ""
    sealed_key: bytes = field(default=b"", repr=False)
    seal: bytes = field(default=b"", repr=False)


def key_place(account_id: str, region: str, key_id: str) -> Place:
    return Place(account_id, region, KEY_OWNER, key_id)


def alias_place(account_id: str, region: str, name: str) -> Place:
    return Place(account_id, region, ALIAS_OWNER, name)


def grant_place(account_id: str, region: str, key_id: str, grant_id: str) -> Place:
    return Place(account_id, region, grant_owner(key_id), grant_id)


def grant_owner(key_id: str) -> str:
    return f"kms:grants:{key_id}"


CHECK_PLACE: Final = Place("", "", "kms", "master-key")
"""Of the whole store, whatever the account."""
CHECKS: Final = Kind("kms-master-key-check", MasterKeyCheck, place=lambda _: CHECK_PLACE)
KEYS: Final = Kind("kms-key", Key, place=lambda one: key_place(one.account_id, one.region, one.key_id))
ALIASES: Final = Kind(
    "kms-alias",
    Alias,
    place=lambda one: alias_place(one.account_id, one.region, one.name),
    found_by=lambda one: one.key_id,
)
GRANTS: Final = Kind(
    "kms-grant",
    Grant,
    place=lambda one: grant_place(one.account_id, one.region, one.key_id, one.grant_id),
    found_by=lambda one: one.retiring or one.function_arn,
)


def aliases_of(stored: Stored, key: Key) -> Sequence[Alias]:
    return stored.found(ALIASES, key.account_id, key.region, by=key.key_id, limit=2**31)


def grants_of(stored: Stored, key: Key) -> Sequence[Grant]:
    return every(stored, GRANTS, key.account_id, key.region, owner=grant_owner(key.key_id))


def keep_grant(stored: Stored, grant: Grant) -> None:
    """Raises NotFoundException where its key has gone meanwhile."""
    if stored.get(KEYS, key_place(grant.account_id, grant.region, grant.key_id)) is None:
        raise key_missing(grant.key_arn)
    stored.put(GRANTS, grant)


def grants_of_function(stored: Stored, key: FunctionKey) -> Sequence[Grant]:
    """On keys of whatever account, in the function's region."""
    return [
        grant
        for account_id, region in stored.accounts_with(GRANTS)
        if region == key.region
        for grant in stored.found(GRANTS, account_id, region, by=key.arn, limit=2**31)
    ]


def delete_key(stored: Stored, key: Key) -> None:
    """With its aliases and grants. What it encrypted is lost."""
    for alias in aliases_of(stored, key):
        stored.delete(ALIASES, ALIASES.place(alias))
    for grant in grants_of(stored, key):
        stored.delete(GRANTS, GRANTS.place(grant))
    stored.delete(KEYS, KEYS.place(key))


def _alias_names(stored: Stored, account_id: str, region: str) -> Mapping[str, Sequence[str]]:
    names: dict[str, list[str]] = {}
    for alias in every(stored, ALIASES, account_id, region):
        names.setdefault(alias.key_id, []).append(alias.name)
    return names


def _grants(stored: Stored, account_id: str, region: str) -> Mapping[str, Sequence[Grant]]:
    grants: dict[str, list[Grant]] = {}
    for grant in every(stored, GRANTS, account_id, region):
        grants.setdefault(grant.key_id, []).append(grant)
    return grants


ALIAS_NAMES: Final = View("kms-alias-names", frozenset((ALIASES.name,)), _alias_names)
"""By the id of the key."""
GRANTS_BY_KEY: Final = View("kms-grants-by-key", frozenset((GRANTS.name,)), _grants)
