"""Nothing here turns data into code or runs a shell, and no file knows one machine or one package registry."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.calls import calls_of, imports_of
from tests.architecture.tree import our_files, parsed, python_files, text_of

DATA_AS_CODE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "yaml"}
DATA_AS_CODE_CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "subprocess.getoutput"}

# Written in parts, so that this file doesn't find itself.
ONE_MACHINE = re.compile(
    "|".join([r"/ro" r"ot/\.", r"/ho" r"me/[a-z]+/", r"/wo" r"rk/(?:main|shared)", r"/op" r"t/pypi"])
)
REGISTRIES = re.compile(
    "|".join([r"pypi\." r"org", r"python" r"hosted", r"npm" r"js\.", r"deb\.deb" r"ian", r"proxy\.gol" r"ang"])
)

NEEDED_BY_OTHERS = {"cffi", "pycparser"}
"""By what is declared."""

PRODUCT = ("src/", "examples/", "scripts/")
EVERYTHING = ("src/", "examples/", "scripts/", "tests/", "benchmarks/")


def test_no_data_becomes_code() -> None:
    found = [
        f"{path}:{line} {name}"
        for path in python_files(*PRODUCT)
        for line, name in [
            *((line, name) for line, name in imports_of(parsed(path)) if name in DATA_AS_CODE_MODULES),
            *((line, name) for line, name, _ in calls_of(parsed(path)) if name in DATA_AS_CODE_CALLS),
        ]
    ]
    assert found == []


def test_no_shell_is_ever_started() -> None:
    shells = [
        f"{path}:{line}"
        for path in python_files(*EVERYTHING)
        for line, _, call in calls_of(parsed(path))
        for keyword in call.keywords
        if keyword.arg == "shell" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
    ]
    assert shells == []


@pytest.mark.parametrize("pattern", [ONE_MACHINE, REGISTRIES], ids=["paths of one machine", "package registries"])
def test_no_file_mentions(pattern: re.Pattern[str]) -> None:
    found = [
        f"{path}:{number} {match[0]}"
        for path in our_files()
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if (match := pattern.search(line))
    ]
    assert found == []


def test_nothing_is_left_to_be_done_in_the_code() -> None:
    unfinished = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
    assert [str(path) for path in python_files(*EVERYTHING) if unfinished.search(text_of(path))] == []


def test_locked_packages_carry_hashes_and_no_addresses() -> None:
    for name in ("runtime", "dev"):
        lines = text_of(Path(f"requirements/{name}.lock")).splitlines()
        pinned = [number for number, line in enumerate(lines) if re.match(r"[a-z0-9-]+==", line)]
        assert pinned, name
        assert [lines[number] for number in pinned if "--hash=sha256:" not in lines[number + 1]] == []
        assert [line for line in lines if "://" in line or line.startswith("-")] == []


def test_what_the_package_declares_is_what_is_locked() -> None:
    declared = re.findall(r'^  "([a-z]+)>=', text_of(Path("pyproject.toml")), flags=re.MULTILINE)
    wanted = re.findall(r"^([a-z]+)>=", text_of(Path("requirements/runtime.in")), flags=re.MULTILINE)
    locked = re.findall(r"^([a-z]+)==", text_of(Path("requirements/runtime.lock")), flags=re.MULTILINE)
    assert declared == wanted == [name for name in locked if name not in NEEDED_BY_OTHERS]
