"""Refusals and failures of IAM's door are in the form of its protocol, whoever makes them."""

import asyncio
import errno
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from lampion.aws.model import load_service
from lampion.aws.operation import RequestContext
from lampion.clock.rng import SeededRng
from lampion.clock.virtual import VirtualClock
from lampion.domain.iam.errors import DeleteConflictException
from lampion.gateway.authentication import OpenAuthentication
from lampion.gateway.gateway import Gateway
from lampion.gateway.judge import Judge
from lampion.gateway.query_api import QueryApi
from lampion.http.exchange import StreamedBody
from lampion.http.message import Request, RequestHead, Response
from lampion.identity.directory import Directory
from lampion.services.iam.asked import AskedOfIam
from lampion.store.errors import StoreError
from tests.identities import ACCOUNT, resources_in_memory

IAM = "{https://iam.amazonaws.com/doc/2010-05-08/}"
SCOPE = f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20250101/us-east-1/iam/aws4_request"


class Seen:
    def __init__(self) -> None:
        self.response: Response | None = None

    def respond(self, response: Response) -> None:
        self.response = response

    def begin(self, head: Response, size_bytes: int | None = None) -> StreamedBody:
        raise AssertionError

    def on_disconnect(self, action: Callable[[], object]) -> None: ...


def gateway(error: Exception) -> Gateway:
    """Its IAM raises that at ListUsers."""

    async def list_users(context: RequestContext, members: dict[str, Any]) -> Mapping[str, Any]:
        raise error

    resources = resources_in_memory()
    door: Any = QueryApi(
        service=load_service("iam"),
        handlers={"ListUsers": list_users},
        authentication=OpenAuthentication(account_id=ACCOUNT, directory=Directory(resources)),
        judge=Judge(region="us-east-1", scheme="http", clock=VirtualClock()),
        asked_for=AskedOfIam(resources),
        region="us-east-1",
    )
    others: dict[str, Any] = dict.fromkeys(("aws_api", "registry", "registry_api", "function_urls"))
    return Gateway(service=load_service("lambda"), **others, own={}, rng=SeededRng(1), services={"iam": door})


def head_of(body: bytes) -> RequestHead:
    return RequestHead("POST", "/", "", {"host": "localhost", "authorization": SCOPE}, len(body))


def code_of(response: Response) -> tuple[int, str | None]:
    assert ("Content-Type", "text/xml") in response.headers
    return response.status, ET.fromstring(response.body).findtext(f"{IAM}Error/{IAM}Code")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ((DeleteConflictException, "in use"), 409, "DeleteConflict"),
        ((StoreError, "full"), 500, "ServiceFailure"),
        ((OSError, errno.ENOSPC, "full"), 500, "ServiceFailure"),
        ((RuntimeError, "unforeseen"), 500, "InternalFailure"),
    ],
    ids=repr,
)
async def test_whatever_happens_is_told_in_xml(error: Any, status: int, code: str) -> None:
    kind, *arguments = error  # made here: one that was raised keeps the request that it was raised for
    on, body, seen = gateway(kind(*arguments)), b"Action=ListUsers&Version=2010-05-08", Seen()
    head = head_of(body)
    assert on.accept(head) == 1024 * 1024
    on.start(Request(head, body), seen)
    for _ in range(20):
        await asyncio.sleep(0)
    assert seen.response is not None
    assert code_of(seen.response) == (status, code)
    assert b"unforeseen" not in seen.response.body


def test_a_body_that_is_too_large_is_refused_in_xml() -> None:
    on, head = gateway(AssertionError()), head_of(b"x" * 2_000_000)
    on.accept(head)
    assert code_of(on.too_large(head)) == (413, "RequestEntityTooLarge")
