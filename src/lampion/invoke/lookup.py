"""From a target to the stored function, or AWS's error when there is none."""

from lampion.domain.arn import LATEST
from lampion.domain.function import Function
from lampion.invoke.qualifier import Target, function_not_found
from lampion.store.cached_functions import CachedFunctions


class FunctionLookup:
    """Finds what a caller named. The warm path pays one dictionary look-up."""

    def __init__(self, functions: CachedFunctions) -> None:
        self._functions = functions

    async def find(self, target: Target) -> Function:
        """$LATEST or the version that `target` names. Raises ResourceNotFoundException."""
        key, version = target.key, target.qualifier or LATEST
        function = self._functions.get_cached(key, version) or await self._functions.get(key, version)
        if function is None:
            raise function_not_found(target.arn)
        return function

    async def find_unqualified(self, target: Target) -> Function:
        """The function itself, whatever the qualifier. Raises ResourceNotFoundException naming the bare function."""
        function = self._functions.get_cached(target.key) or await self._functions.get(target.key)
        if function is None:
            raise function_not_found(target.key.arn)
        return function
