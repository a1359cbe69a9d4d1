"""Builds who may what: the keys that requests are signed with, and what functions are lent of them."""

import hmac

from lampion.app.rooms import Ports, Stores
from lampion.config import Settings
from lampion.config.values import FunctionAccess
from lampion.environments.pool import EnvironmentPool
from lampion.environments.role_changes import RoleChanges
from lampion.environments.server_access import ServerAccess
from lampion.gateway.function_doors import FunctionDoors
from lampion.identity.call_record import CallRecord
from lampion.identity.directory import Directory
from lampion.identity.function_sessions import FunctionSessions
from lampion.identity.keys import Keys
from lampion.identity.service_keys import ServiceKeys
from lampion.identity.session_keys import SessionKeys
from lampion.identity.temporary_callers import TemporaryCallers
from lampion.identity.temporary_keys import TemporaryKeys
from lampion.identity.user_keys import UserKeys


def keys_of(settings: Settings, ports: Ports, stores: Stores) -> Keys:
    directory = Directory(stores.resources, functions_may_all=settings.function_access is FunctionAccess.ALL)
    secret = hmac.digest(stores.server_secret.value.encode(), b"temporary keys", "sha256")
    temporary = TemporaryKeys(secret, ports.rng)
    return Keys(
        roots=stores.keys,
        users=UserKeys(stores.resources),
        services=ServiceKeys(stores.resources),
        sessions=SessionKeys(ports.rng, ports.agenda),
        functions=FunctionSessions(stores.functions, directory),
        temporary=temporary,
        lent=TemporaryCallers(temporary, directory),
        directory=directory,
        record=CallRecord(),
    )


def server_access(ports: Ports, keys: Keys, doors: FunctionDoors) -> ServerAccess:
    return ServerAccess(keys.sessions, doors, keys.functions, ports.agenda)


def role_changes(stores: Stores, pool: EnvironmentPool) -> RoleChanges:
    changes = RoleChanges(pool.renew_where_keys_are_void)
    stores.resources.subscribe(changes.note)
    return changes
