"""Where IAM keeps what it has: in the account, in no region. Names differ by more than case."""

from typing import Final

from lampion.domain.iam.access_key import UserKey
from lampion.domain.iam.account_alias import AccountAlias
from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.domain.iam.managed_policy import ManagedPolicy
from lampion.domain.iam.service_key import ServiceKey
from lampion.store.resources import Kind, Place

GLOBAL: Final = ""
"""The region of what has none."""
POLICY_OWNER: Final = "iam:policy"
_KEY_OWNER: Final = "iam:access-key"
SERVICE_KEY_OWNER: Final = "iam:service-key"


def identity_owner(kind: IdentityKind) -> str:
    return f"iam:{kind}"


def identity_place(account_id: str, kind: IdentityKind, name: str) -> Place:
    return Place(account_id, GLOBAL, identity_owner(kind), name.lower())


def policy_place(account_id: str, name: str) -> Place:
    return Place(account_id, GLOBAL, POLICY_OWNER, name.lower())


def key_place(access_key_id: str, account_id: str) -> Place:
    return Place(account_id, GLOBAL, _KEY_OWNER, access_key_id)


def service_key_place(access_key_id: str, account_id: str) -> Place:
    return Place(account_id, GLOBAL, SERVICE_KEY_OWNER, access_key_id)


def account_alias_place(account_id: str) -> Place:
    return Place(account_id, GLOBAL, "iam:account-alias", "")


IDENTITIES: Final = Kind(
    "iam-identity",
    Identity,
    place=lambda one: identity_place(one.account_id, one.kind, one.name),
    found_by=lambda one: one.unique_id,
)
MANAGED_POLICIES: Final = Kind("iam-policy", ManagedPolicy, place=lambda one: policy_place(one.account_id, one.name))
USER_KEYS: Final = Kind(
    "iam-access-key",
    UserKey,
    place=lambda one: key_place(one.access_key_id, one.account_id),
    found_by=lambda one: one.user_id,
)
SERVICE_KEYS: Final = Kind(
    "iam-service-key", ServiceKey, place=lambda one: service_key_place(one.access_key_id, one.account_id)
)
ACCOUNT_ALIASES: Final = Kind("iam-account-alias", AccountAlias, place=lambda one: account_alias_place(one.account_id))
