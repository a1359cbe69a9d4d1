"""Stops chains of requests that have become loops. Nothing is looked up as long as a chain is short."""

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import RecursiveInvocationException
from lampion.domain.recursion import is_loop, is_stopped
from lampion.store.cached_resources import CachedResources
from lampion.store.recursion_configs import RECURSION_CONFIGS
from lampion.store.resources import Place


class RecursionGuard:
    """Knows which functions may run in a loop."""

    def __init__(self, resources: CachedResources) -> None:
        self._resources = resources

    async def stops(self, key: FunctionKey, times_in_chain: int) -> bool:
        """Whether an invocation of `key` belongs to a loop and isn't to be run."""
        if not is_loop(times_in_chain):
            return False
        config = await self._resources.get(RECURSION_CONFIGS, Place.of_function(key))
        return is_stopped(times_in_chain, config)


def recursive_invocation() -> RecursiveInvocationException:
    """AWS's answer to an invocation that is stopped."""
    return RecursiveInvocationException(
        "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services "
        "resources and stopped your function's invocation."
    )
