"""Tables of file systems in the configuration file, and refusals that name table and member."""

from pathlib import Path

import pytest

from lampion.config import SettingError, settings_from
from lampion.domain.file_system import AccessPoint, CreationInfo

EFS = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"
S3_FILES = "arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0"
NEEDED = 'directory = "/srv/files"\nuid = 1001\ngid = 1002\n'


def read(directory: Path, text: str) -> dict[str, AccessPoint]:
    file = directory / "lampion.toml"
    file.write_text(text, encoding="utf-8")
    return dict(settings_from({"config": str(file)}, {}).file_systems)


def test_an_access_point_is_a_directory_a_user_and_a_part_of_it(tmp_path: Path) -> None:
    text = f"""
        [file_systems."{EFS}"]
        directory = "/srv/files"
        root_directory = "/teams//one/"
        uid = 1001
        gid = 1002
        creation = {{ owner_uid = 0, owner_gid = 1002, permissions = "0750" }}
        [file_systems."{S3_FILES}"]
        {NEEDED}
    """
    found = read(tmp_path, text)
    assert found[EFS] == AccessPoint(
        directory=Path("/srv/files"),
        uid=1001,
        gid=1002,
        root_directory="/teams/one",
        creation=CreationInfo(owner_uid=0, owner_gid=1002, permissions=0o750),
    )
    assert found[EFS].beneath == "teams/one"
    assert found[S3_FILES] == AccessPoint(directory=Path("/srv/files"), uid=1001, gid=1002)
    assert found[S3_FILES].beneath == ""


def test_without_tables_there_is_none() -> None:
    assert settings_from({}, {}).file_systems == {}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("", "is missing"),
        ('directory = "/srv/files"\nuid = 1001', "is missing"),
        (NEEDED + "mode = 1", "is not known there"),
        (NEEDED.replace("/srv", "srv"), "is no directory"),
        (NEEDED.replace("/srv", "/srv/.."), "is no directory"),
        (NEEDED.replace('"/srv/files"', "7"), "is no directory"),
        (NEEDED.replace("1001", "0"), "would let functions write as root on this machine"),
        (NEEDED.replace("1002", "0"), "would let functions write as root on this machine"),
        (NEEDED.replace("1001", "true"), "is no id"),
        (NEEDED.replace("1001", "-1"), "is no id"),
        (NEEDED.replace("1001", "4294967295"), "is no id"),
        (NEEDED.replace("1001", '"me"'), "is no id"),
        (NEEDED + 'root_directory = "app"', "is no root directory"),
        (NEEDED + 'root_directory = "/app/../.."', "leads out of the file system"),
        (NEEDED + "creation = 1", "is no table"),
        (NEEDED + "creation = { owner_uid = 1, owner_gid = 1 }", "is missing"),
        (NEEDED + 'creation = { owner_uid = 1, owner_gid = 1, permissions = "rwx" }', "is no mode"),
        (NEEDED + "creation = { owner_uid = 1, owner_gid = 1, permissions = 755 }", "is no mode"),
    ],
)
def test_what_cant_be_used_is_named_with_its_table(tmp_path: Path, change: str, problem: str) -> None:
    with pytest.raises(SettingError) as refusal:
        read(tmp_path, f'[file_systems."{EFS}"]\n{change}\n')
    assert refusal.value.source == f'[file_systems."{EFS}"]'
    assert refusal.value.problem == problem
    assert refusal.value.fix.endswith(".")


@pytest.mark.parametrize("name", ["shared", EFS[:-1], "arn:aws:s3:::bucket", f"{EFS}/x", "*"])
def test_a_table_is_named_by_the_arn_of_an_access_point(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError, match="is no ARN of an access point"):
        read(tmp_path, f'[file_systems."{name}"]\n{NEEDED}')
