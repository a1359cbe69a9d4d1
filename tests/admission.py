"""Concurrency that is held for a block."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lampion.domain.function import Function
from lampion.invoke.concurrency import Concurrency


@asynccontextmanager
async def admitted(concurrency: Concurrency, function: Function, *, is_event: bool = False) -> AsyncIterator[None]:
    """As the invoker holds it while the function runs."""
    division = await concurrency.take(function, is_event=is_event)
    try:
        yield
    finally:
        division.release(function.key.name, function.version)
