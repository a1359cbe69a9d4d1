"""Functions as callers: whether their keys still count, by the function and its role as they are now."""

from typing import Protocol

from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function
from lampion.identity.actors import Actor
from lampion.identity.directory import Directory
from lampion.identity.session_keys import SessionKey


class StoredFunctions(Protocol):
    """Finds functions, mostly without asking the store."""

    async def get(self, key: FunctionKey, version: str) -> Function | None: ...


class FunctionSessions:
    """Looks at every use: what is deleted or changed counts at once."""

    def __init__(self, functions: StoredFunctions, directory: Directory) -> None:
        self._functions = functions
        self._directory = directory

    async def actor(self, session: SessionKey) -> Actor | None:
        """Who signs with the key; None when it doesn't count any more."""
        return await self._directory.session(session) if await self.counts(session) else None

    async def counts(self, session: SessionKey) -> bool:
        """Whether the function is there and has the role, and the role is the one of then."""
        return await self._has_role(session) and await self._is_role_of_then(session)

    async def role_id(self, account_id: str, role_arn: str) -> str:
        """The unique id of the role; empty when it isn't here."""
        role = await self._directory.role(account_id, role_arn.rpartition("/")[2])
        return role.user_id if role is not None and role.caller.role_arn == role_arn else ""

    async def _has_role(self, session: SessionKey) -> bool:
        runner = session.runner
        if runner is None:
            return True
        function = await self._functions.get(runner.key, runner.version)
        if function is None or function.creation_id != runner.creation_id:
            return False
        # While an update is under way, what was before goes on to run.
        before = function.before_update
        roles = {function.configuration.role, *(() if before is None else (before.configuration.role,))}
        return session.role_arn in roles

    async def _is_role_of_then(self, session: SessionKey) -> bool:
        """A key that was made when the role wasn't here is for whichever comes."""
        return not session.role_id or await self.role_id(session.account_id, session.role_arn) == session.role_id
