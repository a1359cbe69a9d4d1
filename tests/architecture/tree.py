"""The checkout's own files, as the checks of this folder look at them: what is tracked, never what tools left."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "lampion"
OUR_FOLDERS = (".ci", "benchmarks", "docs", "examples", "requirements", "scripts", "src", "tests")
SKIPPED = {"__pycache__", "node_modules", ".hypothesis", "results"}
SKIPPED_SUFFIXES = (".egg-info",)
CODE_SUFFIXES = {".py", ".c", ".h", ".mjs", ".cjs", ".js", ".sh", ".sql"}


@cache
def our_files() -> tuple[Path, ...]:
    """Every file that belongs to the project, relative to ROOT."""
    top = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    inside = [path for folder in OUR_FOLDERS for path in _walk(ROOT / folder)]
    return tuple(sorted(path.relative_to(ROOT) for path in [*top, *inside]))


def _walk(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name in SKIPPED or path.name.endswith(SKIPPED_SUFFIXES):
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def code_files() -> list[Path]:
    return [path for path in our_files() if path.suffix in CODE_SUFFIXES]


def python_files(*folders: str) -> list[Path]:
    """Python files below the folders, relative to ROOT."""
    return [path for path in our_files() if path.suffix == ".py" and str(path).startswith(folders)]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


@cache
def text_of(path: Path) -> str:
    """The file's text; empty when it isn't text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
