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
    """The context manager of `EnvironmentPool.acquire`; a class, for the warm path's sake."""

    __slots__ = ("_environment", "_pool", "_version_pool")

    def __init__(self, pool: Lending, version_pool: VersionPool) -> None:
        self._pool = pool
        self._version_pool = version_pool
        self._environment: Environment | None = None

    async def __aenter__(self) -> Environment:
        environment = self._pool.take_idle(self._version_pool) or await self._pool.wait(self._version_pool)
        self._environment = environment
        return environment

    async def __aexit__(self, *failure: object) -> None:
        if self._environment is not None:
            self._pool.give_back(self._version_pool, self._environment)
