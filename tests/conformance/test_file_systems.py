"""FileSystemConfigs through boto3: a directory of the host at /mnt, as the access point's user, for several."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deployment import Functions, functions, wait_updated
from tests.live_server import LiveServer, marked_directory

USER, GROUP = (1_234_567, 1_234_568) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
VPC = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
FILES = """
import os

def handler(event, context):
    path = f"{event['at']}/{event['name']}"
    if "text" in event:
        with open(path, "a") as file:
            file.write(event["text"])
    with open(path) as file:
        return {"text": file.read(), "own": os.stat(path).st_uid == os.getuid(), "opened": sorted(os.listdir("/mnt"))}
"""
NOTES = """
import os

def handler(event, context):
    return os.path.exists("/mnt/files/marker")
"""


def access_point(number: int, service: str = "elasticfilesystem") -> str:
    name = f"access-point/fsap-{number:017x}"
    place = f"file-system/fs-{1:017x}/{name}" if service == "s3files" else name
    return f"arn:aws:{service}:us-east-1:123456789012:{place}"


WHOLE, PART, MISSING_PART, GONE, UNKNOWN = map(access_point, range(5))
S3_FILES = access_point(7, "s3files")
UNKNOWN_S3_FILES = access_point(8, "s3files")


def mount(arn: str, at: str = "/mnt/files", **more: Any) -> dict[str, Any]:
    return {"VpcConfig": VPC, "FileSystemConfigs": [{"Arn": arn, "LocalMountPath": at, **more}]}


def table(arn: str, directory: Path, more: str = "") -> str:
    return f'[file_systems."{arn}"]\ndirectory = "{directory}"\nuid = {USER}\ngid = {GROUP}\n{more}\n'


@pytest.fixture(scope="module")
def files() -> Iterator[Path]:
    with marked_directory() as directory:
        os.chown(directory, USER, GROUP)
        yield directory


@pytest.fixture(scope="module")
def server(marked_root: Path, files: Path) -> Iterator[LiveServer]:
    creation = f'creation = {{ owner_uid = {USER}, owner_gid = {GROUP}, permissions = "0750" }}'
    configuration = marked_root / "file-systems.toml"
    configuration.write_text(
        table(WHOLE, files)
        + table(PART, files, f'root_directory = "/teams/one"\n{creation}')
        + table(MISSING_PART, files, 'root_directory = "/nowhere"')
        + table(GONE, files / "gone")
        + table(S3_FILES, files)
    )
    with LiveServer(data=marked_root / "file-systems", options=("--config", str(configuration))) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[Any]:
    client = server.client()
    yield client
    client.close()


@pytest.fixture
def make(client: Any) -> Iterator[Functions]:
    with functions(client, "files") as made:
        yield made


def has_file_systems(server: LiveServer) -> bool:
    return "WITHOUT isolation" not in server.output


@pytest.fixture
def isolated(server: LiveServer) -> None:
    """For tests in which a function has its file system."""
    if not has_file_systems(server):
        pytest.skip("only the sandbox driver namespace gives functions a file system")


def invoke(client: Any, function: str, /, **event: Any) -> Any:
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event))
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    return told


def refused(operation: Callable[..., Any], **parameters: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refusal:
        operation(**parameters)
    answer = refusal.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


@pytest.mark.usefixtures("isolated")
def test_what_one_function_writes_others_read_and_the_host_keeps(client: Any, make: Functions, files: Path) -> None:
    writer, reader = make(FILES, **mount(WHOLE)), make(FILES, **mount(WHOLE, "/mnt/other.name_1"))
    told = invoke(client, writer, at="/mnt/files", name="notes", text="one ")
    assert told == {"text": "one ", "own": True, "opened": ["files"]}
    told = invoke(client, reader, at="/mnt/other.name_1", name="notes", text="two")
    assert told == {"text": "one two", "own": True, "opened": ["other.name_1"]}
    assert invoke(client, writer, at="/mnt/files", name="notes")["text"] == "one two"
    assert ((files / "notes").stat().st_uid, (files / "notes").stat().st_gid) == (USER, GROUP)
    client.delete_function(FunctionName=writer)
    assert (files / "notes").read_text() == "one two"


@pytest.mark.usefixtures("isolated")
def test_an_access_point_shows_its_root_directory_which_is_made_when_it_is_to_be(
    client: Any, make: Functions, files: Path
) -> None:
    name = make(FILES, **mount(PART))
    invoke(client, name, at="/mnt/files", name="text", text="of team one")
    made = files / "teams/one"
    assert (made / "text").read_text() == "of team one"
    for directory in (made, made.parent):
        assert (directory.stat().st_uid, directory.stat().st_gid) == (USER, GROUP)
        assert directory.stat().st_mode & 0o7777 == 0o750


@pytest.mark.usefixtures("isolated")
def test_a_function_gets_and_loses_its_file_system_by_an_update(client: Any, make: Functions, files: Path) -> None:
    (files / "marker").write_text("there")
    name = make(NOTES)
    assert invoke(client, name) is False
    wanted = mount(S3_FILES, S3FilesConfig={"DirectS3Read": "ENABLED"})
    client.update_function_configuration(FunctionName=name, **wanted)
    wait_updated(client, name)
    assert invoke(client, name) is True
    kept = client.get_function_configuration(FunctionName=name)["FileSystemConfigs"]
    assert kept == wanted["FileSystemConfigs"]
    client.update_function_configuration(FunctionName=name, FileSystemConfigs=[])
    wait_updated(client, name)
    assert "FileSystemConfigs" not in client.get_function_configuration(FunctionName=name)
    assert invoke(client, name) is False


@pytest.mark.parametrize(
    ("arn", "status", "code"),
    [
        (UNKNOWN, 403, "EFSMountFailureException"),
        (MISSING_PART, 403, "EFSMountFailureException"),
        (GONE, 408, "EFSMountConnectivityException"),
        (UNKNOWN_S3_FILES, 403, "S3FilesMountFailureException"),
    ],
)
def test_a_file_system_that_isnt_there_fails_the_invocation_until_it_is(
    client: Any, make: Functions, files: Path, server: LiveServer, arn: str, status: int, code: str
) -> None:
    name = make(FILES, **mount(arn))
    told = refused(client.invoke, FunctionName=name)
    assert told[:2] == (status, code)
    assert arn in told[2]
    assert f"no file system at access point {arn}: " in server.output
    if arn == MISSING_PART and has_file_systems(server):
        (files / "nowhere").mkdir()
        os.chown(files / "nowhere", USER, GROUP)
        assert invoke(client, name, at="/mnt/files", name="text", text="here now")["text"] == "here now"
        shutil.rmtree(files / "nowhere")


def test_a_link_in_place_of_the_root_directory_isnt_followed(client: Any, make: Functions, files: Path) -> None:
    (files / "nowhere").symlink_to("/etc")
    name = make(FILES, **mount(MISSING_PART))
    assert refused(client.invoke, FunctionName=name)[1] == "EFSMountFailureException"
    (files / "nowhere").unlink()


def test_an_access_point_of_another_region_is_refused(client: Any, make: Functions) -> None:
    name = make(FILES)
    elsewhere = mount(WHOLE.replace("us-east-1", "eu-west-1"))
    status, code, message = refused(client.update_function_configuration, FunctionName=name, **elsewhere)
    assert (status, code) == (400, "InvalidParameterValueException")
    assert "must be in the same region" in message
    assert "FileSystemConfigs" not in client.get_function_configuration(FunctionName=name)


def test_without_isolation_there_is_no_file_system(start_server: Callable[..., LiveServer], tmp_path: Path) -> None:
    configuration = tmp_path / "lampion.toml"
    configuration.write_text(table(WHOLE, tmp_path))
    server = start_server("--config", str(configuration), "--sandbox", "process")
    client = server.client()
    with functions(client, "files") as make:
        name = make(FILES, **mount(WHOLE))
        assert refused(client.invoke, FunctionName=name)[:2] == (403, "EFSMountFailureException")
    assert "the sandbox driver process gives functions no file system" in server.output
    client.close()
