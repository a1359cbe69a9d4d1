"""Holding an environment of a pool. Knows nothing of how one is found."""

from typing import Protocol

from lampion.environments.environment import Environment
from lampion.environments.version_pool import VersionPool


class Lending(Protocol):
    """The pool."""

    def take_idle(self, pool: VersionPool) -> Environment | None: ...

    async def wait(self, pool: VersionPool) -> Environment: ...

    def give_back(self, pool: VersionPool, environment: Environment) -> None: ...


class Acquired:
    """What `EnvironmentPool.acquire` gives: an environment, once it was taken or came, for as long as it is wanted."""

    __slots__ = ("_environment", "_pool", "_version_pool")

    def __init__(self, pool: Lending, version_pool: VersionPool) -> None:
        self._pool = pool
        self._version_pool = version_pool
        self._environment: Environment | None = None

    def take_idle(self) -> Environment | None:
        """One that is free, at once."""
        environment = self._environment = self._pool.take_idle(self._version_pool)
        return environment

    async def wait(self) -> Environment:
        """One that comes free, or is started. Raises what starting one raised, or TooManyRequestsException."""
        environment = self._environment = await self._pool.wait(self._version_pool)
        return environment

    def give_back(self) -> None:
        """Nothing runs in it any more; it is free again, or ends."""
        if self._environment is not None:
            self._pool.give_back(self._version_pool, self._environment)

    async def __aenter__(self) -> Environment:
        return self.take_idle() or await self.wait()

    async def __aexit__(self, *failure: object) -> None:
        self.give_back()
