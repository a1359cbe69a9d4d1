"""What runs a runtime's functions of either architecture: this machine's interpreters, or others in an emulator."""

import asyncio
from dataclasses import replace
from pathlib import Path

from lampion.code.architectures import BINFMT_MISC, HOST_ARCHITECTURE, emulation_problem
from lampion.code.interpreters import Interpreter, Interpreters, RuntimeBase, RuntimeUnavailable


class InterpretersByArchitecture:
    """With `takes_any`, this machine's own interpreters run functions of every architecture."""

    def __init__(
        self,
        native: Interpreters,
        emulated: Interpreters,
        *,
        takes_any: bool = False,
        registrations: Path = BINFMT_MISC,
    ) -> None:
        """`emulated` looks for interpreters of the architecture that this machine isn't."""
        self._native = native
        self._emulated = emulated
        self._takes_any = takes_any
        self._registrations = registrations

    async def find(self, runtime: str, architecture: str) -> RuntimeBase:
        """What runs functions of `runtime` for `architecture`. Raises RuntimeUnavailable, which says how to mend it."""
        if self._takes_any or architecture == HOST_ARCHITECTURE:
            return await self._native.find(runtime)
        problem = await asyncio.to_thread(emulation_problem, architecture, self._registrations)
        if problem is not None:
            raise RuntimeUnavailable(_no_emulator(architecture, *problem))
        try:
            found = await self._emulated.find(runtime)
        except RuntimeUnavailable as error:
            raise RuntimeUnavailable(_no_interpreter(runtime, architecture)) from error
        return replace(found, architecture=architecture) if isinstance(found, Interpreter) else found


def _no_emulator(architecture: str, reason: str, mend: str) -> str:
    return (
        f"Functions for {architecture} don't run here: {reason}. Install one, for example with {mend}, or give the "
        f"function the architecture {HOST_ARCHITECTURE}, or start the server with --architectures any to run it on the "
        "interpreters of this machine; then update the function's code."
    )


def _no_interpreter(runtime: str, architecture: str) -> str:
    return (
        f"No interpreter for {runtime} on {architecture} that this machine's emulator runs. Name one with the setting "
        f"--interpreter {architecture}/{runtime}=PATH, or start the server with --architectures any to use the "
        f"interpreters of this machine, which is {HOST_ARCHITECTURE}; then update the function's code."
    )
