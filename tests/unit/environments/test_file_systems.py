"""From an access point to the host directory that stands for it, and what is answered while that one hangs."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from lampion.clock.clock import SystemClock
from lampion.domain.errors import ApiError
from lampion.domain.file_system import AccessPoint
from lampion.environments import file_systems
from lampion.environments.file_systems import FileSystems
from lampion.sandbox.driver import DirectoryRefused
from lampion.sandbox.spec import SharedDirectory
from tests.component.environments.stage import FUNCTION

ARN = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"
MOUNTING = replace(
    FUNCTION,
    configuration=replace(FUNCTION.configuration, file_system_configs=({"Arn": ARN, "LocalMountPath": "/mnt/files"},)),
)


def of(directory: Path, root_directory: str = "/") -> FileSystems:
    access_point = AccessPoint(directory=directory, uid=7, gid=8, root_directory=root_directory)
    return FileSystems({ARN: access_point}, SystemClock())


async def test_the_directory_is_shared_as_the_access_points_user(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    assert await of(tmp_path, "/a/b").directory_of(MOUNTING) == SharedDirectory(
        source=tmp_path, beneath="a/b", target="/mnt/files", user_id=7, group_id=8
    )
    assert await of(tmp_path).directory_of(FUNCTION) is None


@pytest.mark.parametrize(
    ("directory", "root_directory", "code"),
    [
        ("file", "/", "EFSMountConnectivityException"),
        ("gone", "/", "EFSMountConnectivityException"),
        (".", "/file", "EFSMountFailureException"),
        (".", "/gone", "EFSMountFailureException"),
        (".", "/link", "EFSMountFailureException"),
        (".", "/link/inner", "EFSMountFailureException"),
        (".", "/file/inner", "EFSMountFailureException"),
    ],
)
async def test_what_isnt_there_is_told_by_where_it_is_missing(tmp_path, directory, root_directory, code):
    (tmp_path / "file").touch()
    (tmp_path / "there/inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("there")
    with pytest.raises(ApiError) as refusal:
        await of(tmp_path / directory, root_directory).directory_of(MOUNTING)
    assert refusal.value.code == code


async def test_a_directory_that_hangs_holds_up_one_thread_however_many_ask(tmp_path, monkeypatch):
    goes_on, asked = threading.Event(), []

    def hang(*arguments):
        asked.append(arguments)
        goes_on.wait(30)

    monkeypatch.setattr(file_systems, "ensure_directory", hang)
    monkeypatch.setattr(file_systems, "_MOUNT_SECONDS", 0.05)
    known = of(tmp_path)
    answers = await asyncio.gather(*(known.directory_of(MOUNTING) for _ in range(20)), return_exceptions=True)
    assert {getattr(answer, "code", "") for answer in answers} == {"EFSMountTimeoutException"}
    assert len(asked) == 1
    goes_on.set()
    monkeypatch.undo()
    while asyncio.all_tasks() - {asyncio.current_task()} or known._looking:
        await asyncio.sleep(0.01)
    assert (await known.directory_of(MOUNTING)) is not None


def test_what_the_sandbox_refuses_is_a_mount_failure(tmp_path):
    with pytest.raises(ApiError) as refusal:
        of(tmp_path).refused(MOUNTING, DirectoryRefused("file-system /srv: Invalid argument"))
    assert refusal.value.code == "EFSMountFailureException"
