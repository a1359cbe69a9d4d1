"""How runtimes are started, and which functions can have a process that was started before."""

from dataclasses import replace
from pathlib import Path

import pytest

import lampion
from lampion.code.interpreters import Interpreter
from lampion.code.languages import LANGUAGES
from lampion.code.languages.java import RUNTIME_JAR
from lampion.environments.environ import OVERRIDABLE
from lampion.environments.node_options import can_use_node_worker, node_options, waiting_node_options
from lampion.environments.runtime_programs import PROGRAMS
from lampion.sandbox.spec import WorkerStart

PYTHON = Interpreter("python3.12", "3.12.1", Path("/usr/bin/python3.12"), Path("/usr"), "/usr/bin/python3.12", ())
NODE = Interpreter("nodejs20.x", "20.20.2", Path("/usr/bin/node"), Path("/usr"), "/usr/bin/node", ())
RUBY = Interpreter("ruby3.4", "3.4.1", Path("/usr/bin/ruby"), Path("/usr"), "/usr/bin/ruby", ())
WORKER = {"LANG": "en_US.UTF-8", "TZ": ":UTC", "LD_LIBRARY_PATH": "/opt/lib"}


def test_every_language_has_a_program_whose_files_are_there() -> None:
    assert PROGRAMS.keys() == LANGUAGES.keys()
    for language in PROGRAMS:
        files = Path(lampion.__file__).parent / "runtimes" / language
        assert (files / RUNTIME_JAR).exists() if language == "java" else any(files.glob("bootstrap.*"))


def test_python_starts_without_site() -> None:
    assert PROGRAMS["python"].argv(PYTHON, {}) == ("/usr/bin/python3.12", "-S", "/var/runtime/bootstrap.py")


def test_node_gets_aws_options_and_a_heap_for_its_memory() -> None:
    assert PROGRAMS["nodejs"].argv(NODE, {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"}) == (
        "/usr/bin/node",
        "--expose-gc",
        "--max-http-header-size=81920",
        "--max-semi-space-size=6",
        "--max-old-space-size=116",
        "--no-experimental-require-module",
        "/var/runtime/bootstrap.cjs",
    )


def test_a_node_that_stands_in_for_another_is_told_so() -> None:
    close, waiting = replace(NODE, version="24.1.0"), PROGRAMS["nodejs"].waiting
    assert waiting is not None
    assert PROGRAMS["nodejs"].argv(close, {})[-2:] == ("/var/runtime/bootstrap.cjs", "--as=20")
    assert waiting.argv(close, 128)[-3:] == ("/var/runtime/bootstrap.cjs", "--as=20", "--wait")


def test_dotnet_is_handed_to_a_script_that_finds_the_assembly() -> None:
    program = Interpreter("dotnet8", "8.0.1", Path("/x/dotnet"), Path("/x"), "/var/lang/bin/dotnet", ())
    command = ("/bin/sh", "/var/runtime/bootstrap.sh", "/var/lang/bin/dotnet")
    assert PROGRAMS["dotnet"].argv(program, {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}) == command
    close = replace(program, version="10.0.1")
    assert PROGRAMS["dotnet"].argv(close, {}) == (*command, "--roll-forward", "Major")


def test_an_exec_wrapper_gets_nodes_command() -> None:
    environ = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}
    command = PROGRAMS["nodejs"].argv(NODE, {})
    assert PROGRAMS["nodejs"].argv(NODE, environ) == ("/bin/sh", "/var/runtime/wrapped.sh", *command)
    assert PROGRAMS["nodejs"].argv(NODE, {"AWS_LAMBDA_EXEC_WRAPPER": ""}) == command


def test_a_waiting_node_is_started_with_the_same_options() -> None:
    waiting = PROGRAMS["nodejs"].waiting
    assert waiting is not None
    command = PROGRAMS["nodejs"].argv(NODE, {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"})
    assert waiting.argv(NODE, 512) == (*command, "--wait")
    assert waiting.serves(dict(waiting.environ))


def test_a_waiting_python_is_a_zygote_with_what_every_function_has() -> None:
    waiting = PROGRAMS["python"].waiting
    assert waiting is not None
    assert waiting.start is WorkerStart.FORK
    assert waiting.argv(PYTHON, 512) == ("/usr/bin/python3.12", "-S", "/var/runtime/bootstrap.py", "--zygote")


@pytest.mark.parametrize(
    ("variables", "is_served"),
    [
        ({}, True),
        ({"TZ": "Asia/Tokyo", "PYTHONPATH": "/var/task/lib", "PATH": "/x", "MY_LANG": "x"}, True),
        ({"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}, True),
        ({"PYTHONHASHSEED": "0"}, False),
        ({"PYTHONDONTWRITEBYTECODE": ""}, False),
        ({"LD_PRELOAD": "/opt/x.so"}, False),
        ({"LD_LIBRARY_PATH": "/var/task/lib"}, False),
        ({"LANG": "C"}, False),
        ({"LC_ALL": "C"}, False),
        ({"MALLOC_ARENA_MAX": "2"}, False),
    ],
)
def test_a_copy_of_python_serves_who_wants_nothing_else_of_its_start(
    variables: dict[str, str], is_served: bool
) -> None:
    waiting = PROGRAMS["python"].waiting
    assert waiting is not None
    assert waiting.serves({**waiting.environ, **variables}) is is_served


@pytest.mark.parametrize(
    ("version", "switched_off"),
    [
        ("16.20.2", set()),
        ("18.20.8", set()),
        ("20.16.0", set()),
        ("20.17.0", {"--no-experimental-require-module"}),
        ("22.1.0", {"--no-experimental-require-module", "--no-experimental-detect-module"}),
        ("24.21.0", set()),
    ],
)
def test_what_aws_switches_off(version: str, switched_off: set[str]) -> None:
    assert {option for option in waiting_node_options(version, None) if option.startswith("--no-")} == switched_off


@pytest.mark.parametrize(
    ("own", "left_out"),
    [
        ("--experimental-require-module", "--no-experimental-require-module"),
        ("--max-old-space-size=900 --enable-source-maps", "--max-old-space-size=116"),
        ("--max_old_space_size=900", "--max-old-space-size=116"),
    ],
)
def test_a_functions_own_options_stand(own: str, left_out: str) -> None:
    memory = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"}
    without = node_options("20.20.2", memory | {"NODE_OPTIONS": own})
    assert set(node_options("20.20.2", memory)) - set(without) == {left_out}


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"NODE_ENV": "production", "NODE_PATH": "/opt/x"},
        {"TZ": "Asia/Tokyo"},
        {"PATH": "/opt/bin"},
        {"COLOUR": "blue", "MY_NODE_OPTIONS": "--x", "DOWNLOAD_DIR": "/tmp"},
    ],
)
def test_functions_that_can_use_a_worker(variables: dict[str, str]) -> None:
    assert can_use_node_worker(WORKER | variables, WORKER)


@pytest.mark.parametrize(
    "variables",
    [
        {"NODE_OPTIONS": "--enable-source-maps"},
        {"NODE_EXTRA_CA_CERTS": "/var/task/ca.pem"},
        {"NODE_SOMETHING_NEW": "1"},
        {"UV_THREADPOOL_SIZE": "16"},
        {"OPENSSL_CONF": "/var/task/openssl.cnf"},
        {"LD_PRELOAD": "/opt/lib/x.so"},
        {"LD_LIBRARY_PATH": "/var/task/lib"},
        {"LANG": "de_DE.UTF-8"},
        {"LC_ALL": "C"},
        {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"},
    ],
)
def test_functions_that_cannot(variables: dict[str, str]) -> None:
    assert not can_use_node_worker(WORKER | variables, WORKER)


def test_a_variable_that_the_function_takes_away_counts_too() -> None:
    assert not can_use_node_worker({"TZ": ":UTC", "LD_LIBRARY_PATH": "/opt/lib"}, WORKER)


def test_ruby_is_started_with_its_bootstrap_alone_so_that_a_wrapper_can_put_options_before_it() -> None:
    command = ("/usr/bin/ruby", "/var/runtime/bootstrap.rb")
    assert PROGRAMS["ruby"].argv(RUBY, {}) == command
    wrapped = PROGRAMS["ruby"].argv(RUBY, {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"})
    assert wrapped == ("/bin/sh", "/var/runtime/wrapped.sh", *command)


def test_a_waiting_ruby_is_a_zygote() -> None:
    waiting = PROGRAMS["ruby"].waiting
    assert waiting is not None
    assert waiting.start is WorkerStart.FORK
    assert waiting.argv(RUBY, 512) == ("/usr/bin/ruby", "/var/runtime/bootstrap.rb", "--zygote")


def test_rubys_environment_is_the_one_of_the_functions_runtime_whichever_ruby_serves_it() -> None:
    completed = PROGRAMS["ruby"].completed
    assert completed is not None
    close = Interpreter("ruby3.4", "3.1.2", RUBY.executable, RUBY.prefix, RUBY.executable_inside, ())
    assert "/opt/ruby/gems/3.4.0" in completed(close, dict(OVERRIDABLE))["GEM_PATH"]


def test_every_wrapper_script_is_the_same() -> None:
    scripts = {path.read_text() for path in (Path(lampion.__file__).parent / "runtimes").glob("*/wrapped.sh")}
    assert len(scripts) == 1
