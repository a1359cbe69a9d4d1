"""What the doctor says of the directories that are functions' file systems."""

import os
from pathlib import Path

import pytest

from lampion.cli.doctor_file_systems import file_system_findings
from lampion.domain.file_system import AccessPoint

ARN = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"
NAME = "file-system-fsap-0123456789abcdef0"


def found(directory: Path, *, driver: str = "namespace", uid: int = 7, gid: int = 8) -> list[tuple[str, str]]:
    access_point = AccessPoint(directory=directory, uid=uid, gid=gid)
    return [(one.name, one.mend) for one in file_system_findings({ARN: access_point}, driver)]


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getegid", lambda: 1001)


def test_a_directory_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert found(tmp_path) == []
    assert found(tmp_path / "gone") == [(NAME, f"install -d -o 7 -g 8 {tmp_path}/gone")]


@pytest.mark.usefixtures("as_user")
def test_a_user_that_the_server_cant_act_as(tmp_path: Path) -> None:
    assert found(tmp_path, uid=1000, gid=1001) == []
    mend = "start the server as root, or set uid = 1000 and gid = 1001 in the configuration file"
    assert found(tmp_path) == [(NAME, mend)]
    assert found(tmp_path, uid=1000) == [(NAME, mend)]


@pytest.mark.parametrize("driver", ["process", "oci"])
def test_a_driver_that_gives_none(tmp_path: Path, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert found(tmp_path, driver=driver) == [("file-systems", "lampion serve --sandbox namespace")]
    assert list(file_system_findings({}, driver)) == []
