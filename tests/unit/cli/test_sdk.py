"""`lampion sdk` with files that are there, and with a pip that finds its packages in a directory."""

import base64
import hashlib
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lampion.cli.failure import ExitCode
from lampion.store.data_directory import open_data_directory
from tests.unit.cli.conftest import Ran

RUNTIME = f"python3.{sys.version_info.minor}"
Lampion = Callable[..., Ran]


@pytest.fixture
def lampion(lampion: Lampion, tmp_path: Path) -> Lampion:
    """With a data directory of the test's own."""
    return lambda *arguments: lampion("sdk", *arguments, "--data", str(tmp_path / "data"))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    directory = tmp_path / "files"
    for name, text in (("boto3", "__version__ = '9.8.7'\n"), ("botocore", "")):
        (directory / name).mkdir(parents=True)
        (directory / name / "__init__.py").write_text(text)
    return directory


def test_files_that_are_there_are_installed_listed_and_removed(lampion: Lampion, files: Path, tmp_path: Path) -> None:
    assert lampion("ls").out == b""
    for _ in range(2):
        ran = lampion("install", "python3.8", "python3.12", "--from", str(files))
        assert (ran.code, ran.err) == (0, "")
        assert ran.out == b"python3.8    boto3 9.8.7\npython3.12   boto3 9.8.7\n"
    assert sorted(path.name for path in (tmp_path / "data/sdk").iterdir()) == ["python3.12", "python3.8"]
    assert lampion("ls").out == b"python3.8    boto3 9.8.7\npython3.12   boto3 9.8.7\n"
    assert b'"version": "9.8.7"' in lampion("ls", "--json").out
    assert lampion("remove", "python").out == b"python3.8\npython3.12\n"
    ran = lampion("remove", "python")
    assert (ran.code, ran.out) == (ExitCode.NOT_FOUND, b"")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("install", "cobol"), ExitCode.USAGE, "cobol is no runtime that has an SDK here"),
        (("install", "ruby3.3"), ExitCode.USAGE, "AWS's gems for Ruby aren't installed by this command"),
        (("install", "python3.7"), ExitCode.USAGE, "python3.7 is no runtime that has an SDK here"),
        (("install", "java21"), ExitCode.USAGE, "java21 is no runtime that has an SDK here"),
        (("install", "python3.12", "--from", "/nowhere"), ExitCode.USAGE, "there is no boto3 in /nowhere"),
        (("install", "python3.12", "nodejs22.x", "--package", "x"), ExitCode.USAGE, "--package is for one language"),
        (("remove", "nodejs22.x"), ExitCode.NOT_FOUND, "no SDK is installed for nodejs22.x"),
    ],
)
def test_what_cannot_be_done_says_why(
    lampion: Lampion, tmp_path: Path, arguments: tuple[str, ...], code: ExitCode, said: str
) -> None:
    ran = lampion(*arguments)
    assert ran.code == code
    assert said in ran.err
    assert "fix: " in ran.err
    sdks = tmp_path / "data/sdk"
    assert not sdks.exists() or list(sdks.iterdir()) == []


def test_a_wrong_directory_leaves_what_was_installed(lampion: Lampion, files: Path, tmp_path: Path) -> None:
    lampion("install", "python3.12", "--from", str(files))
    assert lampion("install", "python3.12", "--from", str(tmp_path)).code == ExitCode.USAGE
    assert lampion("ls").out == b"python3.12   boto3 9.8.7\n"


def wheel(directory: Path, name: str, content: str) -> None:
    """A package as pip finds it."""
    files = {
        f"{name}/__init__.py": content,
        f"{name}-9.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.0\n",
        f"{name}-9.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},\n"
        for path, text in files.items()
    )
    with zipfile.ZipFile(directory / f"{name}-9.0-py3-none-any.whl", "w") as archive:
        for path, text in (files | {f"{name}-9.0.dist-info/RECORD": record}).items():
            archive.writestr(path, text)


def test_pip_installs_from_where_it_is_configured_to(
    lampion: Lampion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(tmp_path, "boto3", "__version__ = '9.0'\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    ran = lampion("install", RUNTIME)
    assert ran.code == ExitCode.USAGE, "botocore is missing"
    ran = lampion("install", RUNTIME, "--package", "botocore")
    assert ran.code == ExitCode.NOT_INSTALLED
    assert "botocore" in ran.err.partition("why: ")[2]
    assert list((tmp_path / "data/sdk").iterdir()) == []
    wheel(tmp_path, "botocore", "")
    ran = lampion("install", RUNTIME, "--package", "botocore")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.decode() == f"{RUNTIME:12} boto3 9.0\n"


def test_beside_a_server_it_says_that_this_one_uses_what_was_there_before(
    lampion: Lampion, files: Path, tmp_path: Path
) -> None:
    data = open_data_directory(tmp_path / "data")
    data.announce(endpoint="http://127.0.0.1:9", account_id="123456789012", region="us-east-1")
    try:
        for arguments in (("install", "python3.12", "--from", str(files)), ("remove", "python3.12")):
            ran = lampion(*arguments)
            assert ran.code == 0
            assert ran.err == "Restart the server at http://127.0.0.1:9: it uses what was there when it started.\n"
    finally:
        data.close()
