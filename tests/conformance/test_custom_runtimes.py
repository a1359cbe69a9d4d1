"""Functions that bring a program of their own: sh with curl, a static binary, and what is said of broken ones."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.recorded.handlers import package
from tests.deployment import Functions, creation, functions, unique_name
from tests.live_server import LiveServer

SOURCES = Path(__file__).parent / "custom_runtimes"
SHELL = (SOURCES / "bootstrap.sh").read_text()
NOT_FOUND = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The compiled one."""
    made = tmp_path_factory.mktemp("custom") / "bootstrap"
    flags = ["-static", "-O1", "-D_GNU_SOURCE"]
    subprocess.run(["gcc", *flags, "-o", str(made), str(SOURCES / "bootstrap.c")], check=True)
    return made.read_bytes()


@pytest.fixture
def deploy(lambda_client: Any) -> Iterator[Functions]:
    with functions(lambda_client, "custom") as made:
        yield made


def create(deploy: Functions, files: Mapping[str, str | bytes], **members: Any) -> str:
    """With every file executable but those named *.sh and *.txt."""
    executable = [name for name in files if not name.endswith((".sh", ".txt"))]
    code = {"ZipFile": package(files, executable)}
    return deploy("", **{"Runtime": "provided.al2023", "Handler": "main.answer", "Code": code, **members})


def invoke(client: Any, name: str, event: object = None) -> tuple[Any, list[str]]:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    return json.load(answer["Payload"]), base64.b64decode(answer["LogResult"]).decode().splitlines()


def test_a_shell_script_with_curl(lambda_client: Any, deploy: Functions) -> None:
    """With what AWS's system has: sh, coreutils, grep, sed, curl, and certificates to trust."""
    assert shutil.which("curl"), "run: make setup-runtimes"
    handler = """
answer() {
    echo "heard $1" >&2
    certificates=$(ls /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt 2>/dev/null | wc -l)
    words=$(printf '%s' "$1" | sed 's/[^a-z ]//g' | wc -w)
    echo "[\\"$PWD $_HANDLER ${AWS_EXECUTION_ENV-none} $LAMBDA_RUNTIME_DIR\\", $((certificates > 0)), $words]"
}
"""
    name = create(deploy, {"bootstrap": SHELL, "main.sh": handler})
    for _ in range(2):
        payload, log = invoke(lambda_client, name, "some words here")
        assert payload == ["/var/task main.answer none /var/runtime", 1, 3]
        assert 'heard "some words here"' in log


ANSWERS_AND_ENDS = """#!/bin/sh
head=$(mktemp)
curl -sS -o /dev/null -D "$head" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next"
id=$(grep -i Lambda-Runtime-Aws-Request-Id "$head" | tr -d '[:space:]' | cut -d: -f2)
curl -sS -d "$$" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response"
sleep 0.02
exit 1
"""


def test_a_runtime_that_answers_and_ends_takes_no_other_invocation_with_it(
    lambda_client: Any, deploy: Functions
) -> None:
    """The next one is there before the process has ended, and another environment gets it."""
    name = create(deploy, {"bootstrap": ANSWERS_AND_ENDS})
    answers = [lambda_client.invoke(FunctionName=name) for _ in range(5)]
    assert [answer.get("FunctionError") for answer in answers] == [None] * 5


def test_a_static_program(lambda_client: Any, live_server: LiveServer, deploy: Functions, program: bytes) -> None:
    name = create(deploy, {"bootstrap": program}, Runtime="provided.al2")
    for event in ({"n": 1}, "text ü", ["x" * 100_000]):
        assert invoke(lambda_client, name, event)[0] == event
    log = "\n".join(live_server.log_of(name))
    assert "started as /var/task/bootstrap" in log
    assert "INIT_START Runtime Version: provided:al2.v" in log


def test_a_layers_program_serves_where_the_code_has_none(lambda_client: Any, deploy: Functions, program: bytes) -> None:
    layer = lambda_client.publish_layer_version(
        LayerName=unique_name("bootstrap"), Content={"ZipFile": package({"bootstrap": program}, ["bootstrap"])}
    )["LayerVersionArn"]
    name = create(deploy, {"bootstrap/readme.txt": "a directory is no program"}, Layers=[layer])
    assert invoke(lambda_client, name, 1)[0] == 1
    own = create(deploy, {"bootstrap": "#!/bin/sh\nexit 7\n"}, Layers=[layer])
    assert invoke(lambda_client, own, 1)[0]["errorMessage"].endswith("Runtime exited with error: exit status 7")


ELF_OF_NO_MACHINE = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xff\xff" + bytes(44)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"other": ""}, NOT_FOUND),
        ({"bootstrap/readme.txt": ""}, NOT_FOUND),
        ({"bootstrap": ELF_OF_NO_MACHINE}, "fork/exec /var/task/bootstrap: exec format error"),
        ({"bootstrap": "echo no interpreter named"}, "fork/exec /var/task/bootstrap: exec format error"),
        ({"bootstrap": "#!/bin/bash\r\necho\r\n"}, "fork/exec /var/task/bootstrap: no such file or directory"),
    ],
)
def test_a_program_that_cannot_be_run_fails_init_in_awss_words(
    lambda_client: Any, live_server: LiveServer, deploy: Functions, files: Mapping[str, str | bytes], why: str
) -> None:
    name = create(deploy, files)
    payload, log = invoke(lambda_client, name)
    message = payload["errorMessage"]
    request_id = message.split()[1]
    assert payload == {
        "errorType": "Runtime.InvalidEntrypoint",
        "errorMessage": f"RequestId: {request_id} Error: {why}",
    }
    assert log[-3:-1] == [f"START RequestId: {request_id} Version: $LATEST", f"END RequestId: {request_id}"]
    assert log[-1].endswith("\tStatus: error\tError Type: Runtime.InvalidEntrypoint")
    reports = [line for line in live_server.log_of(name) if "INIT_REPORT" in line]
    for line, phase in zip(reports, ("init", "invoke"), strict=True):
        assert line.endswith(f"\tPhase: {phase}\tStatus: error\tError Type: Runtime.InvalidEntrypoint")


def test_a_program_that_may_not_be_run(lambda_client: Any, deploy: Functions) -> None:
    name = deploy("", Runtime="provided.al2023", Code={"ZipFile": package({"bootstrap": SHELL})})
    payload, _ = invoke(lambda_client, name)
    assert payload["errorMessage"].endswith("Error: fork/exec /var/task/bootstrap: permission denied")


def test_code_that_is_mended_runs(lambda_client: Any, deploy: Functions, program: bytes) -> None:
    name = create(deploy, {"other": ""})
    assert invoke(lambda_client, name, 1)[0]["errorType"] == "Runtime.InvalidEntrypoint"
    lambda_client.update_function_code(FunctionName=name, ZipFile=package({"bootstrap": program}, ["bootstrap"]))
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    assert invoke(lambda_client, name, 1)[0] == 1


def test_functions_of_go_name_their_program_in_the_handler(
    lambda_client: Any, deploy: Functions, program: bytes
) -> None:
    """No new function may have go1.x any more; one of another runtime can still be given it."""
    arguments = creation(unique_name("go"), "", Runtime="go1.x", Handler="bin/main")
    with pytest.raises(lambda_client.exceptions.InvalidParameterValueException, match=r"go1\.x is no longer supported"):
        lambda_client.create_function(**arguments)
    name = create(deploy, {"bin/main": program, "other": ""})
    for handler in ("bin/main", "missing"):
        lambda_client.update_function_configuration(FunctionName=name, Runtime="go1.x", Handler=handler)
        lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        payload, _ = invoke(lambda_client, name, 1)
        missing = {"errorMessage": "fork/exec /var/task/missing: no such file or directory", "errorType": "PathError"}
        assert payload == (1 if handler == "bin/main" else missing)


def test_without_a_file_system_of_its_own_it_is_the_same(marked_root: Path, program: bytes) -> None:
    with LiveServer(data=marked_root / "custom-process", options=["--sandbox", "process"]) as server:
        client = server.client()
        with functions(client, "custom") as deploy:
            assert invoke(client, create(deploy, {"bootstrap": program}), 1)[0] == 1
            payload, _ = invoke(client, create(deploy, {"bootstrap": ELF_OF_NO_MACHINE}))
            assert payload["errorMessage"].endswith("Error: fork/exec /var/task/bootstrap: exec format error")
