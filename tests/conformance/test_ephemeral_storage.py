"""EphemeralStorage through boto3: /tmp is that large, and a function that fills it lives on."""

import json
from typing import Any

import pytest

from lampion.sandbox.disks import Disks
from tests.deployment import Functions, wait_updated
from tests.live_server import LiveServer

FILL = """
import os

def handler(event, context):
    written = 0
    with open("/tmp/full", "wb", buffering=0) as file:
        try:
            while True:
                written += file.write(b"x" * 1048576)
        except OSError as error:
            reason = error.strerror
    os.unlink("/tmp/full")
    return {"mib": written >> 20, "reason": reason}
"""


def test_a_function_of_128_mb_fills_its_tmp_before_and_after_it_grows(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    disks = Disks(live_server.data)
    problem = disks.problem()
    disks.close()
    if problem:
        pytest.skip(f"/tmp is memory here: {problem}")
    name = make_function(FILL, MemorySize=128, Timeout=60)
    for size in (512, 1024):
        if size != 512:
            lambda_client.update_function_configuration(FunctionName=name, EphemeralStorage={"Size": size})
            wait_updated(lambda_client, name)
        for _ in range(2):  # the second time in the same environment
            answer = lambda_client.invoke(FunctionName=name)
            told = json.loads(answer["Payload"].read())
            assert "FunctionError" not in answer, told
            assert told["reason"] == "No space left on device"
            assert size <= told["mib"] < size * 1.02
