"""One tree over another: directories are merged, all else gives way, and nothing is written through a link."""

from pathlib import Path

import pytest

from lampion.code.layering import lay_over

Content = dict[str, str | None]
"""Path to text; "-> target" is a link, None an empty directory."""


def make(root: Path, content: Content) -> Path:
    root.mkdir()
    for name, text in content.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.mkdir()
        elif text.startswith("-> "):
            path.symlink_to(text.removeprefix("-> "))
        else:
            path.write_text(text)
    return root


def content(root: Path) -> Content:
    found: Content = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = path.read_text()
        elif not any(path.iterdir()):
            found[name] = None
    return found


@pytest.mark.parametrize(
    ("lower", "upper", "merged"),
    [
        ({"a": "1", "d/b": "1"}, {"c": "2", "d/e": "2"}, {"a": "1", "c": "2", "d/b": "1", "d/e": "2"}),
        ({"a": "1", "d/a": "1"}, {"a": "2", "d/a": "2"}, {"a": "2", "d/a": "2"}),
        ({"d/deep/er/a": "1"}, {"d/deep/er/b": "2"}, {"d/deep/er/a": "1", "d/deep/er/b": "2"}),
        ({"a": "1"}, {"a/b": "2"}, {"a/b": "2"}),
        ({"a/b": "1", "a/c/d": "1"}, {"a": "2"}, {"a": "2"}),
        ({"d/a": "1"}, {"d": None}, {"d/a": "1"}),
        ({}, {"d": None}, {"d": None}),
        ({"a": "1"}, {}, {"a": "1"}),
        ({"l": "-> there", "there": "1"}, {"l": "2"}, {"l": "2", "there": "1"}),
        ({"there/x": "1", "l": "-> there"}, {"l/x": "2"}, {"l/x": "2", "there/x": "1"}),
        ({"d/x": "1"}, {"d": "-> e", "e/x": "2"}, {"d": "-> e", "e/x": "2"}),
        ({"l": "-> nowhere"}, {"l": "-> elsewhere"}, {"l": "-> elsewhere"}),
    ],
)
def test_what_lies_over_what(tmp_path: Path, lower: Content, upper: Content, merged: Content) -> None:
    target = make(tmp_path / "lower", lower)
    lay_over(make(tmp_path / "upper", upper), target)
    assert content(target) == merged
    assert not (tmp_path / "upper").exists()


def test_a_link_out_of_the_lower_tree_leads_nothing_there(tmp_path: Path) -> None:
    outside = make(tmp_path / "outside", {"x": "safe"})
    target = make(tmp_path / "lower", {"l": f"-> {outside}", "f": f"-> {outside}/x"})
    lay_over(make(tmp_path / "upper", {"l/x": "2", "l/y": "2", "f": "2"}), target)
    assert content(outside) == {"x": "safe"}
    assert content(target) == {"f": "2", "l/x": "2", "l/y": "2"}


def test_modes_are_those_of_what_lies_above(tmp_path: Path) -> None:
    lower, upper = make(tmp_path / "lower", {"program": "1"}), make(tmp_path / "upper", {"program": "2"})
    (upper / "program").chmod(0o755)
    lay_over(upper, lower)
    assert (lower / "program").stat().st_mode & 0o777 == 0o755
