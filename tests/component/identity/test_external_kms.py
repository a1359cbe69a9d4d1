"""A master key in the keeping of a KMS elsewhere: what is asked there, and what every wrong answer leads to."""

import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.endpoints.address import Address, Origin
from lampion.endpoints.aws_client import AwsClient
from lampion.endpoints.http_client import HttpClient, TimeLimits
from lampion.endpoints.services import Credentials, Endpoints, Service, ServiceEndpoint
from lampion.identity.external_kms import PAUSES_SECONDS, ExternalKmsPlace
from lampion.identity.master_key import MasterKey, MasterKeys
from lampion.store.cached_resources import CachedResources
from lampion.store.errors import MasterKeyUnusable
from lampion.store.kms import CHECK_PLACE, CHECKS, MasterKeyCheck
from tests.identities import resources_in_memory
from tests.stub_service import KEY_ID, SECRET, TOKEN, Stub, answer, stub_service

KEY = bytes(range(32))
SEALED = b"what only the KMS opens"
ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ATTEMPTS = len(PAUSES_SECONDS) + 1


class QuickClock(SystemClock):
    """A hundredth of every wait."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / 100)

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return super().deadline(seconds / 100)


@asynccontextmanager
async def place_at(address: Address | None, *, key: Credentials | None = None) -> AsyncIterator[ExternalKmsPlace]:
    """`address` None: nothing is configured."""
    clock = QuickClock()
    http = HttpClient(clock, limits=TimeLimits(connect_seconds=20, answer_seconds=2000))
    endpoint = (
        {} if address is None else {Service.KMS: ServiceEndpoint(address, key or Credentials(KEY_ID, SECRET, TOKEN))}
    )
    client = AwsClient(Endpoints(endpoint), http, clock)
    try:
        yield ExternalKmsPlace(ARN, client=client, clock=clock, partition="aws", region="eu-west-1")
    finally:
        await http.close()


def of(stub: Stub) -> Address:
    return Address(Origin("127.0.0.1", stub.port, is_tls=False))


def data_key(key: bytes = KEY, sealed: bytes = SEALED) -> bytes:
    return told(Plaintext=encoded(key), CiphertextBlob=encoded(sealed), KeyId=ARN)


def opened(key: bytes = KEY) -> bytes:
    return told(Plaintext=encoded(key), KeyId=ARN, EncryptionAlgorithm="SYMMETRIC_DEFAULT")


def told(**members: Any) -> bytes:
    return answer(200, json.dumps(members).encode())


def refusal(code: str, message: str = "no", status: int = 400) -> bytes:
    return answer(status, json.dumps({"__type": f"com.amazonaws.kms#{code}", "message": message}).encode())


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


async def kept(resources: CachedResources) -> MasterKeyCheck | None:
    return await resources.get(CHECKS, CHECK_PLACE)


def masters(place: ExternalKmsPlace, resources: CachedResources) -> MasterKeys:
    return MasterKeys(place=place, resources=resources, rng=SystemRng())


async def test_it_is_made_at_the_first_start_and_opened_at_each_later_one() -> None:
    resources = resources_in_memory()
    async with stub_service() as stub, place_at(of(stub)) as place:
        stub.answers = [data_key(), opened()]
        first = masters(place, resources)
        await first.open()
        check = await kept(resources)
        assert check is not None
        assert (check.sealed_key, check.place) == (SEALED, f"kms:{ARN}")
        context = {"LampionInstallation": check.installation}
        asked = [(one.headers["x-amz-target"], json.loads(one.body)) for one in stub.received]
        decrypt = {"KeyId": ARN, "EncryptionContext": context, "CiphertextBlob": encoded(SEALED)}
        assert asked == [
            ("TrentService.GenerateDataKey", {"KeyId": ARN, "EncryptionContext": context, "NumberOfBytes": 32}),
            ("TrentService.Decrypt", decrypt),
        ]
        assert {(one.service, one.region) for one in stub.received} == {("kms", "eu-west-1")}
        again = masters(place, resources)
        await again.open()
        assert json.loads(stub.received[-1].body) == decrypt
        assert len(stub.received) == 3
        one, other = first.at_hand(), again.at_hand()
        assert one is not None
        assert other is not None
        wrapped = one.wrap(b"n" * 12, b"secret", b"about")
        assert other.unwrap(wrapped, b"about") == MasterKey(KEY).unwrap(wrapped, b"about") == b"secret"
        assert other.tag(b"header") == one.tag(b"header")


WRONG_AT_FIRST = {
    "denied": (
        [refusal("AccessDeniedException", "not you")],
        "answered GenerateDataKey with AccessDeniedException: not you",
    ),
    "gone": ([refusal("NotFoundException", "no such key.")], "NotFoundException: no such key"),
    "disabled": ([refusal("DisabledException")], "DisabledException"),
    "no-json": ([answer(200, b"<html>")], "answered something else than GenerateDataKey does"),
    "json-of-something-else": ([answer(200, b'{"Plaintext": 5}')], "answered something else than GenerateDataKey does"),
    "deep": ([answer(200, b"[" * 100_000)], "answered something else than GenerateDataKey does"),
    "short-key": ([data_key(KEY[:31])], "no key of 32 bytes"),
    "no-ciphertext": ([data_key(sealed=b"")], "no key of 32 bytes"),
    "may-make-but-not-open": (
        [data_key(), refusal("AccessDeniedException")],
        "answered Decrypt with AccessDeniedException",
    ),
    "opens-another": ([data_key(), opened(bytes(32))], "opens another one"),
    "moved": ([answer(302, b"", "location: http://127.0.0.1:1/")], "status 302"),
    "hostile-words": ([refusal("A\x1b[2J", "x\n" * 5000)], r"with A \[2J: x x"),
}


@pytest.mark.parametrize("name", WRONG_AT_FIRST)
async def test_wrong_answers_keep_the_server_from_starting_and_change_nothing(name: str) -> None:
    answers, words = WRONG_AT_FIRST[name]
    resources = resources_in_memory()
    async with stub_service() as stub, place_at(of(stub)) as place:
        stub.answers = list(answers)
        with pytest.raises(MasterKeyUnusable, match=words) as caught:
            await masters(place, resources).open()
        assert len(stub.received) == len(answers), "asked again what was answered for good"
    shown = str(caught.value)
    assert shown.startswith(f"the master key of kms:{ARN} ")
    assert shown.isprintable()
    assert len(shown) < 1000
    assert encoded(KEY) not in shown
    assert await kept(resources) is None


PASSING = {
    "server-error": answer(500, b"{}"),
    "throttled": refusal("ThrottlingException"),
    "throttled-by-status": answer(429, b"{}"),
    "internal": refusal("KMSInternalException"),
    "cut-off": b"",
}


@pytest.mark.parametrize("name", PASSING)
async def test_what_passes_is_tried_again(name: str) -> None:
    async with stub_service() as stub, place_at(of(stub)) as place:
        stub.answers = [PASSING[name], PASSING[name], data_key(), PASSING[name], opened()]
        await masters(place, resources_in_memory()).open()
        assert len(stub.received) == 5


@pytest.mark.parametrize("name", PASSING)
async def test_what_does_not_pass_ends_with_the_reason(name: str) -> None:
    async with stub_service() as stub, place_at(of(stub)) as place:
        stub.answers = [PASSING[name]]
        with pytest.raises(MasterKeyUnusable, match=rf"kms at http://127.0.0.1:\d+.* \(asked {ATTEMPTS} times\)"):
            await masters(place, resources_in_memory()).open()
        assert len(stub.received) == ATTEMPTS


async def test_one_that_never_answers_is_waited_for_no_longer_than_the_deadline() -> None:
    async with stub_service() as stub, place_at(of(stub)) as place:
        stub.silent = True
        begun = time.monotonic()
        with pytest.raises(MasterKeyUnusable, match=r"can't be had: .*asked"):
            await masters(place, resources_in_memory()).open()
        assert time.monotonic() - begun < 5


async def test_where_nobody_listens_and_what_is_not_configured_is_told() -> None:
    async with stub_service() as stub:
        nobody = of(stub)
    async with place_at(nobody) as place:
        with pytest.raises(MasterKeyUnusable, match="refused"):
            await masters(place, resources_in_memory()).open()
    async with place_at(None) as place:
        with pytest.raises(MasterKeyUnusable, match="set AWS_ENDPOINT_URL_KMS"):
            await masters(place, resources_in_memory()).open()


async def test_no_key_comes_in_the_clear_from_another_machine() -> None:
    async with place_at(Address(Origin("192.0.2.1", 80, is_tls=False))) as place:
        with pytest.raises(MasterKeyUnusable, match=r"in the clear from http://192\.0\.2\.1\. Use"):
            await masters(place, resources_in_memory()).open()


async def test_a_later_start_without_the_right_key_is_none_and_changes_nothing() -> None:
    resources = resources_in_memory()
    async with stub_service() as stub, place_at(of(stub)) as place:
        stub.answers = [data_key(), opened()]
        await masters(place, resources).open()
        before = await kept(resources)
        for told_then, words in (
            (opened(bytes(32)), "another master key"),
            (opened(KEY[:16]), "no key of 32 bytes"),
            (refusal("IncorrectKeyException"), "IncorrectKeyException"),
            (refusal("InvalidCiphertextException", ""), "InvalidCiphertextException"),
            (refusal("KMSInvalidStateException", "pending deletion"), "pending deletion"),
        ):
            stub.answers = [told_then]
            later = masters(place, resources)
            with pytest.raises(MasterKeyUnusable, match=words):
                await later.open()
            assert later.at_hand() is None
        assert await kept(resources) == before
