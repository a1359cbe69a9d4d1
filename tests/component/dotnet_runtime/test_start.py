"""How an assembly is started: by a stand-in for .NET's program that says what it was started with."""

import subprocess
from pathlib import Path

import pytest

import lampion

BOOTSTRAP = Path(lampion.__file__).parent / "runtimes/dotnet/bootstrap.sh"
SAYS = '#!/bin/sh\necho "$LAMBDA_RUNTIME_NAME $0 $*"\n'


def program(path: Path, text: str = SAYS) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def start(task: Path, handler: str, **variables: str) -> tuple[int, str]:
    dotnet = program(task / "stand-in")
    environ = {"LAMBDA_TASK_ROOT": str(task), "_HANDLER": handler, "AWS_EXECUTION_ENV": "AWS_Lambda_dotnet8"}
    done = subprocess.run(
        ["/bin/sh", str(BOOTSTRAP), str(dotnet)], env=environ | variables, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


@pytest.mark.parametrize("handler", ["Hello", "Hello.dll"])
def test_the_handler_names_the_assembly(tmp_path: Path, handler: str) -> None:
    (tmp_path / "Hello.dll").touch()
    program(tmp_path / "Hello")  # the host that is built beside it
    assert start(tmp_path, handler) == (0, f"dotnet8 {tmp_path}/stand-in exec {tmp_path}/Hello.dll")


def test_a_compiled_program_is_run_as_it_is(tmp_path: Path) -> None:
    program(tmp_path / "Hello")
    assert start(tmp_path, "Hello") == (0, f"dotnet8 {tmp_path}/Hello")


def test_what_is_missing_is_said_in_awss_words(tmp_path: Path) -> None:
    text = f"Error: executable assembly {tmp_path}/Hello.dll or binary {tmp_path}/Hello not found."
    assert start(tmp_path, "Hello") == (104, text)
    assert start(tmp_path, "") == (103, "Error: No Lambda Handler function was specified.")


def test_an_exec_wrapper_gets_the_command(tmp_path: Path) -> None:
    (tmp_path / "Hello.dll").touch()
    wrapper = program(tmp_path / "wrapper", '#!/bin/sh\necho "wrapped $*"\n')
    told = start(tmp_path, "Hello", AWS_LAMBDA_EXEC_WRAPPER=str(wrapper))
    assert told == (0, f"wrapped {tmp_path}/stand-in exec {tmp_path}/Hello.dll")
    wrapper.chmod(0o644)
    told = start(tmp_path, "Hello", AWS_LAMBDA_EXEC_WRAPPER=str(wrapper))
    assert told == (126, f"{wrapper}: is not an executable")
    told = start(tmp_path, "Hello", AWS_LAMBDA_EXEC_WRAPPER="/no/such")
    assert told == (127, "/no/such: does not exist")
