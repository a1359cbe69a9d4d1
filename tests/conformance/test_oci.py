"""A server whose functions run in containers of an OCI runtime, through boto3 and `lampion doctor`."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deployment import functions
from tests.live_server import LiveServer

SOURCE = """
import os, urllib.error, urllib.request

print("loading")

def handler(event, context):
    try:
        urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"], timeout=10)
    except urllib.error.HTTPError as error:
        answer = error.code
    first = open("/proc/1/cmdline").read().split("\\0")[0]
    return {"event": event, "uid": os.getuid(), "answer": answer, "first": first}
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the OCI driver needs a server that is root")


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_a_function_answers_from_a_container(runtime: str, start_server: Callable[..., LiveServer]) -> None:
    if shutil.which(runtime) is None:
        pytest.skip(f"there is no {runtime} on this machine: apt-get install {runtime}")
    server = start_server("--sandbox", "oci", "--oci-runtime", runtime)
    client = server.client()
    with functions(client, runtime) as made:
        name = made(SOURCE)
        for number in range(2):
            answer = client.invoke(FunctionName=name, Payload=json.dumps(number))
            assert json.loads(answer["Payload"].read()) == {
                "event": number,
                "uid": 993,
                "answer": 404,
                "first": "/init",
            }
        containers = Path("/run", f"{server.cgroup_parent}-oci")
        assert len(list(containers.glob(f"*/{server.cgroup_parent}-*"))) == 1
    client.close()
    server.stop()
    assert not containers.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--oci-runtime", "no-such-runtime"), "apt-get install crun"),
        (("--oci-runtime", "runc", "--network", "egress"), "--sandbox namespace"),
        (("--oci-runtime", "bin/runc"), "neither a name nor an absolute path"),
    ],
)
def test_a_server_that_cannot_keep_its_word_does_not_start(
    marked_root: Path, options: tuple[str, ...], said: str
) -> None:
    argv = [sys.executable, "-m", "lampion", "serve", "--listen", "127.0.0.1:0", "--data", str(marked_root / "refused")]
    done = subprocess.run(
        [*argv, "--sandbox", "oci", *options], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert said in done.stderr


def test_the_doctor_names_the_runtimes_gaps() -> None:
    environ = {**os.environ, "LAMPION_SANDBOX": "oci", "LAMPION_OCI_RUNTIME": "no-such-runtime"}
    done = subprocess.run(
        [sys.executable, "-m", "lampion", "doctor", "--json"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = json.loads(done.stdout)
    assert (told["driver"], told["grade"]) == ("oci", "none")
    assert "no-such-runtime" in told["findings"][0]["effect"]
    assert told["findings"][0]["mend"] == "apt-get install crun"
