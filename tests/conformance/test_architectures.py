"""Functions for another architecture than the machine's, on servers of each kind."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lampion.code.architectures import HOST_ARCHITECTURE, find_emulator, loader_of
from tests import own_binfmt
from tests.conformance.recorded.handlers import package
from tests.deployment import ROLE, Functions, creation, unique_name, wait_active, zipped
from tests.foreign_program import arm64_program
from tests.images.making import Image, Item, archive
from tests.images.pushing import pushed
from tests.live_server import LiveServer, marked_directory

SOURCE = "import platform\n\ndef handler(event, context):\n    return platform.machine()\n"

pytestmark = pytest.mark.skipif(HOST_ARCHITECTURE != "x86_64", reason="the other architecture of these tests is arm64")


@pytest.mark.skipif(find_emulator("arm64") is not None, reason="this machine runs programs for arm64")
def test_without_an_emulator_a_function_fails_with_a_reason_that_says_what_to_do(lambda_client: Any) -> None:
    name = unique_name("arm64")
    lambda_client.create_function(**creation(name, SOURCE, Architectures=["arm64"]))
    lambda_client.get_waiter("function_exists").wait(FunctionName=name)
    failed = settled(lambda_client, name)
    assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "InvalidRuntime")
    assert failed["Architectures"] == ["arm64"]
    assert failed["StateReason"].startswith("Functions for arm64 don't run here: this machine is x86_64 and has no ")
    lambda_client.update_function_code(FunctionName=name, ZipFile=zipped(SOURCE), Architectures=["x86_64"])
    assert settled(lambda_client, name)["State"] == "Active"
    assert answer(lambda_client, name) == ("x86_64", None)
    lambda_client.delete_function(FunctionName=name)


def test_an_update_to_it_fails_and_what_ran_before_goes_on(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(SOURCE)
    lambda_client.update_function_code(FunctionName=name, ZipFile=zipped(SOURCE), Architectures=["arm64"])
    found = settled(lambda_client, name)
    assert (found["State"], found["LastUpdateStatus"]) == ("Active", "Failed")
    assert "arm64" in found["LastUpdateStatusReason"]
    assert (found["Architectures"], answer(lambda_client, name)) == (["x86_64"], ("x86_64", None))


def test_this_machines_interpreters_run_it_where_that_is_wanted(start_server: Callable[..., LiveServer]) -> None:
    client = start_server("--architectures", "any").client()
    name = unique_name("arm64")
    client.create_function(**creation(name, SOURCE, Architectures=["arm64"]))
    wait_active(client, name)
    assert answer(client, name) == ("x86_64", None)
    assert client.get_function_configuration(FunctionName=name)["Architectures"] == ["arm64"]
    client.close()


@pytest.fixture
def interpreter() -> Iterator[Path]:
    """Says of itself that it is a Python, and does nothing else: no real one is for arm64 on most machines."""
    with marked_directory() as directory:
        directory.chmod(0o755)
        program = directory / "bin/python3.12"
        program.parent.mkdir()
        program.write_bytes(arm64_program(json.dumps(["3.12.9", str(directory), "CPython"]).encode(), status=0))
        program.chmod(0o755)
        yield program


@pytest.mark.skipif(own_binfmt.missing() != "", reason=own_binfmt.missing())
def test_an_emulator_runs_it_in_its_sandbox(marked_root: Path, interpreter: Path) -> None:
    wrapper = (sys.executable, "-m", "tests.own_binfmt", "F", own_binfmt.emulator())
    options = ("--interpreter", f"arm64/python3.12={interpreter}")
    with LiveServer(data=marked_root / "arm64", options=options, wrapper=wrapper) as server:
        client = server.client()
        name = unique_name("arm64")
        client.create_function(**creation(name, SOURCE, Runtime="python3.12", Architectures=["arm64"]))
        found = settled(client, name)
        assert found["State"] == "Active", found["StateReason"]
        told = client.invoke(FunctionName=name, LogType="Tail")
        assert json.loads(told["Payload"].read())["errorType"] == "Runtime.ExitError"
        log = base64.b64decode(told["LogResult"]).decode()
        assert "3.12.9" in log, "it is the program for arm64 that ran"
        custom = unique_name("arm64")
        code = package({"bootstrap": arm64_program(b"a bootstrap for arm64\n")}, ["bootstrap"])
        about = {"Runtime": "provided.al2023", "Handler": "any", "Architectures": ["arm64"], "Code": {"ZipFile": code}}
        client.create_function(**creation(custom, "", **about))
        found = settled(client, custom)
        assert found["State"] == "Active", found["StateReason"]
        told = client.invoke(FunctionName=custom, LogType="Tail")
        assert "exit status 7" in json.loads(told["Payload"].read())["errorMessage"]
        assert "a bootstrap for arm64" in base64.b64decode(told["LogResult"]).decode()
        other = unique_name("arm64")
        client.create_function(**creation(other, SOURCE, Runtime="python3.13", Architectures=["arm64"]))
        failed = settled(client, other)
        assert failed["State"] == "Failed"
        assert "--interpreter arm64/python3.13=PATH" in failed["StateReason"]
        client.close()


def emulator_files() -> Iterator[Item]:
    """The emulator, and the libraries that it needs itself: an image sees nothing of the machine's."""
    program = Path(own_binfmt.emulator())
    told = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
    for path in (str(program), *re.findall(r"(/\S+\.so\S*) \(", told)):
        yield Item(path.lstrip("/"), Path(path).read_bytes(), 0o755)


def arm64_image(*items: Item) -> Image:
    """Its script starts a program for arm64, as AWS's base images do."""
    program = Item("bin/program", arm64_program(b"an image for arm64\n"), 0o755)
    layer = archive(program, Item("entry.sh", b"#!/bin/program\n", 0o755), *items)
    return Image([layer], {"Entrypoint": ["/entry.sh"]}, architecture="arm64")


def image_function(client: Any, image: Image, architecture: str) -> str:
    name = unique_name("image")
    uri = pushed(client, name.lower(), image)
    about = {"Role": ROLE, "PackageType": "Image", "Architectures": [architecture]}
    client.create_function(FunctionName=name, Code={"ImageUri": uri}, **about)
    return name


@pytest.mark.skipif(own_binfmt.missing() != "", reason=own_binfmt.missing())
@pytest.mark.parametrize("flags", ["F", ""], ids=["held open by the kernel", "found in the image"])
def test_an_emulator_runs_images_for_functions_of_their_architecture(marked_root: Path, flags: str) -> None:
    wrapper = (sys.executable, "-m", "tests.own_binfmt", flags, own_binfmt.emulator())
    with LiveServer(data=marked_root / "images", wrapper=wrapper) as server:
        client = server.client()
        name = image_function(client, arm64_image(*emulator_files()), "arm64")
        found = settled(client, name)
        assert found["State"] == "Active", found["StateReason"]
        told = client.invoke(FunctionName=name, LogType="Tail")
        assert "exit status 7" in json.loads(told["Payload"].read())["errorMessage"]
        assert "an image for arm64" in base64.b64decode(told["LogResult"]).decode()
        bare = image_function(client, arm64_image(), "arm64")
        failed = settled(client, bare)
        is_needed = not flags or loader_of(Path(own_binfmt.emulator())) is not None
        assert (failed["State"] == "Failed", "in" in failed.get("StateReason", "")) == (is_needed, is_needed)
        mixed = image_function(client, arm64_image(*emulator_files()), "x86_64")
        assert settled(client, mixed)["State"] == "Active"
        assert launch_error(client, mixed) == EXEC_FORMAT_ERROR
        client.close()


EXEC_FORMAT_ERROR = ("Runtime.InvalidEntrypoint", "Error: fork/exec /entry.sh: exec format error")


def launch_error(client: Any, name: str) -> tuple[str, str]:
    payload = json.loads(client.invoke(FunctionName=name)["Payload"].read())
    return payload["errorType"], payload["errorMessage"].partition(" ")[2].partition(" ")[2]


@pytest.mark.skipif(find_emulator("arm64") is not None, reason="this machine runs programs for arm64")
def test_without_an_emulator_an_image_fails_as_its_function_says(lambda_client: Any) -> None:
    name = image_function(lambda_client, arm64_image(), "arm64")
    failed = settled(lambda_client, name)
    assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "InvalidImage")
    assert failed["StateReason"].startswith("Container images for arm64 don't run here: this machine is x86_64")
    mixed = image_function(lambda_client, arm64_image(), "x86_64")
    assert settled(lambda_client, mixed)["State"] == "Active"
    assert launch_error(lambda_client, mixed) == EXEC_FORMAT_ERROR
    for function in (name, mixed):
        lambda_client.delete_function(FunctionName=function)


def answer(client: Any, name: str) -> tuple[Any, str | None]:
    told = client.invoke(FunctionName=name)
    return json.loads(told["Payload"].read()), told.get("FunctionError")


def settled(client: Any, name: str) -> Any:
    """Its configuration when nothing is outstanding any more."""
    while True:
        found = client.get_function_configuration(FunctionName=name)
        if found["State"] != "Pending" and found.get("LastUpdateStatus") != "InProgress":
            return found
