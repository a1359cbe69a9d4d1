"""Which program a function brings, and what is said of one that can't be run."""

import json
from pathlib import Path

import pytest

from lampion.environments.endings import Answer, CannotStart, NoProgram
from lampion.environments.own_programs import not_executed, own_program
from lampion.sandbox.spec import Mount


def mounts(tmp_path: Path, task: str, opt: str) -> list[Mount]:
    """Code and layers with `bootstrap` as a file, a link, a directory, or not at all."""
    made = []
    for target, kind in (("/var/task", task), ("/opt", opt)):
        directory = tmp_path / target.lstrip("/").replace("/", "-")
        directory.mkdir()
        place = directory / "bootstrap"
        match kind:
            case "file":
                place.touch()
            case "link":
                place.symlink_to("/opt/elsewhere")
            case "directory":
                place.mkdir()
        made.append(Mount(directory, target))
    return made


@pytest.mark.parametrize(
    ("task", "opt", "program"),
    [
        ("file", "file", "/var/task/bootstrap"),
        ("file", "", "/var/task/bootstrap"),
        ("link", "file", "/var/task/bootstrap"),
        ("", "file", "/opt/bootstrap"),
        ("directory", "file", "/opt/bootstrap"),
    ],
)
def test_the_codes_bootstrap_comes_before_the_layers(tmp_path: Path, task: str, opt: str, program: str) -> None:
    assert own_program("provided", "any", mounts(tmp_path, task, opt)) == program


@pytest.mark.parametrize(("task", "opt"), [("", ""), ("directory", "directory")])
def test_without_one_the_function_cannot_start(tmp_path: Path, task: str, opt: str) -> None:
    with pytest.raises(CannotStart) as raised:
        own_program("provided", "any", mounts(tmp_path, task, opt))
    why = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
    assert raised.value.ending == NoProgram("Runtime.InvalidEntrypoint", why)


def test_go_names_its_program_in_the_handler() -> None:
    assert own_program("go", "bin/main", []) == "/var/task/bin/main"


def test_the_systems_word_is_written_as_go_writes_it() -> None:
    why = "fork/exec /opt/bootstrap: exec format error"
    told = not_executed("provided", "/opt/bootstrap", "Exec format error")
    assert told == NoProgram("Runtime.InvalidEntrypoint", why)


def test_of_go_awss_runtime_told_it_itself() -> None:
    told = not_executed("go", "/var/task/main", "No such file or directory")
    assert isinstance(told, Answer)
    message = "fork/exec /var/task/main: no such file or directory"
    assert json.loads(told.payload) == {"errorMessage": message, "errorType": "PathError"}
    assert told.error_type == "PathError"
