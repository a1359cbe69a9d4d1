"""What functions ask of other services: passed on as it was signed, by who signed it, and with nothing of his keys."""

import json
from typing import Any, cast

import pytest

from lampion.aws.sigv4_sign import Signer
from lampion.clock.clock import SystemClock
from lampion.domain.arn import FunctionKey
from lampion.endpoints.aws_client import AwsClient, Call
from lampion.endpoints.exchange import HttpAnswer
from lampion.endpoints.services import Service
from lampion.gateway.other_services import OtherServices
from lampion.http.message import Request, RequestHead
from lampion.identity.session_keys import Runner
from tests.identities import ACCOUNT, keys_in, resources_in_memory

REGION = "us-east-1"
JSON, FORM = "application/x-amz-json-1.0", "application/x-www-form-urlencoded"
BODY = b'{"QueueUrl": "/123456789012/q", "MessageBody": "hello"}'


class Queues:
    """SQS elsewhere, and a function that may all."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.keys = keys_in(resources_in_memory(), functions_may_all=True)
        self.key = self.keys.sessions.issue(account_id=ACCOUNT, role=f"arn:aws:iam::{ACCOUNT}:role/r", session_name="f")
        client = cast("AwsClient", self)
        self.door = OtherServices(client, configured=[Service.SQS], keys=self.keys, clock=self.clock)
        self.asked: list[Call] = []

    def reach(self, service: Service, **where: str) -> Any:
        return service

    async def ask(self, reach: Any, call: Call) -> HttpAnswer:
        self.asked.append(call)
        return HttpAnswer(200, {}, b"{}")

    async def send(
        self, sent: bytes = BODY, *, secret: str | None = None, token: str | None = None, content_type: str = JSON
    ) -> int | tuple[int, str]:
        """Signed with BODY. The status, and the code of a refusal."""
        key = self.key
        signer = Signer(
            key.access_key_id,
            secret or key.secret_access_key,
            REGION,
            service="sqs",
            session_token=token or key.session_token,
        )
        headers = {"host": "here", "content-type": content_type, "x-amz-target": "AmazonSQS.SendMessage", "x-own": "1"}
        added = signer.sign("POST", "/", "", headers, BODY, self.clock.now())
        head = RequestHead("POST", "/", "", headers | {name.lower(): value for name, value in added.items()}, len(sent))
        assert self.door.serves(head)
        self.door.accept(head)
        answer = await self.door.serve(Request(head, sent), "id")
        return answer.status if answer.status == 200 else (answer.status, json.loads(answer.body)["__type"])


async def test_what_is_signed_is_passed_on_without_the_functions_keys() -> None:
    queues = Queues()
    assert await queues.send() == 200
    (call,) = queues.asked
    assert call.body == BODY
    assert set(call.headers) == {"content-type", "x-amz-target"}


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"sent": BODY.replace(b"hello", b"other")}, (403, "InvalidSignatureException")),
        ({"secret": "another"}, (403, "InvalidSignatureException")),
        ({"token": "another"}, (403, "UnrecognizedClientException")),
        ({"content_type": FORM}, (400, "SerializationException")),
    ],
    ids=["another body", "another secret", "another token", "another protocol"],
)
async def test_anything_else_goes_nowhere(changed: dict[str, Any], refusal: tuple[int, str]) -> None:
    queues = Queues()
    assert await queues.send(**changed) == refusal
    assert queues.asked == []


async def test_nor_does_what_a_function_sends_whose_keys_are_void() -> None:
    queues = Queues()
    queues.keys.sessions.revoke(queues.key)
    assert await queues.send() == (403, "UnrecognizedClientException")
    assert queues.asked == []


async def test_nor_does_what_a_function_sends_that_is_gone() -> None:
    queues = Queues()
    queues.key = queues.keys.sessions.issue(
        account_id=ACCOUNT,
        role=queues.key.role_arn,
        session_name="f",
        runner=Runner(FunctionKey(ACCOUNT, REGION, "f"), "$LATEST", "creation"),
    )
    assert await queues.send() == (403, "UnrecognizedClientException")
    assert queues.asked == []
