"""How each language's runtime is started: one row per language. Pure; knows no sandbox and no pool."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from lampion.code.interpreters import Interpreter
from lampion.environments.environ import OVERRIDABLE, RUNTIME_DIRECTORY
from lampion.environments.node_options import can_use_node_worker, node_options, waiting_node_options

_WRAPPED: Final = ("/bin/sh", f"{RUNTIME_DIRECTORY}/wrapped.sh")
_NODE_BOOTSTRAP: Final = f"{RUNTIME_DIRECTORY}/bootstrap.cjs"


class Readiness(StrEnum):
    """How a waiting process becomes a function's: it is forked for each, or each is booted for one."""

    FORK = "fork"
    BOOT = "boot"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingProgram:
    """A process that is started before its function is known, with `environ` alone.

    Its `argv` depends on the interpreter and on the memory that the function will have, in MiB (None: any). It reads
    its function's environment from descriptor 4, see runtimes/nodejs/waiting.cjs. `serves` tells whether the function
    with that environment can have it: what takes effect only when a process starts can't be ordered later.
    """

    argv: Callable[[Interpreter, int | None], tuple[str, ...]]
    environ: Mapping[str, str]
    serves: Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeProgram:
    """One language: its directory under `runtimes`, its command, the variables that only it sets.

    `argv` takes the interpreter and the function's whole environment. Without `waiting`, every process is started when
    it is needed.
    """

    directory: str
    readiness: Readiness
    argv: Callable[[Interpreter, Mapping[str, str]], tuple[str, ...]]
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    waiting: WaitingProgram | None = None


def _python(interpreter: Interpreter, environ: Mapping[str, str]) -> tuple[str, ...]:
    """An exec wrapper is the bootstrap's own affair: Python can replace its process."""
    return (interpreter.executable_inside, "-S", f"{RUNTIME_DIRECTORY}/bootstrap.py")


def _nodejs(interpreter: Interpreter, environ: Mapping[str, str]) -> tuple[str, ...]:
    command = (interpreter.executable_inside, *node_options(interpreter.version, environ), _NODE_BOOTSTRAP)
    return (*_WRAPPED, *command) if environ.get("AWS_LAMBDA_EXEC_WRAPPER") else command


def _waiting_nodejs(interpreter: Interpreter, memory_mib: int | None) -> tuple[str, ...]:
    options = waiting_node_options(interpreter.version, memory_mib)
    return (interpreter.executable_inside, *options, _NODE_BOOTSTRAP, "--wait")


PROGRAMS: Final[Mapping[str, RuntimeProgram]] = MappingProxyType(
    {
        "python": RuntimeProgram(
            directory="python",
            readiness=Readiness.FORK,
            argv=_python,
            variables=MappingProxyType({"PYTHONPATH": RUNTIME_DIRECTORY}),
        ),
        "nodejs": RuntimeProgram(
            directory="nodejs",
            readiness=Readiness.BOOT,
            argv=_nodejs,
            waiting=WaitingProgram(
                argv=_waiting_nodejs,
                environ=OVERRIDABLE,
                serves=lambda environ: can_use_node_worker(environ, OVERRIDABLE),
            ),
        ),
    }
)
"""By the name that the runtime catalogue gives a language."""
