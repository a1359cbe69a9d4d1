"""What a runtime does between its answer and its next request: it asks for more, or its process ends."""

import asyncio
import contextlib
from typing import Final

from lampion.clock.clock import Clock
from lampion.environments.endings import End
from lampion.environments.session import RuntimeSession

_EXIT_GRACE_SECONDS: Final = 0.5
"""Between the end of a process's connection and the news of its own."""


class RuntimeGone(Exception):
    """The environment's runtime ended, or went on for too long, before it asked for another invocation.

    None was given to it: another environment may have it.
    """


async def asks_again(session: RuntimeSession, clock: Clock, limit_seconds: float) -> bool:
    """Whether the runtime asks for another invocation within that time; at once for one that does already."""
    if limit_seconds > 0 and not session.is_waiting:
        with contextlib.suppress(TimeoutError):
            async with clock.deadline(limit_seconds):
                await session.asked()
    return session.is_waiting and session.ended is None


async def exit_of(session: RuntimeSession, clock: Clock) -> End | None:
    """Why a runtime broke off: mostly because its process has ended, which is about to be known."""
    with contextlib.suppress(TimeoutError):
        async with clock.deadline(_EXIT_GRACE_SECONDS):
            await asyncio.shield(session.over)
    return session.ended
