"""Which SDK a directory holds, what of it functions need, and how it comes and goes."""

import json
import os
from pathlib import Path

import pytest

from lampion.code.runtimes import catalogue
from lampion.code.sdk_directory import copy_files, put_in_place, remove, staging_directory
from lampion.code.sdks import SDKS, installed_sdk, npm_arguments, pip_arguments

RUNTIMES = catalogue().runtimes


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        file = root / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def version(root: Path, runtime: str) -> str | None:
    found = installed_sdk(root, RUNTIMES[runtime])
    return None if found is None else str(found)


def test_boto3_is_told_by_its_version(tmp_path: Path) -> None:
    here = tmp_path / "python3.12"
    assert version(tmp_path, "python3.12") is None
    (here / "boto3").mkdir(parents=True)
    (here / "boto3/__init__.py").write_text("import x\n__version__ = '1.2.3'\n")
    assert version(tmp_path, "python3.12") is None, "botocore is missing"
    (here / "botocore").mkdir()
    (here / "botocore/__init__.py").write_text("")
    assert version(tmp_path, "python3.12") == "boto3 1.2.3"
    (here / "boto3/__init__.py").write_bytes(b"\xff")
    assert version(tmp_path, "python3.12") == "boto3 of an unknown version"
    assert version(tmp_path, "java21") is None


def test_the_javascript_sdk_is_told_by_its_newest_client(tmp_path: Path) -> None:
    modules = tmp_path / "nodejs22.x/node_modules"
    for name, text in (("client-a", "3.9.0"), ("client-b", "3.10.0"), ("types", "9.9.9")):
        (modules / "@aws-sdk" / name).mkdir(parents=True)
        (modules / "@aws-sdk" / name / "package.json").write_text(json.dumps({"version": text}))
    assert version(tmp_path, "nodejs22.x") == "AWS SDK for JavaScript 3.10.0"
    for spoiled in ("{", "[]", '{"version": 3}'):
        (modules / "@aws-sdk/client-b/package.json").write_text(spoiled)
        assert version(tmp_path, "nodejs22.x") == "AWS SDK for JavaScript 3.9.0"
    (tmp_path / "nodejs16.x/node_modules/aws-sdk").mkdir(parents=True)
    (tmp_path / "nodejs16.x/node_modules/aws-sdk/package.json").write_text('{"version": "2.1.0"}')
    assert version(tmp_path, "nodejs16.x") == "AWS SDK for JavaScript 2.1.0"


@pytest.mark.parametrize(
    ("runtime", "expected"),
    [
        ("python3.9", ("boto3", "urllib3<1.27")),
        ("python3.10", ("boto3",)),
        ("nodejs16.x", ("aws-sdk@2",)),
    ],
)
def test_what_is_installed_depends_on_the_runtime(runtime: str, expected: tuple[str, ...]) -> None:
    assert SDKS[RUNTIMES[runtime].language].packages(RUNTIMES[runtime]) == expected


def test_version_3_is_the_last_that_node_18_runs_and_else_the_newest() -> None:
    packages = SDKS["nodejs"].packages
    assert "@aws-sdk/client-s3@<3.968.0" in packages(RUNTIMES["nodejs18.x"])
    assert "@aws-sdk/client-s3" in packages(RUNTIMES["nodejs20.x"])


@pytest.mark.parametrize(
    ("language", "path", "is_kept"),
    [
        ("python", "boto3/__init__.py", True),
        ("python", "botocore/data/s3/2006-03-01/service-2.json.gz", True),
        ("python", "boto3-1.dist-info/METADATA", True),
        ("python", "boto3/__pycache__/x.pyc", False),
        ("python", "bin/jp.py", False),
        ("python", ".lock", False),
        ("nodejs", "node_modules/@aws-sdk/client-s3/dist-cjs/index.js", True),
        ("nodejs", "node_modules/@aws-sdk/client-s3/package.json", True),
        ("nodejs", "node_modules/@aws-sdk/client-s3/dist-es/index.js", False),
        ("nodejs", "node_modules/@aws-sdk/client-s3/dist-types/index.d.ts", False),
        ("nodejs", "node_modules/tslib/tslib.d.ts", False),
        ("nodejs", "node_modules/tslib/tslib.js.map", False),
        ("nodejs", "node_modules/.package-lock.json", False),
        ("nodejs", "package.json", False),
    ],
)
def test_what_functions_need(language: str, path: str, is_kept: bool) -> None:
    assert SDKS[language].is_kept(Path(path)) is is_kept


def test_installers_are_told_for_which_python_and_run_no_scripts() -> None:
    assert "--python-version=3.8" in pip_arguments(Path("/t"), ("boto3",), "3.8")
    assert "--implementation=cp" not in pip_arguments(Path("/t"), ("boto3",))
    assert pip_arguments(Path("/t"), ("boto3",))[-3:] == ("--target", "/t", "boto3")
    assert "--no-compile" in pip_arguments(Path("/t"), ("boto3",))  # the server compiles what it mounts
    assert "--ignore-scripts" in npm_arguments(Path("/t"), ("x",))


def test_an_sdk_comes_and_goes_as_a_whole(tmp_path: Path) -> None:
    root = tmp_path / "sdk/python3.12"
    for text in ("first", "second"):
        source = write(tmp_path / text, **{f"{text}.py": text, "a__b.py": text})
        with staging_directory(tmp_path / "sdk") as staging:
            assert copy_files(source, staging / "ready", lambda path: True) == 2
            put_in_place(staging, staging / "ready", root)
            assert not (staging / "before").exists()
        assert sorted(path.name for path in root.rglob("*.py")) == sorted((f"{text}.py", "b.py"))
    assert remove(root)
    assert not remove(root)
    assert list((tmp_path / "sdk").iterdir()) == []


def test_what_a_killed_install_leaves_goes_with_the_next_one_but_not_what_is_in_use(tmp_path: Path) -> None:
    left = tmp_path / "sdk/.new-left"
    write(left / "fetched", half="x")
    with staging_directory(tmp_path / "sdk") as first, staging_directory(tmp_path / "sdk") as second:
        assert sorted((tmp_path / "sdk").iterdir()) == sorted((first, second))
    assert list((tmp_path / "sdk").iterdir()) == []


def test_links_are_not_followed_and_what_is_there_stays(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", secret="x")
    source, target = write(tmp_path / "source", a__one="new", two="new"), write(tmp_path / "t", two="old")
    (source / "file").symlink_to(outside / "secret")
    (source / "directory").symlink_to(outside)
    (source / "two").chmod(0o600)
    assert copy_files(source, target, lambda path: True) == 1
    assert sorted(path.name for path in target.rglob("*")) == ["a", "one", "two"]
    assert (target / "two").read_text() == "old"
    assert (target / "a/one").stat().st_mode & 0o777 == 0o644


def test_functions_may_read_what_was_installed_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        source = write(tmp_path / "source", a__one="x")
        copy_files(source, tmp_path / "target", lambda path: True)
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "target").rglob("*")}
    assert modes == {0o755, 0o644}


def test_the_new_sdk_is_there_before_the_old_one_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "sdk/python3.12", old="x")
    seen = []
    with staging_directory(tmp_path / "sdk") as staging:
        new = write(staging / "ready", new="x")
        monkeypatch.setattr(
            "shutil.rmtree", lambda path, ignore_errors: seen.append([path.name for path in root.iterdir()])
        )
        put_in_place(staging, new, root)
        monkeypatch.undo()
    assert seen == [["new"]]
