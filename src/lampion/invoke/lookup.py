"""From a target to the stored function, or AWS's error when there is none."""

from lampion.clock.rng import Rng
from lampion.domain.alias import Alias, chosen_version
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import Function
from lampion.invoke.qualifier import Target, function_not_found
from lampion.store.aliases import ALIASES, alias_place
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources


class FunctionLookup:
    """Finds what a caller named. The warm path pays one dictionary look-up, two for an alias."""

    def __init__(self, functions: CachedFunctions, resources: CachedResources, rng: Rng) -> None:
        self._functions = functions
        self._resources = resources
        self._rng = rng

    def at_hand(self, target: Target) -> Function | None:
        """What `choose` would answer without waiting; None says nothing about what there is. No version has an alias's
        name, so that aliases never are."""
        return self._functions.get_cached(target.key, target.qualifier or LATEST)

    async def find(self, target: Target) -> Function:
        """$LATEST or the version that `target` names; an alias stands for its main version.

        Raises ResourceNotFoundException.
        """
        if target.alias_name is None:
            return await self._version(target, target.qualifier or LATEST)
        return await self._version(target, (await self._alias(target)).function_version)

    async def choose(self, target: Target) -> Function:
        """As `find`, for one invocation: an alias stands for one of its versions, drawn by weight."""
        if target.alias_name is None:
            return await self._version(target, target.qualifier or LATEST)
        alias = await self._alias(target)
        fraction = self._rng.fraction() if alias.additional_version_weights else 0.0
        return await self._version(target, chosen_version(alias, fraction))

    async def find_unqualified(self, target: Target) -> Function:
        """The function itself, whatever the qualifier. Raises ResourceNotFoundException naming the bare function."""
        function = await self._get(target.key, LATEST)
        if function is None:
            raise function_not_found(target.key.arn)
        return function

    async def _alias(self, target: Target) -> Alias:
        assert target.alias_name is not None
        alias = await self._resources.get(ALIASES, alias_place(target.key, target.alias_name))
        if alias is None:
            raise function_not_found(target.arn)
        return alias

    async def _version(self, target: Target, version: str) -> Function:
        function = await self._get(target.key, version)
        if function is None:
            raise function_not_found(target.arn)
        return function

    async def _get(self, key: FunctionKey, version: str) -> Function | None:
        return self._functions.get_cached(key, version) or await self._functions.get(key, version)
