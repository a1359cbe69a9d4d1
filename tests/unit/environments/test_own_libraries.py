"""Whether a function brings shared libraries, for which its process has to be started anew."""

from pathlib import Path

import pytest

from lampion.environments.own_libraries import has_libraries


@pytest.mark.parametrize(
    ("file", "has_them"),
    [
        ("lib/libown.so", True),
        ("lib/libown.so.1.2", True),
        ("lib/own.jar", False),
        ("libown.so", False),
        ("lib/deeper/libown.so", False),
        ("lib", False),
    ],
)
def test_shared_libraries_in_lib_of_any_version(file: str, has_them: bool, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    assert has_libraries(tmp_path) == has_them


def test_without_lib_there_are_none(tmp_path: Path) -> None:
    assert not has_libraries(tmp_path)
