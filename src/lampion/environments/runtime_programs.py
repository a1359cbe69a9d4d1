"""How each language's runtime is started: one row per language. Pure; knows no sandbox and no pool."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from lampion.code.class_archive import can_archive_classes
from lampion.code.interpreters import Interpreter
from lampion.code.languages.java import RUNTIME_JAR
from lampion.code.runtimes import catalogue
from lampion.environments.environ import LAYERS_ROOT, OVERRIDABLE, RUNTIME_DIRECTORY
from lampion.environments.java_options import java_options, names_archive
from lampion.environments.node_options import can_use_node_worker, node_options, waiting_node_options
from lampion.environments.ruby_variables import WAITING_RUBY, can_use_ruby_zygote, ruby_variables
from lampion.sandbox.spec import WorkerStart

_WRAPPED: Final = ("/bin/sh", f"{RUNTIME_DIRECTORY}/wrapped.sh")
_PYTHON_BOOTSTRAP: Final = f"{RUNTIME_DIRECTORY}/bootstrap.py"
_PYTHON_WAITS_WITH: Final = MappingProxyType(dict(OVERRIDABLE))
_READ_AT_PYTHONS_START: Final = re.compile(
    "PYTHON(?!PATH$).*|LD_.*|LANG|LANGUAGE|LC_.*|MALLOC_.*|GLIBC_TUNABLES|OPENSSL_.*"
)
_NODE_BOOTSTRAP: Final = f"{RUNTIME_DIRECTORY}/bootstrap.cjs"
_JAVA_OPTIONS_FILE: Final = f"@{RUNTIME_DIRECTORY}/lib/options"
_JAVA_SECURITY: Final = f"-Djava.security.properties={RUNTIME_DIRECTORY}/lib/security.properties"
_RUBY_BOOTSTRAP: Final = f"{RUNTIME_DIRECTORY}/bootstrap.rb"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingProgram:
    """A process that is started before its function is known, with `environ` alone.

    Its `argv` depends on the interpreter and may depend on the memory that the function will have, in MiB. It reads its
    function's environment as sandbox.spec.Template says, see runtimes/nodejs/waiting.cjs and
    runtimes/python/_lampion_waiting.py. `serves` tells whether the function with that environment can have it: what
    takes effect only when a process starts can't be ordered later.
    """

    start: WorkerStart
    argv: Callable[[Interpreter, int], tuple[str, ...]]
    environ: Mapping[str, str]
    serves: Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeProgram:
    """One language: its command, and the variables that only it sets.

    `argv` takes the interpreter and the function's whole environment; `leaves_code_alone` are options for where code
    isn't mounted read-only, `needs_file_system` words of the command that only a sandbox with a file system of its own
    understands. Without `waiting`, every process is started when it is needed. `completed` makes the environment whole
    where that takes more than `variables`.
    """

    argv: Callable[[Interpreter, Mapping[str, str]], tuple[str, ...]]
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    leaves_code_alone: tuple[str, ...] = ()
    waiting: WaitingProgram | None = None
    completed: Callable[[Interpreter, dict[str, str]], dict[str, str]] | None = None
    needs_file_system: tuple[str, ...] = ()


def _python(interpreter: Interpreter, environ: Mapping[str, str]) -> tuple[str, ...]:
    """An exec wrapper is the bootstrap's own affair: Python can replace its process."""
    return (interpreter.executable_inside, "-S", _PYTHON_BOOTSTRAP)


def _waiting_python(interpreter: Interpreter, memory_mib: int) -> tuple[str, ...]:
    return (interpreter.executable_inside, "-S", _PYTHON_BOOTSTRAP, "--zygote")


def _serves_python(environ: Mapping[str, str]) -> bool:
    """Whether the interpreter and the C library, which read some variables only at their start, would do the same."""
    names = {name for name in environ.keys() | _PYTHON_WAITS_WITH.keys() if _READ_AT_PYTHONS_START.fullmatch(name)}
    return all(environ.get(name) == _PYTHON_WAITS_WITH.get(name) for name in names)


def _nodejs(interpreter: Interpreter, environ: Mapping[str, str]) -> tuple[str, ...]:
    options = node_options(interpreter.version, environ)
    command = (interpreter.executable_inside, *options, _NODE_BOOTSTRAP, *_node_to_stand_for(interpreter))
    return (*_WRAPPED, *command) if environ.get("AWS_LAMBDA_EXEC_WRAPPER") else command


def _waiting_nodejs(interpreter: Interpreter, memory_mib: int) -> tuple[str, ...]:
    options = waiting_node_options(interpreter.version, memory_mib)
    return (interpreter.executable_inside, *options, _NODE_BOOTSTRAP, *_node_to_stand_for(interpreter), "--wait")


def _node_to_stand_for(interpreter: Interpreter) -> tuple[str, ...]:
    """What handlers may be like depends on the runtime, also when another Node.js serves it."""
    return (f"--as={catalogue().runtimes[interpreter.runtime].version}",) if interpreter.is_close else ()


def _java(interpreter: Interpreter, environ: Mapping[str, str]) -> tuple[str, ...]:
    """None waits for its function: the environment of a Java that runs can't be replaced."""
    archive = (_JAVA_OPTIONS_FILE,) if can_archive_classes(interpreter) and not names_archive(environ) else ()
    security = () if "-Djava.security.properties=" in environ.get("JAVA_TOOL_OPTIONS", "") else (_JAVA_SECURITY,)
    options = (*java_options(interpreter.version, environ), *security)
    run = ("-cp", f"{RUNTIME_DIRECTORY}/{RUNTIME_JAR}", "lampion.runtime.Bootstrap", LAYERS_ROOT)
    command = (interpreter.executable_inside, *archive, *options, *run)
    return (*_WRAPPED, *command) if environ.get("AWS_LAMBDA_EXEC_WRAPPER") else command


def _java_environ(interpreter: Interpreter, environ: dict[str, str]) -> dict[str, str]:
    """AWS's bootstrap for Java is no shell script: it leaves no traces of one."""
    return {name: value for name, value in environ.items() if name not in ("PWD", "SHLVL")}


def _ruby(interpreter: Interpreter, environ: Mapping[str, str]) -> tuple[str, ...]:
    command = (interpreter.executable_inside, _RUBY_BOOTSTRAP)
    return (*_WRAPPED, *command) if environ.get("AWS_LAMBDA_EXEC_WRAPPER") else command


def _waiting_ruby(interpreter: Interpreter, memory_mib: int) -> tuple[str, ...]:
    return (interpreter.executable_inside, _RUBY_BOOTSTRAP, "--zygote")


def _ruby_environ(interpreter: Interpreter, environ: dict[str, str]) -> dict[str, str]:
    return ruby_variables(catalogue().runtimes[interpreter.runtime].version, environ)


def _dotnet(interpreter: Interpreter, environ: Mapping[str, str]) -> tuple[str, ...]:
    """An exec wrapper is the script's affair. .NET itself picks a version, which the function's settings must allow."""
    roll_forward = ("--roll-forward", "Major") if interpreter.is_close else ()
    return ("/bin/sh", f"{RUNTIME_DIRECTORY}/bootstrap.sh", interpreter.executable_inside, *roll_forward)


PROGRAMS: Final[Mapping[str, RuntimeProgram]] = MappingProxyType(
    {
        "python": RuntimeProgram(
            argv=_python,
            variables=MappingProxyType({"PYTHONPATH": RUNTIME_DIRECTORY}),
            leaves_code_alone=("-B",),
            waiting=WaitingProgram(
                start=WorkerStart.FORK, argv=_waiting_python, environ=_PYTHON_WAITS_WITH, serves=_serves_python
            ),
        ),
        "nodejs": RuntimeProgram(
            argv=_nodejs,
            waiting=WaitingProgram(
                start=WorkerStart.BOOT,
                argv=_waiting_nodejs,
                environ=OVERRIDABLE,
                serves=lambda environ: can_use_node_worker(environ, OVERRIDABLE),
            ),
        ),
        "java": RuntimeProgram(
            argv=_java, completed=_java_environ, needs_file_system=(_JAVA_OPTIONS_FILE, _JAVA_SECURITY)
        ),
        "ruby": RuntimeProgram(
            argv=_ruby,
            completed=_ruby_environ,
            waiting=WaitingProgram(
                start=WorkerStart.FORK, argv=_waiting_ruby, environ=WAITING_RUBY, serves=can_use_ruby_zygote
            ),
        ),
        "dotnet": RuntimeProgram(argv=_dotnet, variables=MappingProxyType({"DOTNET_ROOT": "/var/lang/bin"})),
    }
)
"""By the name that the runtime catalogue gives a language."""
