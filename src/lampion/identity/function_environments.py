"""Environment variables of functions: encrypted before they are stored, opened for whoever may see them.

With the key that the function names, or the one that Lambda has in its account. Docs: Lambda developer guide, "Securing
Lambda environment variables".
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from lampion.clock.clock import Clock
from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function, FunctionConfiguration
from lampion.domain.key_problems import KeyUnusable, cannot_configure, cannot_show
from lampion.domain.kms.grant import Grant, function_grant
from lampion.identity.callers import root_arn
from lampion.identity.function_keys import FunctionKeys, FunctionRole, Owner, function_context
from lampion.identity.key_access import Asked, facts_of_grant
from lampion.identity.request_facts import Asker
from lampion.store.documents import decode, encode

Variables = dict[str, str]


class Sealed(NamedTuple):
    """A configuration that may be stored, and the grant that must be stored with it, if there is a new one."""

    configuration: FunctionConfiguration
    grant: Grant | None


class FunctionEnvironments:
    """Of all functions."""

    def __init__(self, keys: FunctionKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    async def sealed(
        self,
        key: FunctionKey,
        wanted: FunctionConfiguration,
        asker: Asker | None,
        before: FunctionConfiguration | None = None,
    ) -> Sealed:
        """`wanted` with its variables encrypted, by whom it is asked for: he must be allowed to use the key, and to
        let Lambda decrypt with it in the function's role. `before` is what the function had.

        Raises InvalidParameterValueException.
        """
        if not wanted.has_variables:
            return Sealed(wanted, None)
        try:
            return await self._sealed(key, wanted, asker, before or wanted)
        except KeyUnusable as unusable:
            raise cannot_configure(unusable) from None

    async def opened(self, function: Function) -> Function:
        """`function` as an environment of it needs it, which Lambda starts in its role. Raises KeyUnusable."""
        configuration = function.configuration
        if configuration.sealed_environment is None:
            return function
        role = _role(function.key, configuration)
        variables = await self._open(function.key, configuration.sealed_environment, role)
        return replace(function, configuration=replace(configuration, environment=variables, sealed_environment=None))

    async def shown(self, function: Function, asker: Asker | None) -> Mapping[str, Any] | None:
        """The shape EnvironmentResponse: to who may not decrypt them, why he sees no variables."""
        configuration = function.configuration
        if configuration.sealed_environment is None:
            return None if configuration.environment is None else {"Variables": configuration.environment}
        try:
            return {"Variables": await self._open(function.key, configuration.sealed_environment, asker)}
        except KeyUnusable as unusable:
            return {"Error": cannot_show(unusable)}

    async def _sealed(
        self, key: FunctionKey, wanted: FunctionConfiguration, asker: Asker | None, before: FunctionConfiguration
    ) -> Sealed:
        """Raises KeyUnusable."""
        variables, has_other_key = wanted.environment, wanted.kms_key_arn != before.kms_key_arn
        if not variables:
            assert wanted.sealed_environment is not None
            if not has_other_key:
                has_other_role = wanted.role != before.role
                return Sealed(wanted, await self._grant(key, wanted, asker) if has_other_role else None)
            variables = await self._open(key, wanted.sealed_environment, asker)
        grant = await self._grant(key, wanted, asker)
        blob = await self._keys.seal(
            wanted.kms_key_arn, encode(variables), function_context(key.arn), asker, _owner(key)
        )
        if not has_other_key and await self._holds(key, before, variables):
            blob = before.sealed_environment or blob  # so that a version with the same variables is the same version
        return Sealed(replace(wanted, environment=None, sealed_environment=blob), grant)

    async def _grant(self, key: FunctionKey, wanted: FunctionConfiguration, asker: Asker | None) -> Grant | None:
        """For Lambda, in the function's role. The key that Lambda has anyway needs none. Raises KeyUnusable."""
        if wanted.kms_key_arn is None:
            return None
        draft = function_grant(
            key.arn,
            _role(key, wanted).arn,
            context=function_context(key.arn),
            issuer=root_arn(key.account_id),
            now_epoch_seconds=self._clock.now(),
        )
        asked = Asked(grant=draft, facts=facts_of_grant(draft, is_for_aws=True))
        return draft.on(await self._keys.usable(wanted.kms_key_arn, "CreateGrant", asked, asker, _owner(key)))

    async def _holds(self, key: FunctionKey, before: FunctionConfiguration, variables: Variables) -> bool:
        if before.sealed_environment is None:
            return False
        try:
            return await self._open(key, before.sealed_environment, None) == variables
        except KeyUnusable:
            return False

    async def _open(self, key: FunctionKey, blob: bytes, asker: Asker | FunctionRole | None) -> Variables:
        """Raises KeyUnusable."""
        opened: Variables = decode(await self._keys.open(blob, function_context(key.arn), asker), dict[str, str])
        return opened


def is_grant_of(grant: Grant, function: Function) -> bool:
    """Whether it lets Lambda open the variables of this function, in the role that it has."""
    configuration = function.configuration
    return (grant.key_arn, grant.grantee) == (configuration.kms_key_arn, _role(function.key, configuration).arn)


def _owner(key: FunctionKey) -> Owner:
    return Owner(key.account_id, key.region)


def _role(key: FunctionKey, configuration: FunctionConfiguration) -> FunctionRole:
    return FunctionRole(key.account_id, configuration.role, key.name)
