"""Large payloads are judged in the order of small ones: signature, function, then JSON."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.deployment import Functions
from tests.live_server import LiveServer

LARGE = b'"' + "größer als € ".encode() * 100_000 + b'"'
FAULTS = {"not JSON": LARGE[:-1], "not UTF-8": LARGE[:-2] + b'\xff"'}


def code_of(client: Any, name: str, payload: bytes) -> str:
    with pytest.raises(ClientError) as raised:
        client.invoke(FunctionName=name, Payload=payload)
    return str(raised.value.response["Error"]["Code"])


def test_a_large_payload_comes_back_as_it_was(make_function: Functions, lambda_client: Any) -> None:
    name = make_function("def handler(event, context):\n    return len(event)\n")
    for payload in (LARGE, LARGE):
        answer = lambda_client.invoke(FunctionName=name, Payload=payload)
        assert answer["Payload"].read() == b"%d" % len(LARGE.decode()[1:-1])


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_in_its_turn(
    fault: str, make_function: Functions, lambda_client: Any, live_server: LiveServer
) -> None:
    name = make_function("def handler(event, context):\n    return 1\n")
    forged = boto3.client(
        "lambda",
        endpoint_url=live_server.url,
        region_name=live_server.server.region,
        aws_access_key_id=live_server.server.access_key_id,
        aws_secret_access_key="another",
    )
    payload = FAULTS[fault]
    assert code_of(forged, "nothing", payload) == "InvalidSignatureException"
    assert code_of(lambda_client, "nothing", payload) == "ResourceNotFoundException"
    assert code_of(lambda_client, name, payload) == "InvalidRequestContentException"
    forged.close()
