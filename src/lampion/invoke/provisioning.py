"""Carries out what is stored of provisioned concurrency: the API writes what is wanted, and this makes it so.

What is wanted is read from the store: at the start, whenever something that matters has changed there, and again when
environments got ready or failed. A server that starts does what a running one does.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from lampion.clock.clock import Clock
from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function, State
from lampion.domain.provisioned_concurrency import NOTHING_YET, Allocation, ProvisionedConcurrency, allocation
from lampion.environments.provisioned import Provisioned
from lampion.invoke.provisioning_plan import Config, Place, Served, plan
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources, Change
from lampion.store.concurrency import PROVISIONED, PROVISIONED_KINDS, PROVISIONED_VERSIONS, ProvisionedVersion
from lampion.store.errors import StoreClosed, StoreError

_LOG = logging.getLogger(__name__)
_AGAIN_SECONDS: Final = 0.5
_CALM_SECONDS: Final = 0.25
"""After a change: a deployment makes several, which are carried out as one. Who asks at once is told IN_PROGRESS."""

Where = tuple[str, str]
"""Account and region."""


class Environments(Protocol):
    """Environments that are initialised ahead of invocations."""

    def provision(self, function: Function, wanted: int, *, anew: bool) -> None:
        """Keep so many environments of this version ready, from now on; `anew` forgets failures. Returns at once."""

    def unprovision(self, key: FunctionKey, version: str) -> None:
        """Keep none any more."""

    def follow_provisioned(self, listener: Callable[[FunctionKey, str], object]) -> None:
        """Call `listener` when environments of a version got ready, failed, or wait for room; it must not wait."""

    def provisioned_of(self, key: FunctionKey, version: str) -> Provisioned:
        """How far that has got."""


class Provisioning:
    """Provisioned concurrency of all accounts."""

    def __init__(
        self, *, resources: CachedResources, functions: CachedFunctions, environments: Environments, clock: Clock
    ) -> None:
        self._resources = resources
        self._functions = functions
        self._environments = environments
        self._clock = clock
        self._served: dict[Where, Mapping[Place, Served]] = {}
        self._targets: dict[Where, Mapping[tuple[FunctionKey, str], int]] = {}
        self._due: set[Where] = set()
        self._soon: set[Where] = set()
        self._wake = asyncio.Event()
        self._resources.subscribe(self._changed)
        self._environments.follow_provisioned(self._environments_changed)

    async def run(self) -> None:
        """Allocate what an earlier server had, then follow what changes, until cancelled."""
        await self._find_all()
        while True:
            await self._wake.wait()
            self._wake.clear()
            due, self._due = self._due, set()
            for where in sorted(due):
                await self._carry_out(where)

    def allocation(self, config: ProvisionedConcurrency, version: str) -> Allocation:
        """How far a configuration, which counts for `version` now, has got."""
        key = config.key
        served = self._served.get((key.account_id, key.region), {}).get((key, config.qualifier))
        if served is None:  # what is there, if anything, is there for a configuration that was deleted
            return NOTHING_YET
        now = self._environments.provisioned_of(key, version)
        before = [self._environments.provisioned_of(key, one) for one in served.until(version).outgoing]
        return allocation(
            config.executions,
            ready=now.ready,
            free=now.free,
            outgoing_ready=sum(one.ready for one in before),
            outgoing_free=sum(one.free for one in before),
            failure=now.failure if served.since_epoch_ms == config.last_modified_epoch_ms else None,
        )

    # -- inside --

    def _changed(self, change: Change) -> None:
        where = (change.account_id, change.region)
        if change.touches(PROVISIONED_KINDS) and where not in self._soon:
            self._soon.add(where)
            self._clock.call_later(_CALM_SECONDS, lambda: self._look_at(where))

    def _environments_changed(self, key: FunctionKey, version: str) -> None:
        """Others may be given up for them now."""
        self._look_at((key.account_id, key.region))

    def _look_at(self, where: Where) -> None:
        self._soon.discard(where)
        self._due.add(where)
        self._wake.set()

    async def _find_all(self) -> None:
        while True:
            try:
                found = await self._resources.read(lambda stored: stored.accounts_with(PROVISIONED))
            except StoreClosed:
                return
            except StoreError as error:
                _LOG.warning("provisioned concurrency isn't known yet: %s", error)
                await self._clock.sleep(_AGAIN_SECONDS)
            else:
                for where in found:
                    self._look_at((where[0], where[1]))
                return

    async def _carry_out(self, where: Where) -> None:
        try:
            found = await self._resources.see(PROVISIONED_VERSIONS, *where)
            if found or where in self._targets:
                await self._apply(where, found)
        except StoreClosed:
            return
        except StoreError as error:
            _LOG.warning("provisioned concurrency of %s in %s waits: %s", *where, error)
            self._look_again(where)

    async def _apply(self, where: Where, found: Sequence[ProvisionedVersion]) -> None:
        planned = plan(map(_config, found), self._served.get(where, {}), self._targets.get(where, {}), self._standing)
        functions = {target: await self._functions.get(*target) for target in planned.targets}
        self._served[where], self._targets[where] = planned.served, planned.targets
        if not planned.targets:
            del self._served[where], self._targets[where]
        for key, version in planned.given_up:
            self._environments.unprovision(key, version)
        for target, wanted in planned.targets.items():
            function = functions[target]
            if function is not None and function.state is State.PENDING:
                self._look_again(where)
            elif function is not None:
                self._environments.provision(function, wanted, anew=target in planned.anew)

    def _standing(self, key: FunctionKey, version: str) -> Provisioned:
        return self._environments.provisioned_of(key, version)

    def _look_again(self, where: Where) -> None:
        self._clock.call_later(_AGAIN_SECONDS, lambda: self._look_at(where))


def _config(one: ProvisionedVersion) -> Config:
    config = one.config
    return Config((config.key, config.qualifier), one.version, config.executions, config.last_modified_epoch_ms)
