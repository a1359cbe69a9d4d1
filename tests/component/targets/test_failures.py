"""Every kind of answer but success, and none: now or never, in words for a user, and without a secret in them."""

import asyncio

import pytest

from lampion.clock.clock import SystemClock
from lampion.endpoints.aws_client import AwsClient
from lampion.endpoints.http_client import HttpClient
from lampion.endpoints.services import Endpoints
from lampion.invoke.targets.table import outside_targets
from lampion.invoke.targets.target import TargetRefused, Targets, TargetUnavailable
from tests.component.targets.stage import BUCKET, BUS, QUEUE, QUEUE_URL, SUCCESSES, TOPIC, delivery, stage
from tests.stub_service import SECRET, TOKEN, answer

ARNS = [QUEUE, TOPIC, BUS, BUCKET]
NAMES = {QUEUE: "sqs", TOPIC: "sns", BUS: "eventbridge", BUCKET: "s3"}
JSON_PREFIX = {QUEUE: "com.amazonaws.sqs#", BUS: ""}


def error(arn: str, status: int, code: str, message: str = "The words of the service.") -> bytes:
    """As the service writes errors."""
    if arn in JSON_PREFIX:
        return answer(
            status, b'{"__type":"%s%s","message":"%s"}' % (JSON_PREFIX[arn].encode(), code.encode(), message.encode())
        )
    inner = f"<Code>{code}</Code><Message>{message}</Message>"
    whole = (
        f"<Error>{inner}</Error>"
        if arn == BUCKET
        else f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error></ErrorResponse>"
    )
    return answer(status, f'<?xml version="1.0"?>\n{whole}'.encode())


def before(arn: str) -> list[bytes]:
    """What must succeed before the request proper."""
    return SUCCESSES[arn][:-1]


@pytest.mark.parametrize("arn", ARNS)
@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (500, "InternalFailure", "unavailable"),
        (503, "ServiceUnavailable", "unavailable"),
        (429, "TooManyRequests", "unavailable"),
        (408, "RequestTimeout", "unavailable"),
        (400, "ThrottlingException", "unavailable"),
        (400, "Throttling", "unavailable"),
        (403, "RequestThrottled", "unavailable"),
        (503, "SlowDown", "unavailable"),
        (403, "ExpiredToken", "unavailable"),
        (403, "InvalidClientTokenId", "unavailable"),
        (403, "SignatureDoesNotMatch", "unavailable"),
        (400, "UnrecognizedClientException", "unavailable"),
        (403, "AccessDenied", "refused"),
        (400, "AccessDeniedException", "refused"),
        (400, "InvalidParameterValue", "refused"),
        (404, "NotFound", "refused"),
        (404, "NoSuchBucket", "refused"),
        (413, "EntityTooLarge", "refused"),
        (301, "PermanentRedirect", "refused"),
    ],
)
async def test_now_or_never(arn: str, status: int, code: str, expected: str) -> None:
    async with stage() as on:
        kind, words = await on.outcome(arn, *before(arn), error(arn, status, code))
        assert kind == expected
        where = f"{NAMES[arn]} at http://127.0.0.1:{on.stub.port}"
        assert words == f"{where} answered {status}, {code}: The words of the service."


@pytest.mark.parametrize("arn", ARNS)
async def test_a_failure_passes_with_its_cause(arn: str) -> None:
    async with stage() as on:
        assert (await on.outcome(arn, *before(arn), error(arn, 503, "ServiceUnavailable")))[0] == "unavailable"
        assert await on.outcome(arn, SUCCESSES[arn][-1]) == ("taken", "")


@pytest.mark.parametrize("arn", ARNS)
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (answer(404, b"<html>Not Found</html>"), "refused"),
        (answer(400, b"{broken"), "refused"),
        (answer(502, b"bad gateway"), "unavailable"),
        (answer(302, b"", "location: http://169.254.169.254/latest/"), "refused"),
        (answer(405), "refused"),
    ],
)
async def test_whoever_answers_need_not_be_that_service(arn: str, told: bytes, expected: str) -> None:
    async with stage() as on:
        assert (await on.outcome(arn, *before(arn), told))[0] == expected
        assert len(on.stub.received) == len(before(arn)) + 1, "nobody is asked elsewhere"


@pytest.mark.parametrize("arn", ARNS)
async def test_an_answer_cut_short_is_none(arn: str) -> None:
    async with stage() as on:
        assert (
            await on.outcome(arn, *before(arn), b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\n{}")
        )[0] == "unavailable"
        assert (await on.outcome(arn, b""))[0] == "unavailable"


@pytest.mark.parametrize("arn", ARNS)
async def test_silence_ends_after_a_while(arn: str) -> None:
    async with stage(answer_seconds=0.1) as on:
        on.stub.silent = True
        kind, words = await on.outcome(arn)
        assert (kind, words.partition(": ")[2]) == ("unavailable", "no answer within 0.1 s")
        async with asyncio.timeout(5):
            while on.stub.open_connections:
                await asyncio.sleep(0.005)


@pytest.mark.parametrize("arn", ARNS)
async def test_what_is_not_configured_says_which_setting_is_missing(arn: str) -> None:
    http = HttpClient(SystemClock())
    targets = Targets(outside_targets(AwsClient(Endpoints(), http, SystemClock())))
    with pytest.raises(
        TargetUnavailable, match=f"{NAMES[arn]} has no endpoint: set AWS_ENDPOINT_URL_{NAMES[arn].upper()}"
    ):
        await targets.deliver(delivery(arn))
    await http.close()


@pytest.mark.parametrize(
    "arn", ["", "queue", "arn:aws:sqs:eu-west-1", "arn:aws:kinesis:eu-west-1:1:stream/s", "kafka://topic"]
)
async def test_what_nothing_can_be_sent_to_is_refused(arn: str) -> None:
    async with stage() as on:
        with pytest.raises(TargetRefused, match="results can't be sent to the service"):
            await on.targets.deliver(delivery(arn))
        assert on.stub.received == []


@pytest.mark.parametrize("code", ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"])
async def test_a_queue_that_is_not_there_is_never_sent_to(code: str) -> None:
    async with stage() as on:
        kind, words = await on.outcome(QUEUE, error(QUEUE, 400, code))
        assert (kind, len(on.stub.received)) == ("refused", 1)
        assert code in words
        gone = error(QUEUE, 400, code)
        assert (await on.outcome(QUEUE, QUEUE_URL, gone))[0] == "refused"
        assert len(on.stub.received) == 3
        assert (await on.outcome(QUEUE, gone, gone))[0] == "refused"
        assert len(on.stub.received) == 5, "a queue that was known is looked for once more"
        assert (await on.outcome(QUEUE, gone))[0] == "refused"
        assert len(on.stub.received) == 6, "and then no longer known"


@pytest.mark.parametrize(
    ("entry", "expected", "words"),
    [
        ('{"ErrorCode":"ThrottlingException","ErrorMessage":"slow"}', "unavailable", "ThrottlingException: slow"),
        ('{"ErrorCode":"InternalFailure","ErrorMessage":"oh"}', "unavailable", "InternalFailure: oh"),
        ('{"ErrorCode":"InternalException"}', "unavailable", "InternalException"),
        ('{"ErrorCode":"NotAuthorizedForSource","ErrorMessage":"no"}', "refused", "NotAuthorizedForSource: no"),
        ('{"ErrorCode":"MalformedDetail","ErrorMessage":"bad"}', "refused", "MalformedDetail: bad"),
        ("{}", "refused", ""),
    ],
)
async def test_an_entry_that_fails_fails_the_delivery(entry: str, expected: str, words: str) -> None:
    async with stage() as on:
        told = answer(200, f'{{"FailedEntryCount":1,"Entries":[{entry}]}}'.encode())
        kind, said = await on.outcome(BUS, told)
        assert kind == expected
        assert said.endswith(f"did not take the event, {words}")


@pytest.mark.parametrize(
    ("arn", "answers"),
    [(BUS, [answer(200, b"<html>")]), (BUS, [answer(200, b"[]")]), (QUEUE, [answer(200, b"<html>")])],
)
async def test_a_success_that_is_none_is_not_believed(arn: str, answers: list[bytes]) -> None:
    async with stage() as on:
        kind, words = await on.outcome(arn, *answers)
        assert kind == "unavailable"
        assert "answered something else than" in words


async def test_a_bucket_elsewhere_is_told_with_its_region() -> None:
    told = answer(301, b"<Error><Code>PermanentRedirect</Code></Error>", "x-amz-bucket-region: eu-central-1")
    async with stage() as on:
        kind, words = await on.outcome(BUCKET, told)
        assert kind == "refused"
        assert "the bucket results.example is in eu-central-1; set region in [services.s3]" in words
        taken = answer(200, b"", "x-amz-bucket-region: eu-central-1")  # of a server that doesn't mind
        assert await on.outcome(BUCKET, taken) == ("taken", "")


async def test_words_are_one_short_line_without_secrets() -> None:
    async with stage() as on:
        long = error(TOPIC, 400, "InvalidParameter", "line\none\x1b[31m " + "x" * 5000)
        _, words = await on.outcome(TOPIC, long)
        assert "\n" not in words
        assert "\x1b" not in words
        assert len(words) < 700
        for secret in (SECRET, TOKEN):
            assert secret not in words
