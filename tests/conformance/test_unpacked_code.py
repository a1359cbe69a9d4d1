"""What functions find in /var/task: their package with bytecode, and never anything altered on this machine's disk."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lampion.code.trees import CHECK_SECONDS
from tests.deployment import RUNTIME, Functions, creation, wait_active, wait_updated
from tests.live_server import LiveServer

TELL_COMPILATIONS = """
import sys
compiled = []


def note(event, args):
    if event == "compile" and str(args[1]).endswith(".py"):  # named tuples of the standard library are strings
        compiled.append(str(args[1]))


sys.addaudithook(note)
from package import parts
import _lampion_errors  # part of the runtime, not loaded yet

def header(module):
    with open(module.__spec__.cached, "rb") as file:
        return file.read(8)[4:].hex()

def handler(event, context):
    return {
        "count": len(parts.ALL),
        "compiled": compiled,
        "headers": sorted({header(module) for module in [*parts.ALL, sys.modules[__name__], _lampion_errors]}),
        "file": parts.ALL[0].__file__,
        "function": parts.ALL[0].f.__code__.co_filename,
    }
"""
ANSWER = "def handler(event, context):\n    return 'as uploaded'\n"


def _invoke(client: Any, name: str) -> Any:
    answer = client.invoke(FunctionName=name)
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.load(answer["Payload"])


def test_a_big_package_starts_without_compiling_anything(lambda_client: Any, make_function: Functions) -> None:
    numbers = range(150)
    files = {f"package/part{number}.py": f"def f():\n    return {number}\n" for number in numbers}
    files["package/__init__.py"] = ""
    files["package/parts.py"] = (
        "\n".join(f"from package import part{number}" for number in numbers)
        + f"\nALL = [{', '.join(f'part{number}' for number in numbers)}]\n"
    )
    name = make_function({"index.py": TELL_COMPILATIONS, **files})
    assert _invoke(lambda_client, name) == {
        "count": 150,
        "compiled": [],
        "headers": ["01000000"],  # bytecode that is used unchecked
        "file": "/var/task/package/part0.py",
        "function": "/var/task/package/part0.py",
    }


def _unpacked(server: LiveServer, part: str, name: str) -> Path:
    (path,) = (server.data / part).glob(f"*/files/{name}")
    return path


def _deployed(server: LiveServer) -> Any:
    client = server.client()
    client.create_function(**creation("altered", ANSWER))
    wait_active(client, "altered")
    assert _invoke(client, "altered") == "as uploaded"
    return client


@pytest.mark.parametrize("name", ["index.py", "__pycache__/index.*.pyc"])
def test_code_altered_between_two_servers_is_not_run(private_server: LiveServer, name: str) -> None:
    _deployed(private_server)
    private_server.kill()
    path = _unpacked(private_server, "packages", name)
    content = path.read_bytes().replace(b"as uploaded", b"as altered!")
    assert content != path.read_bytes()
    path.write_bytes(content)
    private_server.start()
    assert _invoke(private_server.client(), "altered") == "as uploaded"
    assert "is damaged" in private_server.output


def test_code_altered_under_a_running_server_is_not_run(private_server: LiveServer) -> None:
    client = _deployed(private_server)
    for name in ("index.py", "__pycache__/index.*.pyc"):
        path = _unpacked(private_server, "packages", name)
        path.write_bytes(path.read_bytes().replace(b"as uploaded", b"as altered!"))
    time.sleep(CHECK_SECONDS)
    client.update_function_configuration(FunctionName="altered", Timeout=5)  # the next invoke is a cold start
    wait_updated(client, "altered")
    assert _invoke(client, "altered") == "as uploaded"
    assert "is damaged" in private_server.output


def test_a_function_without_isolation_leaves_its_package_as_it_is(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("--sandbox", "process")
    client = server.client()
    source = {"index.py": f"import odd\n{ANSWER}", "odd.py": "x = () is 1\n"}  # warns, so it isn't compiled beforehand
    client.create_function(**creation("odd", source))
    wait_active(client, "odd")
    for timeout_seconds in (5, 6):
        assert _invoke(client, "odd") == "as uploaded"
        time.sleep(CHECK_SECONDS)
        client.update_function_configuration(FunctionName="odd", Timeout=timeout_seconds)
        wait_updated(client, "odd")
    directory = _unpacked(server, "packages", "odd.py").parent
    assert [path.name.partition(".")[0] for path in (directory / "__pycache__").iterdir()] == ["index"]
    assert "is damaged" not in server.output


def test_the_runtimes_own_files_are_verified_too(private_server: LiveServer) -> None:
    _deployed(private_server)
    private_server.kill()
    path = private_server.data / "runtimes" / RUNTIME / "files" / "bootstrap.py"
    whole = path.read_text()
    path.write_text("raise SystemExit('altered')\n")
    private_server.start()
    assert _invoke(private_server.client(), "altered") == "as uploaded"
    assert path.read_text() == whole
