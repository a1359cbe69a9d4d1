"""Keys and identities in memory, for tests of who may do what."""

import json
from dataclasses import dataclass, field
from typing import Any

from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.domain.iam.access_key import UserKey
from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.domain.iam.managed_policy import ManagedPolicy, PolicyVersion
from lampion.identity.access_keys import AccessKeyring
from lampion.identity.actors import Actor
from lampion.identity.call_record import CallRecord
from lampion.identity.callers import Caller, CallerKind
from lampion.identity.directory import Directory
from lampion.identity.function_sessions import FunctionSessions
from lampion.identity.key_ids import USER_PREFIX, key_id
from lampion.identity.keys import Keys
from lampion.identity.service_keys import ServiceKeys
from lampion.identity.session_keys import SessionKeys
from lampion.identity.statements import EVERYTHING
from lampion.identity.temporary_callers import TemporaryCallers
from lampion.identity.temporary_keys import TemporaryKeys
from lampion.identity.user_keys import UserKeys
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.iam import IDENTITIES, USER_KEYS
from lampion.store.memory import MemoryAccessKeys, MemoryFunctions
from lampion.store.memory_resources import MemoryResources, MemoryTables
from lampion.store.resources import Stored

ACCOUNT = "123456789012"


def resources_in_memory() -> CachedResources:
    return CachedResources(MemoryResources(MemoryTables()), CachedFunctions(MemoryFunctions()))


def keys_in(resources: CachedResources, *, functions_may_all: bool = False) -> Keys:
    directory = Directory(resources, functions_may_all=functions_may_all)
    temporary = TemporaryKeys(b"secret of the server", SystemRng())
    return Keys(
        roots=AccessKeyring(MemoryAccessKeys(), SystemRng()),
        users=UserKeys(resources),
        services=ServiceKeys(resources),
        sessions=SessionKeys(SystemRng(), SystemClock()),
        functions=FunctionSessions(CachedFunctions(MemoryFunctions()), directory),
        temporary=temporary,
        lent=TemporaryCallers(temporary, directory),
        directory=directory,
        record=CallRecord(),
    )


def allowing(*actions: str, resource: str = "*", effect: str = "Allow", **more: Any) -> str:
    """A policy's document."""
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def identity(kind: IdentityKind, name: str, *documents: str, **more: Any) -> Identity:
    """With these documents in it."""
    members: dict[str, Any] = {
        "kind": kind,
        "account_id": ACCOUNT,
        "path": "/",
        "name": name,
        "unique_id": f"ID-OF-{kind}-{name}",
        "created_epoch_seconds": 1,
        "inline": {f"p{number}": document for number, document in enumerate(documents)},
    }
    return Identity(**{**members, **more})


def managed(name: str, *documents: str) -> ManagedPolicy:
    """With a version for each document; the first one holds."""
    versions = tuple(
        PolicyVersion(version_id=f"v{number}", document=document, created_epoch_seconds=1)
        for number, document in enumerate(documents, 1)
    )
    return ManagedPolicy(
        account_id=ACCOUNT,
        path="/",
        name=name,
        unique_id=f"ID-OF-{name}",
        created_epoch_seconds=1,
        updated_epoch_seconds=1,
        versions=versions,
        default_version_id="v1",
        numbered=len(versions),
    )


async def keep(resources: CachedResources, *those: Identity) -> None:
    def put(stored: Stored) -> None:
        for one in those:
            stored.put(IDENTITIES, one)

    await resources.change(put)


async def key_of(resources: CachedResources, user: Identity, **more: Any) -> UserKey:
    """A new key of the user."""
    random = SystemRng().token(5)
    members: dict[str, Any] = {
        "account_id": user.account_id,
        "access_key_id": key_id(USER_PREFIX, user.account_id, random),
        "secret_access_key": "secret",
        "user_id": user.unique_id,
        "created_epoch_seconds": 1,
    }
    key = UserKey(**{**members, **more})
    await resources.change(lambda stored: stored.put(USER_KEYS, key))
    return key


@dataclass(frozen=True)
class Session:
    """The session of a role, as actors are: by default of one that may nothing."""

    arn: str
    role_arn: str
    may_all: bool = False
    known: dict[str, Any] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        account_id = self.role_arn.split(":")[4]
        caller = Caller(CallerKind.ROLE_SESSION, account_id, self.arn, self.role_arn)
        known = {"aws:principalarn": [self.role_arn], "aws:principalaccount": [account_id], **self.known}
        return Actor(caller=caller, user_id="AROA:s", identity=(EVERYTHING,) if self.may_all else (), known=known)
