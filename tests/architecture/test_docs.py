"""The documentation keeps up: generated pages are current, links lead somewhere, promises name their proof."""

import ast
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from lampion.config import options
from scripts.reference_pages import PAGES
from tests.architecture.tree import ROOT, code_files, our_files, parsed, text_of

PAGES_OF_TEXT = [path for path in our_files() if path.suffix == ".md"]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
SHELL_BLOCK = re.compile(r"(?:^<!-- (?P<note>.+?) -->\n)?^```(?:sh|bash|shell|console)\n", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_generated_pages_are_current(page: str) -> None:
    assert text_of(Path(page)) == PAGES[page](), "run: make docs"


def test_every_setting_is_documented() -> None:
    page = text_of(Path("docs/reference/settings.md"))
    assert [option.name for option in options() if option.flag not in page or option.variable not in page] == []


def test_pages_that_the_code_points_to_exist() -> None:
    mentioned = {page for path in code_files() for page in re.findall(r"docs/[\w/-]+\.md", text_of(path))}
    assert sorted(page for page in mentioned if not (ROOT / page).is_file()) == []


@pytest.mark.parametrize("page", PAGES_OF_TEXT, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(text_of(page)) if "://" not in link]
    missing = [target for target in targets if target and not (ROOT / page.parent / unquote(target)).exists()]
    assert missing == []


def test_every_promise_names_tests_that_exist() -> None:
    rows = [row for row in text_of(Path("docs/SPECIFICATION.md")).splitlines() if re.match(r"\| (?!Promise|-)", row)]
    assert rows
    for row in rows:
        proofs = TEST.findall(row)
        assert proofs, f"no test proves: {row}"
        for path, name in proofs:
            assert (ROOT / path).is_file(), row
            assert not name or name in functions_in(Path(path)), f"{path} has no {name}"


def functions_in(path: Path) -> set[str]:
    return {node.name for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("page", PAGES_OF_TEXT, ids=str)
def test_shell_blocks_are_run_or_say_why_not(page: Path) -> None:
    notes = [block["note"] or "" for block in SHELL_BLOCK.finditer(text_of(page))]
    assert [note for note in notes if not note.startswith(("run: ", "not run: "))] == []
