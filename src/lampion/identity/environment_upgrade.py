"""Encrypts the environment variables that an older version stored in plain text, at the first start of this one."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import Function, FunctionConfiguration
from lampion.domain.kms.grant import Grant
from lampion.identity.function_environments import FunctionEnvironments
from lampion.store.cached_resources import CachedResources
from lampion.store.errors import StoreError
from lampion.store.functions import Functions
from lampion.store.kms import keep_grant
from lampion.store.resources import Stored
from lampion.store.upgrades import SEAL_ENVIRONMENTS, UPGRADES

_LOG = logging.getLogger(__name__)


async def seal_plain_environments(
    functions: Functions,
    resources: CachedResources,
    environments: FunctionEnvironments,
    write_anew: Callable[[], Awaitable[None]],
) -> None:
    """Before anything runs. Every function is a transaction of its own, and `write_anew` leaves nothing deleted in the
    file: until all of it is done it is outstanding, and begun again at the next start. Raises StoreError.
    """
    if await resources.get(UPGRADES, UPGRADES.place(SEAL_ENVIRONMENTS)) is None:
        return
    plain = await functions.with_plain_environment()
    for function in plain:
        await _seal(function, resources, environments)
    try:
        await write_anew()
    except StoreError as error:
        _LOG.warning("deleted plain text may still be in the database until the next start: %s", error)
        return
    await resources.change(lambda stored: stored.delete(UPGRADES, UPGRADES.place(SEAL_ENVIRONMENTS)))
    if plain:
        _LOG.info("encrypted the environment variables of %d functions and versions", len(plain))


async def _seal(function: Function, resources: CachedResources, environments: FunctionEnvironments) -> None:
    configuration, grant = await _sealed(function, function.configuration, environments)
    before, grant_before = function.before_update, None
    if before is not None:
        had, grant_before = await _sealed(function, before.configuration, environments)
        before = replace(before, configuration=had)
    changed = replace(function, configuration=configuration, before_update=before)

    def store(stored: Stored) -> None:
        stored.replace_function(changed, expected_revision_id=function.revision_id)
        for one in (grant, grant_before):
            if one is not None:
                keep_grant(stored, one)

    await resources.change(store)


async def _sealed(
    function: Function, plain: FunctionConfiguration, environments: FunctionEnvironments
) -> tuple[FunctionConfiguration, Grant | None]:
    """With the key that it names, which nobody had to have until now; else with Lambda's own."""
    try:
        return await environments.sealed(function.key, plain, None)
    except InvalidParameterValueException as error:
        _LOG.warning("%s: %s Its variables are encrypted with Lambda's own key.", function.key.arn, error.message)
    sealed = await environments.sealed(function.key, replace(plain, kms_key_arn=None), None)
    return replace(sealed.configuration, kms_key_arn=plain.kms_key_arn), None
