"""What functions find of their layers under /opt, on a live server: every driver, Python and Node.js."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.recorded.handlers import package
from tests.conformance.recorded.replay import CannotRun, ask_until_settled
from tests.conformance.test_nodejs import RUNTIME as NODE_RUNTIME
from tests.deployment import RUNTIME, Functions, creation, functions, unique_name, wait_active, wait_updated, zipped
from tests.live_server import LiveServer

VERSION = RUNTIME.removeprefix("python")
SITE_PACKAGES = f"python/lib/python{VERSION}/site-packages"
LOOK = """
import importlib, os

def content(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError as error:
        return type(error).__name__

def handler(event, context):
    found = {path: content(path) for path in event.get("read", [])}
    told = {name: importlib.import_module(name).WORD for name in event.get("import", [])}
    return {"opt": sorted(os.listdir("/opt")), "read": found, "import": told}
"""
SAY = "WORD = {!r}\n"
NODE = """
exports.handler = async (event) => event.map((name) => {
  try { return require(name).word; } catch (error) { return error.code; }
});
"""


def publish(client: Any, content: Mapping[str, str | bytes] | bytes, name: str | None = None) -> str:
    """The ARN of a new layer's first version, of these files or this zip."""
    zip_file = content if isinstance(content, bytes) else zipped(content)
    answer = client.publish_layer_version(LayerName=name or unique_name("layer"), Content={"ZipFile": zip_file})
    return str(answer["LayerVersionArn"])


def invoke(client: Any, name: str, event: Any = None, **arguments: Any) -> Any:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event or {}), **arguments)
    payload = json.load(answer["Payload"])
    assert "FunctionError" not in answer, payload
    return payload


def set_layers(client: Any, name: str, *layers: str) -> None:
    client.update_function_configuration(FunctionName=name, Layers=list(layers))
    wait_updated(client, name)


@contextmanager
def on_server(server: LiveServer) -> Iterator[tuple[Any, Functions]]:
    client = server.client()
    try:
        with functions(client, "layered") as made:
            yield client, made
    finally:
        client.close()


def test_python_finds_modules_of_layers_after_its_own(lambda_client: Any, make_function: Functions) -> None:
    files = {f"python/{name}.py": SAY.format("layer") for name in ("plain", "both", "own")}
    files |= {f"{SITE_PACKAGES}/{name}.py": SAY.format("site-packages") for name in ("both", "deep", "own")}
    layer = publish(lambda_client, files)
    name = make_function({"index.py": LOOK, "own.py": SAY.format("function")}, Layers=[layer])
    told = invoke(lambda_client, name, {"import": ["plain", "both", "deep", "own"]})["import"]
    assert told == {"plain": "layer", "both": "site-packages", "deep": "site-packages", "own": "function"}


def test_later_layers_lie_over_earlier_ones(lambda_client: Any, make_function: Functions) -> None:
    lower = publish(lambda_client, {"python/word.py": SAY.format("lower"), "only/lower": "lower", "both/a": "lower"})
    upper = publish(lambda_client, {"python/word.py": SAY.format("upper"), "only/upper": "upper", "both/a": "upper"})
    event = {"read": ["/opt/both/a", "/opt/only/lower", "/opt/only/upper"], "import": ["word"]}
    name = make_function(LOOK, Layers=[lower, upper])
    told = invoke(lambda_client, name, event)
    assert told["opt"] == ["both", "only", "python"]
    assert told["import"] == {"word": "upper"}
    assert told["read"] == {"/opt/both/a": "upper", "/opt/only/lower": "lower", "/opt/only/upper": "upper"}

    set_layers(lambda_client, name, upper, lower)
    told = invoke(lambda_client, name, event)
    assert (told["import"], told["read"]["/opt/both/a"]) == ({"word": "lower"}, "lower")


def test_five_layers_lie_in_their_order_and_functions_share_them(lambda_client: Any, make_function: Functions) -> None:
    """The last one that has a file gives it; those who name the same layers see one and the same file."""
    numbers = range(5)
    layers = [
        publish(lambda_client, {f"from{other}": str(number) for other in numbers if other <= number})
        for number in numbers
    ]
    look = """
import os

def handler(event, context):
    with_numbers = {name: open(f"/opt/{name}").read() for name in sorted(os.listdir("/opt"))}
    return [with_numbers, os.stat("/opt/from0").st_ino]
"""
    one, other = make_function(look, Layers=layers), make_function(look, Layers=layers)
    (found, inode), shared = invoke(lambda_client, one), invoke(lambda_client, other)
    assert found == {f"from{number}": "4" for number in numbers}
    assert shared == [found, inode]
    turned, its_own = invoke(lambda_client, make_function(look, Layers=layers[::-1]))
    assert turned == {f"from{number}": str(number) for number in numbers}
    assert its_own != inode
    sixth = publish(lambda_client, {"one/more": ""})
    with pytest.raises(ClientError, match=r"InvalidParameterValueException|ValidationException"):
        set_layers(lambda_client, one, *layers, sixth)


def test_a_layer_is_seen_by_those_who_name_it_alone(lambda_client: Any, make_function: Functions) -> None:
    layer = publish(lambda_client, {"python/secret.py": SAY.format("mine"), "file": "mine"})
    with_layer, without = make_function(LOOK, Layers=[layer]), make_function(LOOK)
    event = {"read": ["/opt/file"]}
    for _ in range(2):
        assert invoke(lambda_client, with_layer, event)["read"] == {"/opt/file": "mine"}
        assert invoke(lambda_client, without, event) == {
            "opt": [],
            "read": {"/opt/file": "FileNotFoundError"},
            "import": {},
        }
    set_layers(lambda_client, with_layer)
    assert invoke(lambda_client, with_layer, event)["opt"] == []


def test_versions_keep_their_layers(lambda_client: Any, make_function: Functions) -> None:
    first, second = (publish(lambda_client, {"python/word.py": SAY.format(word)}) for word in ("first", "second"))
    name = make_function(LOOK, Layers=[first])
    lambda_client.publish_version(FunctionName=name)
    set_layers(lambda_client, name, second)
    event = {"import": ["word"]}
    assert invoke(lambda_client, name, event, Qualifier="1")["import"] == {"word": "first"}
    assert invoke(lambda_client, name, event)["import"] == {"word": "second"}


def test_nobody_writes_to_a_layer(lambda_client: Any, make_function: Functions) -> None:
    source = """
import os

def attempt(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "done"

def handler(event, context):
    return [
        attempt(lambda: open("/opt/file", "w")),
        attempt(lambda: open("/opt/new", "w")),
        attempt(lambda: os.remove("/opt/file")),
        attempt(lambda: os.chmod("/opt/file", 0o777)),
        attempt(lambda: os.rename("/opt/file", "/opt/other")),
    ]
"""
    name = make_function(source, Layers=[publish(lambda_client, {"file": "text"})])
    assert "done" not in invoke(lambda_client, name)
    assert invoke(lambda_client, make_function(LOOK, Layers=[publish(lambda_client, {"file": "text"})]))["opt"] == [
        "file"
    ]


def test_node_finds_modules_of_layers(lambda_client: Any, make_function: Functions) -> None:
    major = NODE_RUNTIME.removeprefix("nodejs").removesuffix(".x")
    module = "exports.word = '{}';"
    layer = publish(
        lambda_client,
        {
            "nodejs/node_modules/plain/index.js": module.format("plain"),
            "nodejs/node_modules/both/index.js": module.format("plain"),
            f"nodejs/node{major}/node_modules/both/index.js": module.format("versioned"),
        },
    )
    about = {"Runtime": NODE_RUNTIME, "Layers": [layer]}
    name = make_function({"index.js": NODE}, **about)
    assert invoke(lambda_client, name, ["plain", "both", "absent"]) == ["plain", "versioned", "MODULE_NOT_FOUND"]
    without = make_function({"index.js": NODE}, Runtime=NODE_RUNTIME)
    assert invoke(lambda_client, without, ["plain"]) == ["MODULE_NOT_FOUND"]


@pytest.fixture(scope="module")
def library(marked_root: Path) -> bytes:
    """A shared library with the function `answer`."""
    directory = marked_root / "library"
    directory.mkdir()
    source, target = directory / "answer.c", directory / "libanswer.so"
    source.write_text("int answer(void) { return 42; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", target, source], check=True)
    return target.read_bytes()


def test_programs_and_libraries_of_layers_are_found(
    lambda_client: Any, make_function: Functions, library: bytes
) -> None:
    source = """
import ctypes, shutil, subprocess

def handler(event, context):
    return [ctypes.CDLL("libanswer.so").answer(), subprocess.check_output(["say"], text=True)]
"""
    zip_file = package({"lib/libanswer.so": library, "bin/say": "#!/bin/sh\nprintf said\n"}, executable=("bin/say",))
    layer = publish(lambda_client, zip_file)
    name = make_function(source, Layers=[layer])
    assert invoke(lambda_client, name) == [42, "said"]


def test_libraries_of_the_function_itself_are_found(
    lambda_client: Any, make_function: Functions, library: bytes
) -> None:
    source = "import ctypes\ndef handler(event, context):\n    return ctypes.CDLL('libanswer.so').answer()\n"
    name = make_function({"index.py": source, "lib/libanswer.so": library})
    assert invoke(lambda_client, name) == 42


def test_an_exec_wrapper_may_be_a_layer_s(lambda_client: Any, make_function: Functions) -> None:
    wrapper = '#!/bin/sh\nexport WRAPPED=yes\nexec "$@"\n'
    layer = publish(lambda_client, package({"wrapper": wrapper}, executable=("wrapper",)))
    environment = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}}
    source = "import os\ndef handler(event, context):\n    return os.environ.get('WRAPPED')\n"
    assert invoke(lambda_client, make_function(source, Layers=[layer], Environment=environment)) == "yes"


def test_snapshots_hold_the_layers_of_their_version(lambda_client: Any) -> None:
    layer = publish(lambda_client, {"python/word.py": SAY.format("snapped"), "file": "text"})
    name, about = unique_name("snapped"), {"Runtime": "python3.12", "SnapStart": {"ApplyOn": "PublishedVersions"}}
    lambda_client.create_function(**creation(name, LOOK, Layers=[layer], **about))
    try:
        ask_until_settled(lambda_client, "GetFunction", {"FunctionName": name})
        lambda_client.publish_version(FunctionName=name)
        ask_until_settled(lambda_client, "GetFunction", {"FunctionName": name, "Qualifier": "1"})
        told = invoke(lambda_client, name, {"import": ["word"], "read": ["/opt/file"]}, Qualifier="1")
        assert told == {"opt": ["file", "python"], "read": {"/opt/file": "text"}, "import": {"word": "snapped"}}
    except CannotRun as error:
        pytest.skip(f"{error.status.value}: {error.reason}")
    finally:
        lambda_client.delete_function(FunctionName=name)


def test_functions_keep_layers_that_are_deleted_also_over_a_restart(private_server: LiveServer) -> None:
    with on_server(private_server) as (client, _):
        layer = publish(client, {"python/word.py": SAY.format("kept")}, "gone")
        name = unique_name("keeper")
        client.create_function(**creation(name, LOOK, Layers=[layer]))
        wait_active(client, name)
        client.delete_layer_version(LayerName="gone", VersionNumber=1)
        assert invoke(client, name, {"import": ["word"]})["import"] == {"word": "kept"}
    shutil.rmtree(private_server.data / "packages")
    private_server.restart()
    with on_server(private_server) as (client, _):
        assert invoke(client, name, {"import": ["word"]})["import"] == {"word": "kept"}


DRIVERS = [
    ("--sandbox", "process"),
    ("--sandbox", "oci", "--oci-runtime", "crun"),
    ("--sandbox", "oci", "--oci-runtime", "runc"),
]


@pytest.mark.parametrize("options", DRIVERS, ids=lambda options: options[-1])
def test_every_driver_gives_layers(options: tuple[str, ...], start_server: Callable[..., LiveServer]) -> None:
    if "oci" in options and (os.geteuid() != 0 or shutil.which(options[-1]) is None):
        pytest.skip(f"needs root and {options[-1]}")
    source = "import os, word\ndef handler(event, context):\n    return [word.WORD, sorted(os.environ)]\n"
    with on_server(start_server(*options)) as (client, made):
        layer = publish(
            client, {"python/word.py": SAY.format("layer"), "nodejs/node_modules/word/index.js": "exports.word = 'it';"}
        )
        word, names = invoke(client, made(source, Layers=[layer]))
        assert word == "layer"
        assert not [name for name in names if name.startswith("_LAMPION")]
        node = made({"index.js": NODE}, Runtime=NODE_RUNTIME, Layers=[layer])
        assert invoke(client, node, ["word"]) == ["it"]
