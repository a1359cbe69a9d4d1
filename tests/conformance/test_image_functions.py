"""Functions that are container images, from their push to the end of the last trace of them."""

import base64
import json
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lampion.code.images.manifests import OCI_INDEX
from tests.deployment import ROLE, unique_name, wait_active, wait_updated
from tests.images.making import Image, Item, archive, digest_of, directory, link, static_image
from tests.images.pushing import pushed, registry_of
from tests.images.python_image import python_image
from tests.live_server import LiveServer

HANDLER = """
import os, pathlib, sys

def handler(event, context):
    if event.get("fail"):
        raise ValueError("as asked")
    scratch = pathlib.Path("/tmp/here")
    scratch.write_text("written")
    return {
        "event": event,
        "name": context.function_name,
        "handler": os.environ["_HANDLER"],
        "environment": os.environ.get("AWS_EXECUTION_ENV"),
        "directory": os.getcwd(),
        "user": os.path.expanduser("~"),
        "scratch": scratch.read_text(),
        "cached": sys.modules["app"].__cached__,
    }
"""


@pytest.fixture
def make_image_function(lambda_client: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """`make(image_uri, **configuration)` creates and waits; the name."""
    names: list[str] = []

    def make(uri: str, **configuration: Any) -> str:
        names.append(unique_name(request.node.name))
        create(lambda_client, names[-1], uri, **configuration)
        wait_active(lambda_client, names[-1])
        return names[-1]

    yield make
    for name in names:
        lambda_client.delete_function(FunctionName=name)


def create(client: Any, name: str, uri: str, **configuration: Any) -> Any:
    arguments = {"Role": ROLE, "PackageType": "Image", "Code": {"ImageUri": uri}, **configuration}
    return client.create_function(FunctionName=name, **arguments)


def invoke(client: Any, name: str, event: Any = None, **arguments: Any) -> Any:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode(), **arguments)
    return json.load(answer["Payload"])


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def test_an_image_is_what_its_function_sees(lambda_client: Any, make_image_function: Callable[..., str]) -> None:
    upper = archive(Item("data/.wh.text"), Item("data/other", b"upper"), directory("opt/extensions"))
    uri = pushed(lambda_client, "seen", static_image(upper, WorkingDir="/data"))
    name = make_image_function(uri, Environment={"Variables": {"SHAPE": "round", "COLOR": "blue"}})
    seen = invoke(lambda_client, name, {"a": [1]})
    assert seen["event"] == {"a": [1]}
    assert seen["arguments"] == ["/bin/bootstrap", "app.handler"]
    assert seen["directory"] == "/data"
    assert seen["text"] == ""
    assert sorted(seen["root"]) == [".", "..", "bin", "data", "dev", "etc", "opt", "proc", "sys", "tmp", "usr"]
    assert (seen["write /tmp"], seen["write /"]) == ("done", "Read-only file system")
    assert seen["write /data"] == "Read-only file system"
    assert seen["become root"] == "Operation not permitted"
    environment = dict(variable.split("=", 1) for variable in seen["environment"])
    expected = {"COLOR": "blue", "SHAPE": "round", "PATH": "/bin", "_HANDLER": "app.handler", "TZ": ":UTC"}
    assert expected.items() <= environment.items()
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == name
    absent = ("AWS_EXECUTION_ENV", "LD_LIBRARY_PATH", "LANG", "HOME")
    assert [variable for variable in absent if variable in environment] == []


def test_an_image_of_python_runs_with_awss_own_runtime_client(
    lambda_client: Any, make_image_function: Callable[..., str]
) -> None:
    name = make_image_function(pushed(lambda_client, "python", python_image(HANDLER)), MemorySize=256, Timeout=20)
    assert invoke(lambda_client, name, {"x": 1}) == {
        "event": {"x": 1},
        "name": name,
        "handler": "app.handler",
        "environment": None,
        "directory": "/var/task",
        "user": "/home/sbx_user1051",
        "scratch": "written",
        "cached": f"/var/task/__pycache__/app.cpython-3{sys.version_info.minor}.pyc",
    }
    failed = invoke(lambda_client, name, {"fail": True})
    assert (failed["errorType"], failed["errorMessage"]) == ("ValueError", "as asked")


EXTENSION = """#!PYTHON
import http.client, json, os

def ask(method, path, body=b"", **headers):
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    api.request(method, "/2020-01-01/extension" + path, body, headers)
    answer = api.getresponse()
    return answer.headers, json.loads(answer.read())

name = os.path.basename(__file__)
headers, _ = ask("POST", "/register", json.dumps({"events": ["INVOKE"]}), **{"Lambda-Extension-Name": name})
while True:
    _, event = ask("GET", "/event/next", **{"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]})
    print("extension heard", event["eventType"], flush=True)
"""


def test_extensions_in_an_image_run_beside_it(lambda_client: Any, make_image_function: Callable[..., str]) -> None:
    extension = EXTENSION.replace("PYTHON", str(Path(sys.executable).resolve())).encode()
    image = python_image(HANDLER)
    layer = archive(Item("opt/extensions/listening", extension, 0o755))
    image = Image([*image.archives, layer], image.run)
    name = make_image_function(pushed(lambda_client, "extended", image), MemorySize=256, Timeout=20)
    answer = lambda_client.invoke(FunctionName=name, Payload=b"{}", LogType="Tail")
    assert json.load(answer["Payload"])["name"] == name
    assert "extension heard INVOKE" in base64.b64decode(answer["LogResult"]).decode()


def test_a_tag_that_moves_moves_no_function_until_it_is_updated(
    lambda_client: Any, make_image_function: Callable[..., str]
) -> None:
    first, second = (static_image(archive(Item("data/text", text))) for text in (b"first", b"second"))
    uri = pushed(lambda_client, "moving", first, "v1")
    name = make_image_function(uri, Publish=True)
    assert pushed(lambda_client, "moving", second, "v1") == uri
    assert invoke(lambda_client, name)["text"] == "first"
    code = lambda_client.get_function(FunctionName=name)["Code"]
    repository = uri.removesuffix(":v1")
    assert code == {
        "RepositoryType": "ECR",
        "ImageUri": uri,
        "ResolvedImageUri": f"{repository}@{first.digest}",
    }
    updated = lambda_client.update_function_code(FunctionName=name, ImageUri=uri, Publish=True)
    assert (updated["CodeSha256"], updated["CodeSize"]) == (second.digest.removeprefix("sha256:"), 0)
    wait_updated(lambda_client, name)
    assert invoke(lambda_client, name)["text"] == "second"
    assert [invoke(lambda_client, name, Qualifier=number)["text"] for number in "12"] == ["first", "second"]
    by_digest = f"{repository}@{first.digest}"
    dry = lambda_client.update_function_code(FunctionName=name, ImageUri=by_digest, DryRun=True)
    assert dry["CodeSha256"] == first.digest.removeprefix("sha256:")
    assert invoke(lambda_client, name)["text"] == "second"


@pytest.mark.parametrize(
    "host",
    [
        "123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1.localhost:9000",
        "localhost:{port}",
    ],
)
def test_the_registry_has_several_names(lambda_client: Any, host: str) -> None:
    own, _, rest = pushed(lambda_client, "named", static_image()).partition("/")
    name = unique_name("named")
    created = create(lambda_client, name, f"{host.format(port=own.rpartition(':')[2])}/{rest}")
    assert created["CodeSha256"] == static_image().digest.removeprefix("sha256:")
    lambda_client.delete_function(FunctionName=name)


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("{own}/nobody:v1", "does not exist"),
        ("{own}/there:v2", "does not exist"),
        ("{own}/there@sha256:" + "0" * 64, "does not exist"),
        ("210987654321.dkr.ecr.us-east-1.amazonaws.com/there:v1", "does not exist"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/there:v1", "is not valid"),
        ("public.ecr.aws/lambda/python:3.12", "is not valid"),
        ("there:v1", "is not valid"),
        ("{own}/There:v1", "is not valid"),
        ("{own}/there:v1@sha256:" + "0" * 64, "is not valid"),
        ("{own}/there:-", "is not valid"),
        ("{own}/../there:v1", "is not valid"),
    ],
)
def test_an_image_that_is_not_there_makes_no_function(lambda_client: Any, uri: str, problem: str) -> None:
    own = pushed(lambda_client, "there", static_image(), "v1").partition("/")[0]
    name, uri = unique_name("absent"), uri.format(own=own)
    message = f"Source image {uri} {problem}. Provide a valid source image."
    arguments = {"FunctionName": name, "Role": ROLE, "PackageType": "Image", "Code": {"ImageUri": uri}}
    assert refused(lambda_client.create_function, **arguments) == ("InvalidParameterValueException", message)
    assert refused(lambda_client.get_function, FunctionName=name)[0] == "ResourceNotFoundException"


def test_what_is_no_single_image_makes_no_function(lambda_client: Any) -> None:
    image = static_image()
    uri = pushed(lambda_client, "several", image, "one")
    entry = {"mediaType": image.media_type, "digest": image.digest, "size": len(image.manifest)}
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
    registry = registry_of(lambda_client)
    assert registry.ask("PUT", "/v2/several/manifests/all", index, content_type=OCI_INDEX).status == 201
    uri = uri.replace(":one", ":all")
    message = f"The image manifest, config or layer media type for the source image {uri} is not supported."
    arguments = {"FunctionName": unique_name(), "Role": ROLE, "PackageType": "Image", "Code": {"ImageUri": uri}}
    assert refused(lambda_client.create_function, **arguments) == ("InvalidParameterValueException", message)


@pytest.mark.parametrize(
    ("image_config", "error_type", "message"),
    [
        ({"EntryPoint": ["/nowhere"]}, "Runtime.InvalidEntrypoint", "fork/exec /nowhere: no such file or directory"),
        ({"EntryPoint": ["/data/text"]}, "Runtime.InvalidEntrypoint", "fork/exec /data/text: permission denied"),
        ({"EntryPoint": ["/data/foreign"]}, "Runtime.InvalidEntrypoint", "fork/exec /data/foreign: exec format error"),
        (
            {"EntryPoint": ["absent"]},
            "Runtime.InvalidEntrypoint",
            'exec: "absent": executable file not found in $PATH',
        ),
        ({"WorkingDirectory": "/absent"}, "Runtime.InvalidWorkingDir", "chdir /absent: no such file or directory"),
        (
            {"WorkingDirectory": "data"},
            "Runtime.InvalidWorkingDir",
            "the working directory 'data' is invalid, it needs to be an absolute path",
        ),
    ],
)
def test_what_cannot_be_started_is_said_in_awss_words(
    lambda_client: Any,
    make_image_function: Callable[..., str],
    image_config: dict[str, Any],
    error_type: str,
    message: str,
) -> None:
    foreign = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xf3\x00" + bytes(44)
    uri = pushed(lambda_client, "failing", static_image(archive(Item("data/foreign", foreign, 0o755))))
    name = make_image_function(uri, ImageConfig=image_config)
    for _ in range(2):  # the second one finds an environment whose Init has failed, or none
        answer = lambda_client.invoke(FunctionName=name, LogType="Tail")
        payload = json.load(answer["Payload"])
        request_id = answer["ResponseMetadata"]["RequestId"]
        assert answer["FunctionError"] == "Unhandled"
        assert payload == {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {message}"}
        log = base64.b64decode(answer["LogResult"]).decode()
        assert f"IMAGE\tLaunch error: {message}\tEntrypoint: [" in log
        assert f"Status: error\tError Type: {error_type}" in log


def test_image_config_wins_over_the_image(lambda_client: Any, make_image_function: Callable[..., str]) -> None:
    uri = pushed(lambda_client, "overridden", static_image())
    config = {"EntryPoint": ["bootstrap", "one"], "Command": ["two", "three"], "WorkingDirectory": "/data/../data/"}
    name = make_image_function(uri, ImageConfig=config)
    seen = invoke(lambda_client, name)
    assert seen["arguments"] == ["/bin/bootstrap", "one", "two", "three"]
    assert seen["directory"] == "/data"
    assert "_HANDLER=two" in seen["environment"]
    lambda_client.update_function_configuration(FunctionName=name, ImageConfig={})
    wait_updated(lambda_client, name)
    assert invoke(lambda_client, name)["arguments"] == ["/bin/bootstrap", "app.handler"]


def test_an_image_without_a_command_runs_its_bootstrap(
    lambda_client: Any, make_image_function: Callable[..., str]
) -> None:
    image = static_image(archive(link("var/task/bootstrap", "/usr/bin/bootstrap")), Entrypoint=None, Cmd=[])
    name = make_image_function(pushed(lambda_client, "bare", image))
    assert invoke(lambda_client, name)["arguments"] == ["/var/task/bootstrap"]


def test_snap_start_of_an_image_stays_off(lambda_client: Any, make_image_function: Callable[..., str]) -> None:
    uri = pushed(lambda_client, "snapped", static_image())
    name = make_image_function(uri, SnapStart={"ApplyOn": "PublishedVersions"}, Publish=True)
    for _ in range(400):
        found = lambda_client.get_function_configuration(FunctionName=name, Qualifier="1")
        if found["State"] != "Pending":
            break
    assert (found["State"], found["SnapStart"]["OptimizationStatus"]) == ("Active", "Off")
    assert invoke(lambda_client, name, Qualifier="1")["text"] == "lower"


HOSTILE = {
    "a path upwards": (archive(Item("../../outside")), "leads out of the image"),
    "a device": (archive(Item("disk", kind=tarfile.BLKTYPE)), "it has a device"),
    "no archive": (b"nonsense" * 100, "its archive is damaged"),
}


@pytest.mark.parametrize(("layer", "problem"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_layer_makes_the_function_fail_and_leaves_nothing(
    lambda_client: Any, live_server: LiveServer, layer: bytes, problem: str
) -> None:
    name, before = unique_name("hostile"), trees(live_server)
    create(lambda_client, name, pushed(lambda_client, "hostile", static_image(layer)))
    failed = until_settled(lambda_client, name)
    assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "InvalidImage")
    assert problem in failed["StateReason"]
    assert trees(live_server) == before
    assert refused(lambda_client.invoke, FunctionName=name)[0] == "ResourceConflictException"
    lambda_client.delete_function(FunctionName=name)


def test_a_layer_that_is_not_what_the_image_says_makes_it_fail(lambda_client: Any) -> None:
    image, name = static_image(), unique_name("mixed")
    config = json.loads(image.config)
    config["rootfs"]["diff_ids"] = [digest_of(b"something else")]
    mixed = _WithConfig(image.archives, json.dumps(config).encode())
    create(lambda_client, name, pushed(lambda_client, "mixed", mixed))
    failed = until_settled(lambda_client, name)
    assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "InvalidImage")
    lambda_client.delete_function(FunctionName=name)


class _WithConfig(Image):
    """An image whose configuration is somebody else's."""

    def __init__(self, archives: Any, config: bytes) -> None:
        super().__init__(archives)
        self.__dict__["config"] = config


def until_settled(client: Any, name: str) -> Any:
    for _ in range(400):
        found = client.get_function_configuration(FunctionName=name)
        if found["State"] != "Pending":
            return found
    raise AssertionError("still Pending")


def trees(server: LiveServer) -> set[str]:
    """What lies unpacked, and what is being made."""
    return {path.name for part in ("images", "tmp") for path in Path(server.data, part).iterdir()}


def test_functions_outlive_a_server_a_repository_and_their_unpacked_files(private_server: LiveServer) -> None:
    client = private_server.client()
    uri = pushed(client, "kept", static_image())
    create(client, "kept", uri)
    wait_active(client, "kept")
    private_server.client("ecr").delete_repository(repositoryName="kept", force=True)
    private_server.restart()
    client = private_server.client()
    assert invoke(client, "kept")["text"] == "lower"
    assert refused(create, client=client, name="new", uri=uri)[1].startswith("Source image")
    private_server.stop()
    (tree,) = (private_server.data / "images").iterdir()
    (tree / "files/data/text").write_bytes(b"damaged")
    private_server.start()
    assert invoke(private_server.client(), "kept")["text"] == "lower"


def test_a_server_without_file_systems_for_sandboxes_says_so(start_server: Callable[..., LiveServer]) -> None:
    client = start_server("--sandbox", "process").client()
    create(client, "plain", pushed(client, "plain", static_image()))
    failed = until_settled(client, "plain")
    assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "InvalidImage")
    assert "file system of their own" in failed["StateReason"]
