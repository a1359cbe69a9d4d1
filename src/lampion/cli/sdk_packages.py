"""Has pip, uv or npm fetch the packages of an SDK: where from, these know."""

import asyncio
import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lampion.cli.failure import ExitCode, Failure
from lampion.clock.clock import SystemClock
from lampion.code.interpreters import Interpreter
from lampion.code.runtimes import Runtime
from lampion.code.sdks import SDKS, npm_arguments, pip_arguments, uv_arguments
from lampion.sandbox.tool_runner import SubprocessToolRunner, ToolError, ToolResult

_INSTALL_SECONDS: Final = 900.0
_ASK_SECONDS: Final = 30.0
_LINES_SHOWN: Final = 12


def fetch(runtime: Runtime, interpreter: Interpreter | None, target: Path, packages: Sequence[str]) -> Path:
    """Install the runtime's SDK, and `packages`, into `target`. Raises Failure, OSError."""
    target.mkdir()
    wanted = (*SDKS[runtime.language].packages(runtime), *packages)
    argv = _installer(runtime, interpreter, target, wanted)
    result = _run(argv, _INSTALL_SECONDS)
    if result.code != 0:
        told = (result.stderr or result.stdout).decode(errors="replace").strip().splitlines()
        raise Failure(
            ExitCode.NOT_INSTALLED,
            f"{Path(argv[0]).name} could not install the SDK for {runtime.identifier}",
            why="\n       ".join(told[-_LINES_SHOWN:]) or f"it ended with {result.code}",
            fix="Where there is no way to packages, bring their files: lampion sdk install --from DIR.",
        )
    return target


def _installer(
    runtime: Runtime, interpreter: Interpreter | None, target: Path, packages: Sequence[str]
) -> tuple[str, ...]:
    """The runtime's own pip knows best what runs there; then uv, then the pip beside this program."""
    if runtime.language == "nodejs":
        npm = shutil.which("npm")
        if npm is None:
            raise Failure(ExitCode.NOT_INSTALLED, "npm isn't on PATH, which installs it", fix="apt-get install npm")
        return (npm, *npm_arguments(target, packages))
    if (
        interpreter is not None
        and _run((str(interpreter.executable), "-m", "pip", "--version"), _ASK_SECONDS).code == 0
    ):
        return (str(interpreter.executable), "-m", "pip", *pip_arguments(target, packages))
    uv = shutil.which("uv")
    if uv is not None:
        return (uv, *uv_arguments(target, packages, runtime.version))
    if importlib.util.find_spec("pip") is not None:
        return (sys.executable, "-m", "pip", *pip_arguments(target, packages, runtime.version))
    raise Failure(
        ExitCode.NOT_INSTALLED, "neither pip nor uv is there, which install it", fix="apt-get install python3-pip"
    )


def _run(argv: Sequence[str], timeout_seconds: float) -> ToolResult:
    runner = SubprocessToolRunner(SystemClock(), environ=os.environ)
    try:
        return asyncio.run(runner.run(argv, timeout_seconds))
    except ToolError as error:
        raise Failure(ExitCode.NOT_INSTALLED, f"the SDK is not installed: {error}") from None
