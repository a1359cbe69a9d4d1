"""Files and functions that one can read at a sitting, in modules whose names say what is in them."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import code_files, parsed, python_files, text_of

FILE_LINES = 400
FUNCTION_LINES = 40
TEST_FUNCTION_LINES = 60

GRAB_BAGS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "shared",
    "tools",
    "lib",
    "manager",
    "base",
    "core",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {str(path): len(text_of(path).splitlines()) for path in code_files()}
    assert {path: lines for path, lines in lengths.items() if lines > FILE_LINES} == {}


def test_no_function_of_the_product_is_longer_than_40_lines() -> None:
    assert too_long(python_files("src/", "examples/", "scripts/"), FUNCTION_LINES) == {}


def test_no_test_function_is_longer_than_60_lines() -> None:
    assert too_long(python_files("tests/", "benchmarks/"), TEST_FUNCTION_LINES) == {}


def test_no_module_is_a_grab_bag() -> None:
    assert [str(path) for path in python_files("src/", "tests/", "benchmarks/") if path.stem in GRAB_BAGS] == []


def test_every_module_of_the_product_says_what_it_is_for() -> None:
    silent = [str(path) for path in python_files("src/") if text_of(path) and not ast.get_docstring(parsed(path))]
    assert silent == []


def too_long(paths: list[Path], limit: int) -> dict[str, int]:
    return {
        f"{str(path).removeprefix('src/lampion/')} {function.name}": lines
        for path in paths
        for function in functions_of(path)
        if (lines := body_lines(function)) > limit
    }


def functions_of(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(parsed(path)) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """Lines from `def` to the end, without the docstring: explaining is free."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        assert first.end_lineno is not None
        lines -= first.end_lineno - first.lineno + 1
    return lines
